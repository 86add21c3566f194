#!/usr/bin/env bash
# Installs what a step needs on Debian 12 or a relative of it, and nothing
# that is there already.
#
#   scripts/setup.sh build    Go and a C compiler (for DuckDB and nDPI)
#   scripts/setup.sh deps     what is built in where it is there
#   scripts/setup.sh test     the first, and what the tests drive
#   scripts/setup.sh bench    the above, and the peers that we measure beside
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(make gcc g++ libc6-dev git ca-certificates)
case "${1:-build}" in
build) ;;
deps) packages+=(libndpi-dev pkg-config libpcap0.8) ;;
test) packages+=(graphviz tshark tcpdump iproute2 mariadb-server nodejs npm libndpi-dev libndpi-bin pkg-config libpcap0.8) ;;
e2e) packages+=(iproute2 tcpdump tshark librsvg2-bin chromium nodejs npm libndpi-dev pkg-config libpcap0.8
	nftables ethtool nginx-light mariadb-server redis-server dnsmasq-base bind9-dnsutils chrony openssh-server
	openssh-client opensmtpd rsync curl socat iputils-ping openssl procps) ;;
bench) packages+=(iproute2 tcpdump tshark nfdump softflowd time) ;;
*) echo "setup.sh: unknown step $1 (have: build, deps, test, e2e, bench)" >&2; exit 2 ;;
esac

# A command that is there counts, whatever package it came from.
declare -A command_of=([nodejs]=node [ca-certificates]= [libc6-dev]= [iproute2]=ip [librsvg2-bin]=rsvg-convert [nfdump]=nfpcapd [graphviz]=dot [mariadb-server]=mariadbd [libndpi-dev]= [libndpi-bin]=ndpiReader [libpcap0.8]= [nftables]=nft [nginx-light]=nginx [dnsmasq-base]=dnsmasq [bind9-dnsutils]=dig [chrony]=chronyd [openssh-server]=sshd [openssh-client]=ssh [opensmtpd]=smtpd [iputils-ping]=ping [procps]=sysctl)
missing=()
for p in "${packages[@]}"; do
	c=${command_of[$p]-$p}
	if [ -n "$c" ]; then
		PATH="$PATH:/usr/sbin:/sbin" command -v "$c" >/dev/null 2>&1 || missing+=("$p")
	else
		dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p")
	fi
done

as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null && as_root=(sudo)
fi
install() {
	command -v apt-get >/dev/null || { echo "setup.sh: please install: $*" >&2; exit 1; }
	if [ "$(id -u)" != 0 ] && [ ${#as_root[@]} = 0 ]; then
		echo "setup.sh: please install as root: apt-get install $*" >&2
		exit 1
	fi
	echo "setup.sh: installing $*" >&2
	"${as_root[@]}" apt-get -o DPkg::Lock::Timeout=600 update -qq
	echo 'wireshark-common wireshark-common/install-setuid boolean false' | "${as_root[@]}" debconf-set-selections 2>/dev/null || true
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "$@" >/dev/null
}
[ ${#missing[@]} = 0 ] || install "${missing[@]}"

# Go of go.mod's version: the one in the PATH if it is new enough to fetch it
# (1.21), else Debian's, used once to fetch the toolchain as a module.
if ! scripts/go.sh version >/dev/null 2>&1; then
	command -v go >/dev/null 2>&1 || install golang-go
	scripts/go.sh fetch
fi
scripts/go.sh version >&2
