package dissect

const appRsync = 166

// recogniseRsync knows rsync's daemon by the line that both sides begin with.
func recogniseRsync(m *message) answer {
	const magic = "@RSYNCD: "
	n := min(len(m.data), len(magic))
	switch {
	case string(m.data[:n]) != magic[:n]:
		return no
	case len(m.data) <= n:
		return more
	case m.data[n] < '0' || m.data[n] > '9':
		return no
	}
	return done
}
