package dissect

// appOfHost returns the application that a host's name stands for, by the
// longest suffix of whole labels that is known; 0 = none.
func appOfHost(host []byte) uint16 {
	for {
		if id, ok := appsOfHosts[string(host)]; ok {
			return id
		}
		i := 0
		for i < len(host) && host[i] != '.' {
			i++
		}
		if i == len(host) {
			return 0
		}
		host = host[i+1:]
	}
}

// appsOfHosts holds domains that everybody knows, and what nDPI calls what is
// there. The list is our own.
var appsOfHosts = map[string]uint16{}
