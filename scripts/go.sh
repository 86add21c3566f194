#!/usr/bin/env bash
# Runs the go command of the version that go.mod names: the one in the PATH
# when it is recent enough to switch by itself, else the toolchain module that
# "go.sh fetch" brought into the module cache with an old go.
set -euo pipefail
version=1.26.8
PATH="$PATH:/usr/local/go/bin"

recent() {
	local v
	v=$(go env GOVERSION 2>/dev/null) || return 1
	v=${v#go1.}
	[ "${v%%[!0-9]*}" -ge 21 ]
}
if command -v go >/dev/null 2>&1 && recent; then
	exec go "$@"
fi
module=golang.org/toolchain@v0.0.1-go$version.linux-$(dpkg --print-architecture 2>/dev/null || echo amd64)
cache=$(go env GOMODCACHE 2>/dev/null || echo "$HOME/go/pkg/mod")
if [ "${1:-}" = fetch ]; then
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	(cd "$dir" && go mod init fetch >/dev/null 2>&1 && GOFLAGS=-mod=mod GONOSUMDB=golang.org/toolchain go mod download "$module")
	chmod -R +x "$cache/$module/bin" "$cache/$module/pkg/tool"
	exit
fi
exec "$cache/$module/bin/go" "$@"
