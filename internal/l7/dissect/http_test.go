package dissect

import (
	"bytes"
	"encoding/binary"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/portolan/portolan/internal/flow"
)

func TestHTTP(t *testing.T) {
	software := func(s string) *flow.Details { return &flow.Details{Software: s} }
	for _, tc := range []struct {
		name, ask, answer string
		app, info         string
		details           *flow.Details
	}{
		{"usual", request, "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\n", "HTTP", "www.example.com", software("nginx/1.22.1")},
		{"answer alone", "", "HTTP/1.0 404 Not Found\r\nserver:Apache\r\n", "HTTP", "", software("Apache")},
		{"line feeds alone", "HEAD / HTTP/1.0\nhost: a.test\n\n", "", "HTTP", "a.test", nil},
		{"address", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "", "HTTP", "2001:db8::1", nil},
		{"tunnel", "CONNECT a.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n", "", "HTTP_Connect", "a.test", nil},
		{"proxy", "GET http://a.test/x HTTP/1.1\r\n\r\n", "", "HTTP", "a.test", nil},
		{"websocket", "GET /chat HTTP/1.1\r\nHost: a.test\r\nUpgrade: WebSocket\r\n\r\n", "", "HTTP.WebSocket", "a.test", nil},
		{"soap", "POST /x HTTP/1.1\r\nHost: a.test\r\nSOAPAction: \"\"\r\n\r\n", "", "HTTP.SOAP", "a.test", nil},
		{"ocsp", "POST / HTTP/1.1\r\nHost: ocsp.test\r\nContent-Type: application/ocsp-request\r\n\r\n", "", "HTTP.OCSP", "ocsp.test", nil},
		{"vsphere", "POST /sdk HTTP/1.1\r\nHost: vc.test\r\nSOAPAction: \"urn:vim25/8.0\"\r\n\r\n", "", "HTTP.VMware", "vc.test", nil},
		{"elasticsearch", "GET / HTTP/1.1\r\nHost: es:9200\r\n\r\n", "HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\n\r\n", "HTTP", "es", software("Elasticsearch")},
		{"influxdb", "POST /write?db=x HTTP/1.1\r\nHost: tsdb\r\n\r\n", "HTTP/1.1 204 No Content\r\nX-Influxdb-Version: 1.8.10\r\n\r\n", "HTTP", "tsdb", software("InfluxDB/1.8.10")},
		{"scrape", "GET /metrics HTTP/1.1\r\nHost: node:9100\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\r\n", "HTTP", "node", software("Prometheus exporter")},
		{"rtsp", "OPTIONS rtsp://a.test/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", "", "RTSP", "a.test", nil},
		{"sip", "OPTIONS sip:a@a.test SIP/2.0\r\n\r\n", "", "SIP", "a.test", nil},
		{"binary", "GET \x00\x01 HTTP/1.1\r\n\r\n", "", "", "", nil},
		{"no method", "GOT / HTTP/1.1\r\nHost: a.test\r\n\r\n", "", "", "", nil},
		{"version", "HTTP/1.2 200 OK\r\n\r\n", "", "", "", nil},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", "", "HTTP", "a.test", nil},
		{"host in the body", "POST / HTTP/1.1\r\n\r\nHost: a.test\r\n\r\n", "", "HTTP", "", nil},
		{"software of no use", "", "HTTP/1.1 200 OK\r\nServer: a\x01\xff\r\n\r\n", "HTTP", "", software("a??")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newTalk(flow.TCP, 80)
			if tc.ask != "" {
				k.ask([]byte(tc.ask))
			}
			if tc.answer != "" {
				k.answer([]byte(tc.answer))
			}
			if wantDone := tc.ask != "" && tc.answer != ""; k.done != wantDone {
				t.Errorf("done is %v", k.done)
			}
			want(t, k.verdict(), tc.app, tc.info, tc.details)
		})
	}
}

func TestHTTP09(t *testing.T) {
	for _, tc := range []struct {
		port uint16
		line string
		app  string
	}{
		{80, "GET /bad.html\r\n", "HTTP"}, {80, "GET /\n", "HTTP"}, {4711, "GET /\r\n", ""},
		{80, "GET key\r\n", ""}, {80, "GET / x\r\n", ""}, {80, "POST /\r\n", ""},
	} {
		want(t, newTalk(flow.TCP, tc.port).ask([]byte(tc.line)).answer([]byte("<html>")).verdict(), tc.app, "", nil)
	}
}

// http2Frame returns a frame of HTTP/2.
func http2Frame(kind, flags uint8, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = append(b, flags, 0, 0, 0, 1)
	return append(b, payload...)
}

func http2Block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

func http2Request() []byte {
	block := http2Block(":method", "POST", ":scheme", "http", ":path", "/", ":authority", "Grpc.test:50051", "user-agent", "x")
	b := append([]byte(http2Preface), http2Frame(http2Settings, 0, make([]byte, 6))...)
	padded := append([]byte{3, 0, 0, 0, 0, 15}, block...)
	return append(b, http2Frame(http2Headers, 4|http2Padded|http2Priority, append(padded, 0, 0, 0))...)
}

func http2Response() []byte {
	return append(http2Frame(http2Settings, 0, nil), http2Frame(http2Headers, 4, http2Block(":status", "200", "server", "envoy"))...)
}

func TestHTTP2(t *testing.T) {
	b := http2Request()
	for cut := 1; cut < len(b); cut++ {
		k := newTalk(flow.TCP, 50051).ask(b[:cut]).ask(b[cut:]).answer(http2Response())
		if !k.done {
			t.Fatalf("cut at %d: still waits", cut)
		}
		want(t, k.verdict(), "HTTP", "grpc.test", &flow.Details{Software: "envoy"})
	}
	want(t, newTalk(flow.TCP, 80).ask(b[:20]).verdict(), "", "", nil)
	want(t, newTalk(flow.TCP, 80).ask(b[:30]).answer([]byte("HTTP/1.1 400 Bad Request\r\nServer: old\r\n\r\n")).verdict(), "HTTP", "", nil)
}

func FuzzHTTP(f *testing.F) {
	fuzz(f, flow.TCP, 80, []byte(request), []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n"), []byte("CONNECT a.test:443 HTTP/1.1\r\n\r\n"))
}

func FuzzHTTP2(f *testing.F) { fuzz(f, flow.TCP, 80, http2Request(), http2Response()) }
