package dissect

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

// A tap is one side of a connection whose words an Identifier hears.
type tap struct {
	net.Conn
	hear func([]byte)
}

func (c tap) Write(b []byte) (int, error) {
	c.hear(b)
	return c.Conn.Write(b)
}

// handshake lets Go's client and server talk, and k hear it in segments of 500
// bytes.
func handshake(t *testing.T, k *talk, client *tls.Config, highest uint16) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := &tls.Config{MaxVersion: highest, NextProtos: client.NextProtos, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	var mutex sync.Mutex
	hear := func(say func([]byte) *talk) func([]byte) {
		return func(b []byte) {
			mutex.Lock()
			defer mutex.Unlock()
			for part := range slices.Chunk(b, 500) {
				if !k.done {
					say(part)
				}
			}
		}
	}
	ended := make(chan error)
	go func() { ended <- tls.Server(tap{b, hear(k.answer)}, server).Handshake() }()
	if err := tls.Client(tap{a, hear(k.ask)}, client).Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestTLSFromGo(t *testing.T) {
	for _, tc := range []struct {
		name      string
		client    *tls.Config
		port      uint16
		app, info string
		ja4       string // its first part but for the numbers of ciphers and extensions, which depend on Go's version
		version   uint16
	}{
		{"1.3", &tls.Config{ServerName: "Example.org", NextProtos: []string{"h2", "http/1.1"}}, 443, "TLS", "example.org", "t13d__h2", tls.VersionTLS13},
		{"1.2", &tls.Config{ServerName: "example.org"}, 4711, "TLS", "example.org", "t13d__00", tls.VersionTLS12},
		{"no more than 1.2", &tls.Config{ServerName: "a.test", MaxVersion: tls.VersionTLS12}, 853, "TLS.DoH_DoT", "a.test", "t12d__00", tls.VersionTLS12},
		{"mail", &tls.Config{}, 993, "IMAPS", "", "t13i__00", tls.VersionTLS13},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newTalk(flow.TCP, tc.port)
			tc.client.InsecureSkipVerify = true
			handshake(t, k, tc.client, tc.version)
			if !k.done {
				t.Error("still waits")
			}
			v := k.verdict()
			if v.Details == nil || len(v.Details.JA4) != 36 || v.Details.TLSVersion != tc.version {
				t.Fatalf("details %+v", v.Details)
			}
			if got := v.Details.JA4[:4] + "__" + v.Details.JA4[8:10]; got != tc.ja4 {
				t.Errorf("JA4 begins with %s, not %s", got, tc.ja4)
			}
			want(t, v, tc.app, tc.info, v.Details)
		})
	}
}

// serverHelloOf returns a ServerHello in two records.
func serverHelloOf(version uint16) []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0x13, 0x01, 0)
	if version > tls.VersionTLS12 {
		body = append(body, 0, 6, 0, extVersions, 0, 2, byte(version>>8), byte(version))
	}
	message := append([]byte{tlsServerHello, 0, 0, byte(len(body))}, body...)
	return append(tlsRecord(message[:7]), tlsRecord(message[7:])...)
}

func tlsRecord(b []byte) []byte {
	return append([]byte{tlsHandshake, 3, 3, byte(len(b) >> 8), byte(len(b))}, b...)
}

// chromeHello is the hello that FoxIO's description of JA4 takes apart, with
// GREASE, as the lists there say.
func chromeHello() []byte {
	list := func(values ...uint16) (b []byte) {
		for _, v := range values {
			b = binary.BigEndian.AppendUint16(b, v)
		}
		return b
	}
	block := func(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }
	var ext []byte
	add := func(kind uint16, body []byte) { ext = append(append(ext, list(kind)...), block(body)...) }
	add(0x7a7a, nil)
	for _, kind := range []uint16{0x001b, 0x0033, 0x4469, 0x0012, 0x0023, 0x0017, 0x000a, 0x0005, 0x002d, 0x000b, 0xff01, 0x0015} {
		add(kind, []byte{0})
	}
	name := []byte("ja4.example")
	add(extName, block(append([]byte{0}, block(name)...)))
	add(extALPN, block([]byte("\x02h2\x08http/1.1")))
	add(extVersions, append([]byte{6}, list(0x9a9a, 0x0304, 0x0303)...))
	add(extSignatures, block(list(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)))
	add(0xcaca, []byte{0})
	body := append(list(0x0303), make([]byte, 32)...)
	body = append(body, 0)
	body = append(body, block(list(0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035))...)
	body = append(body, 1, 0)
	body = append(body, block(ext)...)
	return append([]byte{tlsClientHello, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

func TestJA4(t *testing.T) {
	v := newTalk(flow.TCP, 443).ask(tlsRecord(chromeHello())).verdict()
	want(t, v, "TLS", "ja4.example", &flow.Details{JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1"})
}

func TestJA4Parts(t *testing.T) {
	for in, out := range map[string]string{
		"": "00", "h2": "h2", "http/1.1": "h1", "x": "xx", "\xab": "ab", "\xab\xcd": "ad", "0\xab": "3b", "01\xab\xcd": "3d", "0\xab\xcd1": "01", "\xab0": "a0",
	} {
		if got := string(appendALPN(nil, []byte(in))); got != out {
			t.Errorf("ALPN %q: %s, not %s", in, got, out)
		}
	}
	if got := (&hello{version: 0xfefd}).ja4('d'); got != "dd2i000000_000000000000_000000000000" {
		t.Error(got)
	}
	if got := (&hello{version: 0x0300, ciphers: make([]uint16, 120), extensions: []uint16{extName}, hasName: true}).ja4('t'); got[:10] != "ts3d990100" {
		t.Error(got)
	}
}

// Length 46, hello, TLS 1.0, lengths of ciphers, session and challenge, then
// seven ciphers and a challenge: RFC 5246 appendix E.2.
func TestSSL2Hello(t *testing.T) {
	hello := unhex(t, `802e 01 0301 0015 0000 0010
		000039 000038 000035 000016 000013 00000a 0700c0
		00112233445566778899aabbccddeeff`)
	want(t, newTalk(flow.TCP, 443).ask(hello).verdict(), "TLS", "", nil)
	hello[1]++
	want(t, newTalk(flow.TCP, 443).ask(hello).verdict(), "", "", nil)
}

func TestTLSInPieces(t *testing.T) {
	whole := tlsRecord(chromeHello())
	records := append(tlsRecord(chromeHello()[:90]), tlsRecord(chromeHello()[90:])...)
	for name, b := range map[string][]byte{"one record": whole, "two records": records} {
		for cut := 1; cut < len(b); cut += 7 {
			v := newTalk(flow.TCP, 443).ask(b[:cut]).ask(b[cut:]).verdict()
			if v.Info != "ja4.example" || v.Details == nil || v.Details.JA4 != "t13d1516h2_8daaf6152771_e5627efa2ab1" {
				t.Errorf("%s cut at %d: %+v %+v", name, cut, v, v.Details)
			}
		}
	}
	at := bytes.Index(whole, []byte("ja4.example"))
	want(t, newTalk(flow.TCP, 443).ask(whole[:at+11]).verdict(), "TLS", "ja4.example", nil) // the rest never came
	want(t, newTalk(flow.TCP, 443).ask(whole[:at+5]).verdict(), "TLS", "", nil)             // half a name is none
}

func TestTLSInTheMiddle(t *testing.T) {
	for _, tc := range []struct{ name, bytes, app string }{
		{"data", "17 03 03 00 04 01 02 03 04", "TLS"},
		{"data, longer", "17 03 03 10 00 01 02 03 04", "TLS"},
		{"data, then nothing of the kind", "17 03 03 00 04 01 02 03 04 ff ff", ""},
		{"version", "17 02 03 00 04 01 02 03 04", ""},
		{"length", "17 03 03 ff ff 01 02 03 04", ""},
		{"change of ciphers", "14 03 03 00 01 01 16 03 03 00 04 01 02 03 04", "TLS"},
		{"no change of ciphers", "14 03 03 00 01 02", ""},
		{"alert", "15 03 03 00 02 02 28", "TLS"},
		{"no alert", "15 03 03 00 02 07 28", ""},
		{"no hello", "16 03 01 00 50 01 55 00 4c 03 03 00", ""},
	} {
		want(t, newTalk(flow.TCP, 443).ask(unhex(t, tc.bytes)).verdict(), tc.app, "", nil)
	}
}

func FuzzTLS(f *testing.F) {
	fuzz(f, flow.TCP, 443, tlsRecord(chromeHello()), serverHelloOf(tls.VersionTLS13), serverHelloOf(tls.VersionTLS12), unhex(f, "17 03 03 00 04 01 02 03 04"))
}
