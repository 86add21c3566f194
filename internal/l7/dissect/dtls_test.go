package dissect

import (
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

// dtlsRecord returns a record of DTLS 1.2.
func dtlsRecord(kind, epoch byte, b []byte) []byte {
	h := []byte{kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, byte(len(b) >> 8), byte(len(b))}
	return append(h, b...)
}

// dtlsFragment returns the bytes from and up to of a handshake message without
// its header, as a fragment.
func dtlsFragment(kind byte, body []byte, from, to int) []byte {
	h := []byte{kind, 0, byte(len(body) >> 8), byte(len(body)), 0, 0, 0, byte(from >> 8), byte(from), 0, byte((to - from) >> 8), byte(to - from)}
	return append(h, body[from:to]...)
}

// dtlsHello is the hello of the JA4 test, with a cookie, and in a version that
// DTLS has.
func dtlsHello() []byte {
	b := chromeHello()[4:]
	b[0], b[1] = 0xfe, 0xfd
	return append(append(append([]byte{}, b[:35]...), 2, 7, 7), b[35:]...)
}

func TestDTLS(t *testing.T) {
	hello := dtlsHello()
	server := append([]byte{0xfe, 0xfd}, make([]byte, 36)...) // random, no session, cipher, compression
	reply := dtlsRecord(tlsHandshake, 0, dtlsFragment(tlsServerHello, server, 0, len(server)))
	// The hello says TLS 1.3 in supported_versions: JA4 takes that.
	details := &flow.Details{TLSVersion: 0xfefd, JA4: "d13d1516h2_8daaf6152771_e5627efa2ab1"}

	k := newTalk(flow.UDP, 4433).ask(dtlsRecord(tlsHandshake, 0, dtlsFragment(tlsClientHello, hello, 0, len(hello)))).answer(reply)
	if !k.done {
		t.Error("still waits")
	}
	want(t, k.verdict(), "DTLS", "ja4.example", details)

	k = newTalk(flow.UDP, 4433)
	for _, part := range [][2]int{{0, 100}, {200, len(hello)}, {100, 200}} {
		k.ask(dtlsRecord(tlsHandshake, 0, dtlsFragment(tlsClientHello, hello, part[0], part[1])))
	}
	want(t, k.answer(reply).verdict(), "DTLS", "ja4.example", details)
	if k.d.keeper.lent != 0 {
		t.Errorf("%d bytes were not given back", k.d.keeper.lent)
	}
}

func TestDTLSInTheMiddle(t *testing.T) {
	data := dtlsRecord(tlsData, 1, []byte("secret"))
	for _, tc := range []struct {
		name string
		b    []byte
		app  string
	}{
		{"data", data, "DTLS"},
		{"two records", append(data[:len(data):len(data)], data...), "DTLS"},
		{"cut", data[:len(data)-1], "DTLS"},
		{"version", append([]byte{23, 3, 3}, data[3:]...), ""},
		{"type", append([]byte{19}, data[1:]...), ""},
		{"empty", dtlsRecord(tlsData, 1, nil), ""},
		{"header cut", data[:12], ""},
	} {
		want(t, newTalk(flow.UDP, 4433).ask(tc.b).verdict(), tc.app, "", nil)
	}
}

func FuzzDTLS(f *testing.F) {
	hello := dtlsHello()
	fuzz(f, flow.UDP, 4433, dtlsRecord(tlsHandshake, 0, dtlsFragment(tlsClientHello, hello, 0, len(hello))),
		dtlsRecord(tlsHandshake, 0, dtlsFragment(tlsClientHello, hello, 0, 100)), dtlsRecord(tlsData, 1, []byte("secret")))
}
