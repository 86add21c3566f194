//go:build conformance

package conformance

// A place is a class of difference in a file.
type place struct{ file, class string }

// A known is a difference that has a reason.
type known struct {
	reason string
	frames int
}

// differences lists what is known, by reason; docs/conformance.md explains the
// reasons. The counts are of tshark 4.0.17.
var differences = map[string]map[place]int{
	"a tunnel that we do not open: the carrying packet counts": {
		{"pcaps-ndpi/capwap.pcap", "tshark looks deeper"}:                                                    11,
		{"pcaps-ndpi/capwap_data.pcapng", "tshark looks deeper"}:                                             14,
		{"pcaps/libpcap__tests__filter__AH-IPcomp-IPv6.pcap", "tshark looks deeper"}:                         7,
		{"pcaps/tcpdump__tests__ipv6-srh-ipproto-ether.pcap", "tshark looks deeper"}:                         1,
		{"pcaps/tcpdump__tests__nhrp-trace.pcap", "tshark looks deeper"}:                                     1,
		{"pcaps/tcpdump__tests__nsh-over-vxlan-gpe.pcap", "tshark looks deeper"}:                             1,
		{"pcaps/tcpdump__tests__pim-packet-assortment.pcap", "tshark looks deeper"}:                          47,
		{"pcaps/zeek__testing__btest__Traces__tunnels__ayiya-large-identity.pcap", "tshark looks deeper"}:    1,
		{"pcaps/zeek__testing__btest__Traces__tunnels__gre-aruba.pcap", "tshark looks deeper"}:               2407,
		{"pcaps/zeek__testing__btest__Traces__tunnels__gtp__gtp_control_prime.pcap", "tshark looks deeper"}:  2,
		{"pcaps/zeek__testing__btest__Traces__tunnels__gtp__pdp_ctx_messages.pcapng", "tshark looks deeper"}: 2,
	},
	"a report that quotes packets (sFlow, OpenFlow): the report counts, quoted packets are not traffic": {
		{"pcaps-ndpi/sflow.pcap", "tshark looks deeper"}:                                    1,
		{"pcaps/suricata-verify__tests__filestore-5408__input.pcap", "tshark looks deeper"}: 2,
		{"pcaps/tcpdump__tests__of13_ericsson.pcapng", "tshark looks deeper"}:               3,
		{"pcaps/tcpdump__tests__sflow_expanded.pcap", "tshark looks deeper"}:                1,
	},
	"a transport header that cannot be: undecoded, counted with its reason": {
		{"pcaps-ndpi/fuzz-2006-09-29-28586.pcap", "only tshark sees IP, we say: bad transport header"}:                                                                      2,
		{"pcaps-ndpi/ip_fragmented_garbage.pcap", "only tshark sees IP, we say: bad transport header"}:                                                                      2,
		{"pcaps-ndpi/kerberos_fuzz.pcapng", "only tshark sees IP, we say: bad transport header"}:                                                                            1,
		{"pcaps-ndpi/reasm_crash_anon.pcapng", "only tshark sees IP, we say: bad transport header"}:                                                                         1,
		{"pcaps/gopacket__layers__testdata__linux_sll_oversized_addr.pcapng", "only tshark sees IP, we say: bad transport header"}:                                          1,
		{"pcaps/suricata-verify__tests__bug-76__input.pcap", "only tshark sees IP, we say: bad transport header"}:                                                           1,
		{"pcaps/suricata-verify__tests__decode-too-small__test.pcap", "only tshark sees IP, we say: bad transport header"}:                                                  2,
		{"pcaps/suricata-verify__tests__decode-too-small__test.pcap", "only tshark sees IP, we say: bad transport header, malformed to tshark"}:                             2,
		{"pcaps/suricata-verify__tests__drop-protocol-change__input.pcap", "only tshark sees IP, we say: bad transport header"}:                                             1,
		{"pcaps/suricata-verify__tests__ipv6-evasion__ipv6-malformed-fragments-26__frag-26.pcap", "only tshark sees IP, we say: bad transport header, malformed to tshark"}: 1,
		{"pcaps/suricata-verify__tests__ipv6-evasion__ipv6-malformed-fragments-27__frag-27.pcap", "only tshark sees IP, we say: bad transport header"}:                      1,
		{"pcaps/suricata-verify__tests__ipv6-evasion__ipv6-malformed-fragments-28__frag-28.pcap", "only tshark sees IP, we say: bad transport header"}:                      1,
		{"pcaps/suricata-verify__tests__mac-eve-packet__test.pcap", "only tshark sees IP, we say: bad transport header"}:                                                    2,
		{"pcaps/zeek__testing__btest__Traces__ipv6-mobility-dst-opts.pcap", "only tshark sees IP, we say: bad transport header"}:                                            1,
	},
	"ends before the ports or within extension headers: undecoded, counted with its reason": {
		{"pcaps/goProbe__pkg__e2etest__testdata__truncated.pcap.gz", "only tshark sees IP, we say: cut in the transport header, malformed to tshark"}: 3,
		{"pcaps/tcpdump__tests__ip6_frag_asan.pcap", "only tshark sees IP, we say: cut in the transport header"}:                                      1,
		{"pcaps/tcpdump__tests__ip_ts_opts_asan.pcap", "only tshark sees IP, we say: cut in the transport header"}:                                    1,
		{"pcaps/tcpdump__tests__ipv6-next-header-oobr-1.pcap", "only tshark sees IP, we say: cut in the transport header"}:                            1,
		{"pcaps/tcpdump__tests__ipv6-rthdr-oobr.pcap", "only tshark sees IP, we say: cut in the transport header"}:                                    1,
		{"pcaps/tcpdump__tests__ipv6hdr-heapoverflow.pcap", "only tshark sees IP, we say: cut in the transport header"}:                               1,
		{"pcaps/zeek__testing__btest__Traces__trunc__ip6-ext-trunc.pcap", "only tshark sees IP, we say: cut in the transport header"}:                 1,
	},
	"tshark lists custom blocks as frames": {
		{"pcaps/gopacket__pcapgo__tests__be__test018.pcapng", "conversation"}:                   2,
		{"pcaps/gopacket__pcapgo__tests__be__test018.pcapng", "frames in the file"}:             4,
		{"pcaps/gopacket__pcapgo__tests__be__test018.pcapng", "only we see IP"}:                 2,
		{"pcaps/pcapng-test-generator__output_be__basic__test018.pcapng", "conversation"}:       2,
		{"pcaps/pcapng-test-generator__output_be__basic__test018.pcapng", "frames in the file"}: 4,
		{"pcaps/pcapng-test-generator__output_be__basic__test018.pcapng", "only we see IP"}:     2,
		{"pcaps/pcapng-test-generator__output_le__basic__test018.pcapng", "conversation"}:       2,
		{"pcaps/pcapng-test-generator__output_le__basic__test018.pcapng", "frames in the file"}: 4,
		{"pcaps/pcapng-test-generator__output_le__basic__test018.pcapng", "only we see IP"}:     2,
	},
	"source route: tshark takes the end of the route for the destination, we take the address in the header": {
		{"pcaps/suricata-verify__tests__detect-ipopts__input.pcap", "conversation"}: 2,
	},
	"tshark stops at a damaged or unusual header that does not hide the ports": {
		{"pcaps/suricata-verify__tests__bug-7414-decoder-event-01__ip_secopt.pcap", "conversation"}:           1,
		{"pcaps/suricata-verify__tests__sctp-pkt-too-small__input.pcap", "conversation, malformed to tshark"}: 1,
		{"pcaps/zeek__testing__btest__Traces__cisco-fabric-path.pcap", "conversation, malformed to tshark"}:   16,
		{"pcaps/zeek__testing__btest__Traces__cisco-fabric-path.pcap", "only we see IP, malformed to tshark"}: 8,
		{"pcaps/zeek__testing__btest__Traces__ipv6-mobility-dst-opts.pcap", "conversation"}:                   1,
	},
	"IPv6 length 0 (jumbogram, segmentation offload): we take the length on the wire, tshark none": {
		{"pcaps/tcpdump__tests__bigtcp-ipv6-hbh.pcap", "bytes"}:                   1,
		{"pcaps/tcpdump__tests__icmpv6-length-zero.pcapng", "bytes"}:              1,
		{"pcaps/tcpdump__tests__ipv6-too-long-jumbo.pcap", "bytes"}:               1,
		{"pcaps/tcpdump__tests__ipv6_frag6_negative_len.pcap", "bytes"}:           1,
		{"pcaps/tcpdump__tests__ipv6_missing_jumbo_payload_option.pcap", "bytes"}: 1,
		{"pcaps/tcpdump__tests__quic_32_bit_pointer_overflow.pcap", "bytes"}:      1,
		{"pcaps/zeek__testing__btest__Traces__cisco-fabric-path.pcap", "bytes"}:   8,
	},
	"carried packet longer than its carrier (fragments, offload): we count what this carrier has": {
		{"pcaps/zeek__testing__btest__Traces__erspan.pcap", "bytes"}:                                                              16,
		{"pcaps/zeek__testing__btest__Traces__tunnels__gtp__gtp2_different_udp_port.pcap", "bytes"}:                               42,
		{"pcaps/zeek__testing__btest__Traces__tunnels__gtp__gtp9_unknown_or_too_short_payload.pcap", "bytes"}:                     8,
		{"pcaps/zeek__testing__btest__Traces__tunnels__gtp__gtp_ext_header.pcap", "bytes"}:                                        1,
		{"pcaps/zeek__testing__btest__Traces__tunnels__mpls-6in6-6in6-4in6-invalid-version-4.pcap", "bytes, malformed to tshark"}: 1,
	},
	"a VLAN tag inside a tunnel, before something that is not IP: we report the outer packet's": {
		{"pcaps/tcpdump__tests__erspan-type-i-3.pcap", "VLAN"}:  1,
		{"pcaps/tcpdump__tests__erspan-type-ii-3.pcap", "VLAN"}: 38,
	},
	"Arista's time-stamp tag: not IP to us": {
		{"pcaps/tcpdump__tests__arista_ether.pcap", "only tshark sees IP, we say: not IP"}: 12,
	},
	"length 0 of a carrier (offload): we look inside, tshark does not": {
		{"pcaps/tcpdump__tests__bigtcp-ipv4-geneve-ipv4.pcap", "conversation"}:                      1,
		{"pcaps/tcpdump__tests__bigtcp-ipv4-geneve-ipv6.pcap", "conversation"}:                      1,
		{"pcaps/tcpdump__tests__bigtcp-ipv4-vxlan-ipv4.pcap", "conversation"}:                       1,
		{"pcaps/tcpdump__tests__bigtcp-ipv4-vxlan-ipv6.pcap", "conversation"}:                       1,
		{"pcaps/tcpdump__tests__bigtcp-ipv6-geneve-ipv4.pcap", "conversation, malformed to tshark"}: 1,
		{"pcaps/tcpdump__tests__bigtcp-ipv6-vxlan-ipv4.pcap", "conversation, malformed to tshark"}:  1,
		{"pcaps/tcpdump__tests__bigtcp-ipv6-vxlan-ipv6.pcap", "conversation, malformed to tshark"}:  1,
	},
}

// knownDifferences returns the differences by place.
func knownDifferences() map[place]known {
	all := map[place]known{}
	for reason, places := range differences {
		for p, n := range places {
			all[p] = known{reason, n}
		}
	}
	return all
}
