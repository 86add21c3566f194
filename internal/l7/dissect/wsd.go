package dissect

import "bytes"

const appWSD = 153

// recogniseWSD knows WS-Discovery by its namespaces in a message of SOAP: that
// of 2005, and that of OASIS.
func recogniseWSD(m *message) answer {
	b := m.data[:min(len(m.data), 2<<10)]
	if !bytes.Contains(b, []byte("Envelope")) {
		return no
	}
	if !bytes.Contains(b, []byte("schemas.xmlsoap.org/ws/2005/04/discovery")) &&
		!bytes.Contains(b, []byte("docs.oasis-open.org/ws-dd/ns/discovery")) {
		return no
	}
	return done
}
