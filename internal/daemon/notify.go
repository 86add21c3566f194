package daemon

import (
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"
)

// notify tells systemd how we are (sd_notify(3)), if it wants to know, and
// returns how often it wants to hear WATCHDOG=1; 0 = never.
func notify(log *slog.Logger, state string) (watchdog time.Duration) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return 0
	}
	if path[0] == '@' { // an abstract socket
		path = "\x00" + path[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err == nil {
		_, err = c.Write([]byte(state))
		c.Close() //nolint:errcheck // a datagram is sent or not
	}
	if err != nil {
		log.Warn("cannot tell systemd", "state", state, "err", err)
	}
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 3
}
