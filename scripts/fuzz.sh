#!/usr/bin/env bash
# Runs every fuzz target of the module for a while: scripts/fuzz.sh 10s
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
grep -rn --include='*_test.go' -oE '^func Fuzz[A-Za-z0-9_]+' internal | while IFS=: read -r file _ func; do
	target=${func#func }
	echo "fuzz $(dirname "$file") $target"
	scripts/go.sh test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel 2 </dev/null | tail -2
done
