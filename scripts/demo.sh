#!/usr/bin/env bash
# Charts the capture that ships with the project; then captures on the default
# interface, if it may, until Ctrl-C (for ten seconds without a terminal).
set -euo pipefail
cd "$(dirname "$0")/.."
capture=testdata/lab/home.pcapng
hosts=testdata/lab/hosts
out=artifacts/demo
rm -rf "$out"
mkdir -p "$out"
p="bin/portolan --store $out/store"

echo "Reading $capture, some traffic of a small lab:"
$p read "$capture"
echo
echo "Who talks most to whom:"
$p top -n 8 --hosts $hosts
echo
for format in drawio svg; do
	$p chart -q --hosts $hosts --title "Home lab" -o "$out/home.$format"
done
$p chart -q --hosts $hosts --title "Home lab" --format lucid -o "$out/home-lucid.csv"
cat <<END
The chart is on disk:
  $PWD/$out/home.drawio     open in draw.io: every box and line can be moved and edited
  $PWD/$out/home.svg        open in a browser
  $PWD/$out/home-lucid.csv  Lucidchart: File > Import Data > Process Diagram

Try next:
  bin/portolan read my.pcap         a capture of your own
  bin/portolan top                  who talks most to whom
  bin/portolan chart -o my.drawio   an editable diagram
  bin/portolan --help               what else there is
END

echo
echo "Now live, on the interface of the default route:"
live=(bin/portolan run --store "$out/live")
if ! [ -t 1 ]; then
	live=(timeout --preserve-status -s INT 10 "${live[@]}" --listen off)
fi
if ! "${live[@]}"; then
	echo "No live capture here. With the right to capture, it is: bin/portolan run"
	exit 0
fi
$p --store "$out/live" chart -q --title "What this host said just now" -o "$out/live.svg"
echo "What came by is in $PWD/$out/live; a chart of it: $PWD/$out/live.svg"
