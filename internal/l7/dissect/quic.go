package dissect

// A quicState is what is remembered of a QUIC connection.
type quicState struct {
	crypto *pieces
}
