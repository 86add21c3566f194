#!/usr/bin/env bash
# Charts the capture that ships with the project, and says what to try next.
set -euo pipefail
cd "$(dirname "$0")/.."
capture=testdata/seed/seed.pcap
out=artifacts/demo
rm -rf "$out"
mkdir -p "$out"
p="bin/portolan --store $out/store"

echo "Reading $capture, the flows of a home lab:"
$p read "$capture"
echo
echo "Who talks most to whom:"
$p top -n 8 --hosts testdata/seed/hosts
echo
for format in drawio svg; do
	$p chart -q --hosts testdata/seed/hosts --title "Home lab" -o "$out/home.$format"
done
$p chart -q --hosts testdata/seed/hosts --title "Home lab" --format lucid -o "$out/home-lucid.csv"
cat <<END
The chart is on disk:
  $PWD/$out/home.drawio     open in draw.io: every box and line can be moved and edited
  $PWD/$out/home.svg        open in a browser
  $PWD/$out/home-lucid.csv  Lucidchart: File > Import Data > Process Diagram

Try next, with a capture of your own:
  sudo tcpdump -i any -s 256 -w my.pcap        # stop with Ctrl-C
  bin/portolan read my.pcap
  bin/portolan top
  bin/portolan chart -o my.drawio
END
