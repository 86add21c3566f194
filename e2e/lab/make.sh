#!/usr/bin/env bash
# Brings the lab up, captures it, and writes testdata/lab anew: captures, the
# truth about them, names. Needs root, and the programs that net.sh names.
#
#   e2e/lab/make.sh [FOLDER]
set -euo pipefail
. "$(dirname "$0")/net.sh"
out=${1:-$LAB_HOME/../../testdata/lab}
snap=512
fields=(vlan.id ip.src ip.dst ip.proto ip.len ip.frag_offset ipv6.src ipv6.dst ipv6.nxt ipv6.plen ipv6.fraghdr.nxt
	ipv6.fraghdr.offset tcp.srcport tcp.dstport udp.srcport udp.dstport icmp.type icmpv6.type ipv6.hopopts.nxt)

for c in tcpdump tshark; do command -v "$c" >/dev/null || { echo "make.sh: not installed: $c" >&2; exit 1; }; done

# capture NAME SECONDS runs the traffic once, into $work/NAME.pcap.
capture() {
	local pid
	ip netns exec "$LAB-br" tcpdump -i "$TAP" -s $snap -B 16384 --time-stamp-precision=nano -Z root -w "$work/$1.pcap" 2>"$work/$1.log" &
	pid=$!
	wait_for tcpdump grep -q listening "$work/$1.log"
	lab_start
	SECONDS_OF_TRAFFIC=$2 lab_traffic
	sleep 1
	lab_stop
	sleep 2 # the kernel hands over what it holds
	kill -INT "$pid"
	wait "$pid" || true
	grep -q '^0 packets dropped' "$work/$1.log" || { echo "make.sh: tcpdump lost frames" >&2; cat "$work/$1.log" >&2; exit 1; }
}

# list NAME prints what truth reads of a capture's frames.
list() {
	tshark -n -r "$1" -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields -E occurrence=f "${fields[@]/#/-e}" 2>/dev/null
}

# seen_once NAME FILE checks that the frames of a file are those that the
# bridge's ports counted: as many, and the same sums for every conversation.
seen_once() {
	local frames counted
	counted=$(grep -o '"name": "frames"[^}]*' "$LAB_DIR/counts.json" | grep -o '"packets": [0-9]*' | grep -o '[0-9]*')
	list "$2" >"$work/$1.list"
	frames=$(wc -l <"$work/$1.list")
	[ "$frames" = "$counted" ] || { echo "make.sh: $1: $frames frames captured, $counted counted by nftables" >&2; exit 1; }
	"$LAB_DIR/truth" -lab "$LAB_DIR" -frames "$work/$1.list" >"$work/$1.tshark.tsv"
	diff "$work/$1.truth.tsv" <(sed -E 's/\t(10|20|30)(\t[^\t]*\t[^\t]*)$/\t0\2/' "$work/$1.tshark.tsv") ||
		{ echo "make.sh: $1: tshark and nftables disagree" >&2; exit 1; }
	echo "$1: $frames frames, each seen once; nftables and tshark agree on $(($(wc -l <"$work/$1.truth.tsv") - 1)) conversations"
}

lab_need # before the trap: what another lab needs must not go
[ ! -e "$LAB_DIR" ] || { echo "make.sh: $LAB_DIR exists: is a lab up? (net.sh down)" >&2; exit 1; }
work=$(mktemp -d)
cleanup() {
	set +e
	lab_down
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

lab_up
(cd "$LAB_HOME/../.." && scripts/go.sh build -o "$work/cut" ./e2e/lab/cut)

capture home 40
"$work/cut" -o "$work/home.pcapng" "$work/home.pcap"
"$work/cut" -from 20s -o "$work/mid.pcapng" "$work/home.pcap"
lab_truth "$work/home.truth.tsv"
seen_once home "$work/home.pcapng"
list "$work/mid.pcapng" >"$work/mid.list"
"$LAB_DIR/truth" -lab "$LAB_DIR" -frames "$work/mid.list" >"$work/mid.truth.tsv"

capture vlan 15
"$work/cut" -tag -o "$work/vlan.pcapng" "$work/vlan.pcap"
lab_truth "$work/vlan.truth.tsv"
seen_once vlan "$work/vlan.pcapng"
cp "$work/vlan.tshark.tsv" "$work/vlan.truth.tsv" # the same, with tags

mkdir -p "$out"
cp "$work"/{home,mid,vlan}.{pcapng,truth.tsv} "$out"
# Short names first: that is what people call their hosts.
awk '{print $1 "\t" ($3 == "" ? $2 : $3 " " $2)}' "$LAB_DIR/hosts" >"$out/hosts"
ls -l "$out"
