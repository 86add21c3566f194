package dissect

import (
	"bytes"
)

// Stages of an HTTP conversation.
const (
	httpAsked uint8 = 1 << iota
	httpAnswered
	httpTwo // HTTP/2 (see http2.go)
)

// maxRequestLine bounds what is waited for before a message is given up.
const maxRequestLine = 4 << 10

// httpMethods are the methods that are known, with their space: those of
// RFC 9110, WebDAV (RFC 4918, RFC 3253, RFC 5323), UPnP, and Microsoft's RPC
// over HTTP.
var httpMethods = [...]string{
	"GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ",
	"PROPFIND ", "PROPPATCH ", "MKCOL ", "COPY ", "MOVE ", "LOCK ", "UNLOCK ", "REPORT ", "SEARCH ",
	"SUBSCRIBE ", "UNSUBSCRIBE ", "NOTIFY ", "RPC_IN_DATA ", "RPC_OUT_DATA ", "RPC_CONNECT ", "PURGE ", "MERGE ",
}

// recogniseHTTP knows HTTP/1 (RFC 9112) by its first line, and learns from the
// headers of the first request and the first response.
func recogniseHTTP(m *message) answer {
	if m.at(httpTwo) {
		return http2Message(m)
	}
	if preface := http2Begins(m.data); preface != no && m.conv.stage == 0 {
		return startHTTP2(m, preface)
	}
	line, rest, whole := cutLine(m.data)
	kind := httpNo
	if whole || m.conv.owner == 0 {
		kind = httpLine(line)
	}
	if whole && kind == httpRequest && !bytes.Contains(line, []byte(" HTTP/1.")) {
		if m.conv.owner == 0 && m.usual && isHTTP09(line) {
			m.useAll()
			m.reach(httpAsked)
			return mine // the answer has no headers either
		}
		kind = httpNo // RTSP, SIP, or somebody's own
	}
	if kind == httpNo {
		if m.conv.owner == 0 {
			return no
		}
		m.useAll() // the body of a message, or what came of an upgrade
		return mine
	}
	if !whole {
		if m.full || len(line) > maxRequestLine {
			return no
		}
		return more
	}
	var h httpHeaders
	complete := h.parse(rest)
	if kind == httpResponse {
		m.httpResponse(&h)
	} else {
		m.httpRequest(line, &h)
	}
	if !complete && !m.full {
		return mine
	}
	m.useAll()
	if kind == httpResponse {
		m.reach(httpAnswered)
	} else {
		m.reach(httpAsked)
	}
	if m.at(httpAsked) && m.at(httpAnswered) {
		return done
	}
	return mine
}

type httpKind uint8

const (
	httpNo httpKind = iota
	httpRequest
	httpResponse
)

// httpLine says what a first line is, or may become if it is cut.
func httpLine(line []byte) httpKind {
	const version = "HTTP/1."
	n := min(len(line), len(version))
	if string(line[:n]) == version[:n] {
		if len(line) > 7 && line[7] != '0' && line[7] != '1' || len(line) > 8 && line[8] != ' ' {
			return httpNo
		}
		return httpResponse
	}
	for _, method := range httpMethods {
		n := min(len(line), len(method))
		if string(line[:n]) != method[:n] {
			continue
		}
		if !printable(line) {
			return httpNo
		}
		return httpRequest
	}
	return httpNo
}

// isHTTP09 reports whether a line is a request of HTTP/0.9: GET and a path,
// nothing else. That is little, so that it counts at usual ports alone.
func isHTTP09(line []byte) bool {
	path, ok := bytes.CutPrefix(line, []byte("GET /"))
	return ok && !bytes.ContainsAny(path, " \t")
}

// printable reports whether a line has no control characters.
func printable(line []byte) bool {
	for _, c := range line[:min(len(line), 64)] {
		if c < ' ' && c != '\t' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// cutLine cuts b after its first line. whole is false if the line does not end.
func cutLine(b []byte) (line, rest []byte, whole bool) {
	line, rest, whole = bytes.Cut(b, []byte{'\n'})
	if whole && len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, rest, whole
}

// httpHeaders are the headers that tell something. They borrow.
type httpHeaders struct {
	host, agent, server, contentType, upgrade, action, influx, product []byte
}

// parse reads headers as far as whole lines go. It reports whether it saw their
// end.
func (h *httpHeaders) parse(b []byte) bool {
	for {
		line, rest, whole := cutLine(b)
		if !whole {
			return false
		}
		if len(line) == 0 {
			return true
		}
		b = rest
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		if field := h.field(name); field != nil && *field == nil {
			*field = bytes.TrimSpace(value)
		}
	}
}

// field returns where a header's value goes, nil if it tells nothing.
func (h *httpHeaders) field(name []byte) *[]byte {
	switch len(name) {
	case 4:
		if isFold(name, "host") {
			return &h.host
		}
	case 6:
		if isFold(name, "server") {
			return &h.server
		}
	case 7:
		if isFold(name, "upgrade") {
			return &h.upgrade
		}
	case 10:
		if isFold(name, "user-agent") {
			return &h.agent
		}
		if isFold(name, "soapaction") {
			return &h.action
		}
	case 12:
		if isFold(name, "content-type") {
			return &h.contentType
		}
	case 17:
		if isFold(name, "x-elastic-product") {
			return &h.product
		}
	case 18:
		if isFold(name, "x-influxdb-version") {
			return &h.influx
		}
	}
	return nil
}

// isFold reports whether b is s, which is in lower case, but for the case.
func isFold(b []byte, s string) bool {
	return len(b) == len(s) && hasFold(b, s)
}

// hasFold reports whether b begins with s, which is in lower case, but for the
// case.
func hasFold(b []byte, s string) bool {
	if len(b) < len(s) {
		return false
	}
	for i := range len(s) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// httpRequest learns from a request: what it is for, and who is asked.
func (m *message) httpRequest(line []byte, h *httpHeaders) {
	method, target, _ := bytes.Cut(line, []byte{' '})
	if i := bytes.IndexByte(target, ' '); i >= 0 {
		target = target[:i]
	}
	host := h.host
	switch {
	case string(method) == "CONNECT":
		m.master(appHTTPConnect)
		host = target
	case hasFold(target, "http://"):
		if !m.isPort(80) { // at port 80 it is a client that writes so to any server
			m.master(appHTTPProxy)
		}
		if len(host) == 0 {
			host, _, _ = bytes.Cut(target[7:], []byte{'/'})
		}
	}
	path, _, _ := bytes.Cut(target, []byte{'?'})
	switch {
	case isFold(h.contentType, "application/ocsp-request"):
		m.app(appOCSP)
	case isFold(h.upgrade, "websocket"):
		m.app(appWebSocket)
	case bytes.HasPrefix(h.agent, []byte("VMware")), string(path) == "/sdk" && bytes.Contains(h.action, []byte("urn:vim25")):
		m.app(appVMware)
	}
	m.host(host)
	if h.action != nil || hasFold(h.contentType, "application/soap+xml") {
		m.app(appSOAP)
	}
}

// httpResponse learns from a response what the server is.
func (m *message) httpResponse(h *httpHeaders) {
	switch {
	case len(h.influx) > 0:
		m.software(append([]byte("InfluxDB/"), h.influx...))
	case len(h.product) > 0:
		m.software(h.product)
	case len(h.server) > 0:
		m.software(h.server)
	case hasFold(h.contentType, "text/plain; version=0.0.4"), hasFold(h.contentType, "application/openmetrics-text"):
		m.software([]byte("Prometheus exporter"))
	}
}
