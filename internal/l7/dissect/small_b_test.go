package dissect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
)

const (
	stunID     = "\x21\x12\xa4\x42abcdefghijkl"
	stunAsk    = "\x00\x01\x00\x00" + stunID
	stunAnswer = "\x01\x01\x00\x0c" + stunID + "\x80\x22\x00\x08Coturn-4"
	stunOld    = "\x00\x01\x00\x08" + "0123456789abcdef" + "\x00\x03\x00\x04\x00\x00\x00\x00"
	sipInvite  = "INVITE sip:bob@Biloxi.example.com;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP pc33\r\n\r\n"
	sipTrying  = "SIP/2.0 100 Trying\r\nServer: proxy\r\n\r\n"
	sipOK      = "SIP/2.0 200 OK\r\nServer: Asterisk PBX 18\r\n\r\n"
	rtspAsk    = "DESCRIBE rtsp://cam.example.org:554/live RTSP/1.0\r\nCSeq: 2\r\n\r\n"
	rtspOK     = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nServer: GStreamer RTSP server\r\n\r\n"
	// rtcpReport is a sender's report and its description.
	rtcpReport = "\x80\xc8\x00\x06SRC1abcdefghijklmnopqrst" + "\x81\xca\x00\x03SRC1\x01\x05a@b.c\x00"
)

// rtp is a packet of G.711 without its sound.
func rtp(seq byte) string { return "\x80\x00\x00" + string([]byte{seq}) + "TTTTSRC1sound" }

// A small is a conversation, and what is to be known of it.
type small struct {
	name      string
	proto     flow.Proto
	port      uint16
	said      []string // by the client, the server, ...; "" = nothing
	app, info string
	software  string
	portOnly  bool // known at its own port only
}

func TestSmallProtocolsB(t *testing.T) {
	for _, tc := range []small{
		{"STUN", flow.UDP, 3478, []string{stunAsk, stunAnswer}, "STUN", "", "Coturn-4", false},
		{"STUN over TCP", flow.TCP, 3478, []string{stunAsk, stunAnswer}, "STUN", "", "Coturn-4", false},
		{"STUN of old", flow.UDP, 3478, []string{stunOld}, "STUN", "", "", true},
		{"SIP", flow.UDP, 5060, []string{sipInvite, sipTrying, "", sipOK}, "SIP", "biloxi.example.com", "Asterisk PBX 18", false},
		{"SIP over TCP", flow.TCP, 5060, []string{sipInvite[:20], "", sipInvite[20:], sipOK}, "SIP", "biloxi.example.com", "Asterisk PBX 18", false},
		{"RTSP", flow.TCP, 554, []string{rtspAsk, rtspOK}, "RTSP", "cam.example.org", "GStreamer RTSP server", false},
		{"RTCP", flow.UDP, 5005, []string{rtcpReport}, "RTCP", "", "", false},
		{"RTP", flow.UDP, 5004, []string{rtp(1), rtp(100), rtp(2), rtp(101), rtp(3), "", rtp(5)}, "RTP", "", "", false},
	} {
		for _, port := range []uint16{tc.port, 4711} {
			k := newTalk(tc.proto, port)
			for i, s := range tc.said {
				if s != "" {
					k.say(i&1, 0, []byte(s))
				}
			}
			v := k.verdict()
			t.Run(fmt.Sprint(tc.name, " at ", port), func(t *testing.T) {
				if port != tc.port && tc.portOnly {
					if l7.AppName(v.App) != "" {
						t.Errorf("said %s", l7.AppName(v.App))
					}
					return
				}
				var details *flow.Details
				if tc.software != "" {
					details = &flow.Details{Software: tc.software}
				}
				want(t, v, tc.app, tc.info, details)
			})
		}
	}
}

// What begins alike, and is something else, is not known.
func TestNotQuiteSmallProtocolsB(t *testing.T) {
	for _, tc := range []struct {
		name  string
		proto flow.Proto
		port  uint16
		said  []string // all by one side
	}{
		{"STUN of another length", flow.UDP, 3478, []string{"\x00\x01\x00\x04" + stunID}},
		{"STUN without cookie, attributes cut", flow.UDP, 3478, []string{stunOld[:len(stunOld)-1]}},
		{"a method that SIP has not", flow.UDP, 5060, []string{"GREET sip:bob@example.com SIP/2.0\r\n\r\n"}},
		{"SIP 3", flow.UDP, 5060, []string{"INVITE sip:bob@example.com SIP/3.0\r\n\r\n"}},
		{"RTSP 3", flow.TCP, 554, []string{"PLAY rtsp://example.com/ RTSP/3.0\r\n\r\n"}},
		{"a report alone", flow.UDP, 5005, []string{rtcpReport[:28]}},
		{"a report of two sources", flow.UDP, 5005, []string{strings.Replace(rtcpReport, "\x81\xca\x00\x03SRC1", "\x81\xca\x00\x03SRC2", 1)}},
		{"three packets of RTP", flow.UDP, 5004, []string{rtp(1), rtp(2), rtp(3)}},
		{"RTP that stands still", flow.UDP, 5004, []string{rtp(1), rtp(1), rtp(1), rtp(1), rtp(1)}},
		{"RTP that jumps", flow.UDP, 5004, []string{rtp(1), rtp(2), rtp(3), rtp(90), rtp(91)}},
	} {
		k := newTalk(tc.proto, tc.port)
		for _, s := range tc.said {
			k.say(0, 0, []byte(s))
		}
		if v := k.verdict(); l7.AppName(v.App) != "" {
			t.Errorf("%s is %s", tc.name, l7.AppName(v.App))
		}
	}
}

func TestNumbersOfSmallProtocolsB(t *testing.T) {
	for id, name := range map[uint16]string{
		appSTUN: "STUN", appSIP: "SIP", appRTP: "RTP", appRTCP: "RTCP", appRTSP: "RTSP",
	} {
		if got := l7.AppName(flow.App{Master: id}); got != name {
			t.Errorf("%d is %s, not %s", id, got, name)
		}
	}
}

func FuzzSTUN(f *testing.F) { fuzzRecogniser(f, appSTUN, stunAsk, stunAnswer, stunOld) }
func FuzzSIP(f *testing.F)  { fuzzRecogniser(f, appSIP, sipInvite, sipTrying, sipOK) }
func FuzzRTSP(f *testing.F) { fuzzRecogniser(f, appRTSP, rtspAsk, rtspOK) }
func FuzzRTCP(f *testing.F) { fuzzRecogniser(f, appRTCP, rtcpReport) }
func FuzzRTP(f *testing.F)  { fuzzRecogniser(f, appRTP, rtp(1)) }
