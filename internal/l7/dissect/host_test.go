package dissect

import (
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
)

func TestAppOfHost(t *testing.T) {
	for host, app := range map[string]string{
		"www.google.com": "Google", "mail.google.com": "GMail", "r3---sn-4g5e6nez.googlevideo.com": "YouTube", "upload.youtube.com": "YouTubeUpload",
		"scontent.fbcdn.net": "Facebook", "api.github.com": "Github", "mmg.whatsapp.net": "WhatsApp", "login.microsoftonline.com": "Microsoft",
		"s3.eu-west-1.amazonaws.com": "AmazonAWS", "teams.microsoft.com": "Teams", "courier.push.apple.com": "ApplePush",
		"notgoogle.com": "", "google.com.evil.test": "", "com": "", "": "", ".": "", "example.org": "",
	} {
		if got := l7.AppName(flow.App{Master: appOfHost([]byte(host))}); got != app {
			t.Errorf("%s is %q, not %q", host, got, app)
		}
	}
}

func TestBrands(t *testing.T) {
	seen := map[string]bool{}
	last := uint16(0)
	for _, b := range brands {
		if b.app <= last || l7.AppName(flow.App{Master: b.app}) == "" {
			t.Errorf("%d has no name, or stands after %d", b.app, last)
		}
		last = b.app
		for _, d := range b.domains {
			if seen[d] || string(appendHost(nil, []byte(d))) != d {
				t.Errorf("%s stands twice, or is not written as hosts are", d)
			}
			seen[d] = true
		}
	}
}
