package l7

import (
	"slices"
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

func TestServicesAreSorted(t *testing.T) {
	if !slices.IsSortedFunc(services, func(a, b service) int { return int(a.port) - int(b.port) }) {
		t.Error("services are not sorted by port")
	}
}

func TestNames(t *testing.T) {
	if got := ServiceName(flow.TCP, 8086); got != "influxdb" {
		t.Errorf("8086 = %q", got)
	}
	if got := ServiceName(flow.ICMP, 443); got != "" {
		t.Errorf("a protocol without ports has service %q", got)
	}
	if Registered(flow.TCP, 51554) {
		t.Error("51554 is registered")
	}
	for _, c := range []struct {
		app  flow.App
		want string
	}{
		{flow.App{}, ""}, {flow.App{Master: 91}, "TLS"}, {flow.App{Master: 91, App: 126}, "TLS.Google"},
		{flow.App{App: 5}, "DNS"}, {flow.App{Master: 60000}, ""},
	} {
		if got := AppName(c.app); got != c.want {
			t.Errorf("AppName(%v) = %q, want %q", c.app, got, c.want)
		}
	}
	if got := AppIDs("tls"); !slices.Equal(got, []uint16{91}) {
		t.Errorf("AppIDs(tls) = %v", got)
	}
	if got := GuessApp(flow.TCP, 3306); AppName(got) != "MySQL" || !got.Guess {
		t.Errorf("3306 = %v", got)
	}
	for _, s := range services {
		if s.app != 0 && appName(s.app) == "" {
			t.Errorf("port %d has application %d, which has no name", s.port, s.app)
		}
	}
}
