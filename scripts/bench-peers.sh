#!/usr/bin/env bash
# Measures "portolan read" beside nfpcapd and softflowd on the same files, in
# turns, and prints CPU seconds (user and system of the whole process), packets
# per CPU second and peak memory: the median of ROUNDS.
#
#   scripts/bench-peers.sh [FILE.pcap ...]     default: files made by e2e/genpcap
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

files=("$@")
if [ ${#files[@]} = 0 ]; then
	scripts/go.sh build -o "$work/genpcap" ./e2e/genpcap
	for flows in 1000 100000 1000000; do
		"$work/genpcap" -o "$work/$flows-flows.pcap" -flows $flows -packets "${PACKETS:-4880000}"
		files+=("$work/$flows-flows.pcap")
	done
fi

run() { # run NAME COMMAND...: one line "cpu-seconds peak-MB" to $work/NAME
	local name=$1
	shift
	/usr/bin/time -f '%U %S %M' -o "$work/time" timeout 300 "$@" >"$work/out" 2>&1 || { echo "bench-peers: $name: $(tail -1 "$work/out")" >&2; return 0; }
	tail -1 "$work/time" | awk '{printf "%.2f %.0f\n", $1 + $2, $3 / 1024}' >>"$work/$name.times"
}
median() { sort -n -k1 "$1" | awk '{a[NR] = $0} END {print a[int((NR + 1) / 2)]}'; }

printf '%-28s %-14s %9s %14s %8s\n' file tool 'cpu s' 'packets/cpu s' 'peak MB'
for file in "${files[@]}"; do
	packets=$(bin/portolan read --store "$work/count" --json "$file" | sed -n 's/.*"frames":\([0-9]*\).*/\1/p' | head -1)
	rm -rf "$work/count" "$work"/*.times
	for _ in $(seq "$rounds"); do
		rm -rf "$work/store" "$work/nf"
		run portolan bin/portolan read -q --identify=false --store "$work/store" "$file"
		rm -rf "$work/store"
		run portolan+apps bin/portolan read -q --store "$work/store" "$file"
		mkdir -p "$work/nf"
		PATH="$PATH:/usr/sbin" run nfpcapd nfpcapd -r "$file" -w "$work/nf" -B 4000000
		# With a control socket softflowd waits for a client after the file's end.
		PATH="$PATH:/usr/sbin" run softflowd softflowd -r "$file" -m 2000000 -c none -p "$work/pid"
	done
	for tool in portolan portolan+apps nfpcapd softflowd; do
		[ -s "$work/$tool.times" ] || continue
		read -r cpu mem < <(median "$work/$tool.times")
		printf '%-28s %-14s %9s %14.0f %8s\n' "$(basename "$file")" "$tool" "$cpu" "$(awk "BEGIN {print $packets / $cpu}")" "$mem"
	done
done
