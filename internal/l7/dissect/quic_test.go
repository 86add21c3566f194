package dissect

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

// rfc9001Hello is the CRYPTO frame of RFC 9001 appendix A.2.
const rfc9001Hello = `
	060040f1010000ed0303ebf8fa56f129 39b9584a3896472ec40bb863cfd3e868
	04fe3a47f06a2b69484c000004130113 02010000c000000010000e00000b6578
	616d706c652e636f6dff01000100000a 00080006001d00170018001000070005
	04616c706e0005000501000000000033 00260024001d00209370b2c9caa47fba
	baf4559fedba753de171fa71f50f1ce1 5d43e994ec74d748002b000302030400
	0d0010000e0403050306030203080408 050806002d00020101001c0002400100
	3900320408ffffffffffffffff050480 00ffff07048000ffff08011001048000
	75300901100f088394c8f03e51570806 048000ffff`

// A sealer makes Initial packets of a client from the keys that an RFC states.
type sealer struct {
	version     uint32
	first       byte // first byte of the header
	key, iv, hp string
}

var (
	// RFC 9001 appendix A.1.
	sealer1 = sealer{quicVersion1, 0xc3, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"}
	// RFC 9369 appendix A.1.
	sealer2 = sealer{quicVersion2, 0xd3, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"}
)

// rfcConnection is the connection ID of both RFCs' examples.
const rfcConnection = "8394c8f03e515708"

// seal returns an Initial packet with a number and frames, padded to 1162 bytes
// as the examples are.
func (s sealer) seal(t testing.TB, number uint32, frames []byte) []byte {
	t.Helper()
	frames = append(bytes.Clone(frames), make([]byte, max(0, 1162-len(frames)))...)
	b := binary.BigEndian.AppendUint32([]byte{s.first}, s.version)
	b = append(append(b, 8), unhex(t, rfcConnection)...)
	b = append(b, 0, 0) // no connection ID of the client's, no token
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(4+len(frames)+16))
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, number)
	nonce := unhex(t, s.iv)
	for i := range 4 {
		nonce[8+i] ^= b[at+i]
	}
	b = gcm(t, s.key).Seal(b, nonce, frames, b)
	var mask [16]byte
	block(t, s.hp).Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 15
	for i := range 4 {
		b[at+i] ^= mask[1+i]
	}
	return b
}

func block(t testing.TB, key string) cipher.Block {
	t.Helper()
	b, err := aes.NewCipher(unhex(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func gcm(t testing.TB, key string) cipher.AEAD {
	t.Helper()
	a, err := cipher.NewGCM(block(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The first and the last bytes of the packet in RFC 9001 appendix A.2; the last
// are the tag over all of it.
func TestSealerIsRight(t *testing.T) {
	b := sealer1.seal(t, 2, unhex(t, rfc9001Hello))
	if got := hex.EncodeToString(b[:32]); len(b) != 1200 || got != "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11" {
		t.Errorf("%d bytes, %s...", len(b), got)
	}
	if got := hex.EncodeToString(b[1184:]); got != "e221af44860018ab0856972e194cd934" {
		t.Errorf("tag %s", got)
	}
}

// rfc9001JA4 was worked out with sha256sum.
const rfc9001JA4 = "q13d0211an_62ed6f6ca7ad_4d634acda6c0"

func TestExpandLabel(t *testing.T) {
	secret := [32]byte{1, 2, 3}
	for _, tc := range []struct {
		prefix, label string
		n             uint8
	}{{"", "client in", 32}, {"quic ", "key", 16}, {"quicv2 ", "iv", 12}} {
		info := append([]byte{0, tc.n, byte(6 + len(tc.prefix+tc.label))}, "tls13 "+tc.prefix+tc.label+"\x00"...)
		wanted, err := hkdf.Expand(sha256.New, secret[:], string(info), int(tc.n))
		if err != nil {
			t.Fatal(err)
		}
		if got := expandLabel(&secret, tc.prefix, tc.label, tc.n); !bytes.Equal(got[:tc.n], wanted) {
			t.Errorf("%s%s: %x, not %x", tc.prefix, tc.label, got[:tc.n], wanted)
		}
	}
}

func TestQUIC(t *testing.T) {
	hello := unhex(t, rfc9001Hello)
	for _, tc := range []struct {
		name string
		s    sealer
	}{{"version 1", sealer1}, {"version 2", sealer2}} {
		for _, port := range []uint16{443, 4711} {
			k := newTalk(flow.UDP, port).ask(tc.s.seal(t, 2, hello))
			if !k.done {
				t.Errorf("%s at %d: still waits", tc.name, port)
			}
			want(t, k.verdict(), "QUIC", "example.com", &flow.Details{TLSVersion: 0x0304, JA4: rfc9001JA4})
		}
	}
}

// The hello comes in two packets, the second half first, with a PING and
// padding between.
func TestQUICInPieces(t *testing.T) {
	body := unhex(t, rfc9001Hello)[4:]
	part := func(from, to int) []byte {
		b := []byte{quicPing, quicPadding, quicCrypto}
		b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(from))
		b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(to-from))
		return append(b, body[from:to]...)
	}
	k := newTalk(flow.UDP, 443)
	k.ask(sealer1.seal(t, 0, append(part(200, len(body)), part(100, 150)...)))
	if k.done {
		t.Error("does not wait")
	}
	k.answer(sealer2.seal(t, 0, nil)) // not to be opened with the keys of this connection
	k.ask(sealer1.seal(t, 1, part(150, 200)))
	k.ask(sealer1.seal(t, 2, part(0, 100)))
	if !k.done {
		t.Error("still waits")
	}
	v := k.verdict()
	if v.Info != "example.com" || v.Details == nil {
		t.Errorf("%+v", v)
	}
	if k.d.keeper.lent != 0 {
		t.Errorf("%d bytes were not given back", k.d.keeper.lent)
	}
}

func TestQUICThatIsNone(t *testing.T) {
	good := sealer1.seal(t, 2, unhex(t, rfc9001Hello))
	for at := range good {
		b := bytes.Clone(good)
		b[at] ^= 0x20
		v := newTalk(flow.UDP, 4711).ask(b).verdict()
		if v.Info != "" || v.Details != nil {
			t.Fatalf("with byte %d changed: %+v", at, v)
		}
		if at > 30 && v.App.Master != 0 {
			t.Fatalf("with byte %d changed it is still %d", at, v.App.Master)
		}
	}
	for n := range 60 {
		if v := newTalk(flow.UDP, 443).ask(good[:n+1]).verdict(); v.App.Master != 0 {
			t.Fatalf("%d bytes are %d", n+1, v.App.Master)
		}
	}
}

// A client that tries a server with a version to be refused uses the keys of
// the one it knows.
func TestQUICReservedVersion(t *testing.T) {
	s := sealer1
	s.version = 0x1a2a3a4a
	v := newTalk(flow.UDP, 443).ask(s.seal(t, 0, unhex(t, rfc9001Hello))).verdict()
	if v.App.Master != appQUIC || v.Info != "example.com" {
		t.Errorf("%+v", v)
	}
}

// chloOf returns a hello of Google's own QUIC.
func chloOf() []byte {
	b := []byte("CHLO\x02\x00\x00\x00PAD\x00\x04\x00\x00\x00SNI\x00\x0c\x00\x00\x00....Goo.test")
	return append(b, make([]byte, 20)...)
}

func TestGoogleQUIC(t *testing.T) {
	q043 := append([]byte("\x0d12345678Q043\x01"), append(make([]byte, 12), chloOf()...)...)
	q046 := append([]byte("\xc3Q046\x5012345678\x00\x00\x00\x01"), append(make([]byte, 12), chloOf()...)...)
	for name, b := range map[string][]byte{"Q043": q043, "Q046": q046} {
		k := newTalk(flow.UDP, 443).ask(b)
		if !k.done {
			t.Errorf("%s: still waits", name)
		}
		want(t, k.verdict(), "QUIC", "goo.test", nil)
		want(t, newTalk(flow.UDP, 443).ask(b[:30]).verdict(), "QUIC", "", nil)
	}
}

func FuzzQUIC(f *testing.F) {
	fuzz(f, flow.UDP, 443, sealer1.seal(f, 2, unhex(f, rfc9001Hello)), sealer2.seal(f, 2, unhex(f, rfc9001Hello)))
}

// FuzzQUICFrames goes past the keys: what is fuzzed is sealed first.
func FuzzQUICFrames(f *testing.F) {
	f.Add(unhex(f, rfc9001Hello))
	f.Add([]byte{quicACK, 1, 1, 1, 1, 1, 1, quicCrypto, 0, 1, 1})
	f.Fuzz(func(t *testing.T, frames []byte) {
		if len(frames) < 1500 {
			listen(t, flow.UDP, 443, [][]byte{sealer1.seal(t, 0, frames), nil, sealer1.seal(t, 1, frames)})
		}
	})
}

func FuzzGoogleQUIC(f *testing.F) {
	fuzz(f, flow.UDP, 443, append([]byte("\x0d12345678Q043\x01"), append(make([]byte, 12), chloOf()...)...))
}
