#!/usr/bin/env bash
# The lab: a small company's network in network namespaces, with real programs
# that talk to each other. It can be run step by step, or sourced.
#
#   net.sh up        make hosts, bridge and Internet, start the servers
#   net.sh start     begin to count and to mirror, all at once
#   net.sh traffic   let everybody work for SECONDS_OF_TRAFFIC (default 40, at least 20)
#   net.sh stop      end counting and mirroring, all at once
#   net.sh truth F   write what was true about the traffic to file F
#   net.sh down      end what up started, and remove it
#
# Every frame on the bridge comes out of the interface $TAP in the namespace
# $LAB-br exactly once between start and stop, whoever listens there:
#
#   ip netns exec ptl-br tcpdump -i mirror0
#
# LAB is the prefix of all names of namespaces (ptl, ptl2), so that labs can live side
# by side; LAB_DIR is where configurations, logs and counts go.
# OFFLOAD=on leaves segmentation to the (virtual) network cards.
LAB=${LAB:-ptl}
LAB_DIR=${LAB_DIR:-/tmp/$LAB-lab}
SECONDS_OF_TRAFFIC=${SECONDS_OF_TRAFFIC:-40}
OFFLOAD=${OFFLOAD:-off}
TAP=mirror0
LAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

# Host and last octet: 192.168.1.N and fd00:1::N.
LAB_HOSTS=(router:1 proxy:10 web1:20 web2:21 mail:25 app:30 db:40 cache:50 dns:53
	backup:60 monitor:70 admin:90 pc-ann:101 pc-ben:102 pc-cleo:103)
# What lives behind the router. The 93.184.216.0/24 and 2606:2800:220:1::/64
# of the lab are public by their number alone: nothing leaves the namespaces.
INTERNET=(93.184.216.34 93.184.216.53 93.184.216.99 203.0.113.80 198.51.100.7 198.51.100.25
	2606:2800:220:1::34 2606:2800:220:1::99)
SILENT=198.51.100.99 # drops everything

lab_need() {
	[ "$(id -u)" = 0 ] || { echo "lab: must be root" >&2; return 1; }
	local c missing=()
	for c in ip nft ethtool ss nginx mariadbd mariadb mariadb-install-db redis-server redis-cli dnsmasq \
		dig chronyd sshd ssh scp smtpd rsync curl socat ping openssl; do
		command -v "$c" >/dev/null || missing+=("$c")
	done
	[ ${#missing[@]} = 0 ] || {
		echo "lab: not installed: ${missing[*]}" >&2
		echo "hint: apt-get install iproute2 nftables ethtool nginx-light mariadb-server redis-server dnsmasq bind9-dnsutils" \
			"chrony openssh-server opensmtpd rsync curl socat iputils-ping openssl tcpdump tshark" >&2
		return 1
	}
}

# on HOST COMMAND... runs a command on a host.
on() {
	local h=$1
	shift
	ip netns exec "$LAB-$h" "$@"
}

# serve HOST NAME COMMAND... starts a server that stays in the foreground.
serve() {
	local h=$1 name=$2
	shift 2
	ip netns exec "$LAB-$h" "$@" >"$LAB_DIR/log/$h-$name" 2>&1 </dev/null &
}

# wait_for WHAT COMMAND... waits until a command succeeds, 20 seconds at the most.
wait_for() {
	local what=$1 i
	shift
	for i in {1..100}; do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	echo "lab: $what does not come up; see $LAB_DIR/log" >&2
	return 1
}

# host NAME OCTET makes a host with a cable to the bridge. It does not probe
# neighbours that it knows: so it is clear who of two looks for whom.
host() {
	local ns=$LAB-$1 n=$2
	ip netns add "$ns"
	on "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
	ip link add "$1" netns "$LAB-br" type veth peer name eth0 netns "$ns"
	on "$1" sysctl -qw net.ipv4.neigh.eth0.delay_first_probe_time=600 net.ipv6.neigh.eth0.delay_first_probe_time=600
	on "$1" ip link set eth0 address "$(printf '52:54:00:00:01:%02x' "$n")"
	on "$1" ethtool -K eth0 tx "$OFFLOAD" rx "$OFFLOAD" tso "$OFFLOAD" gso "$OFFLOAD" gro "$OFFLOAD" >/dev/null
	on br ethtool -K "$1" tx "$OFFLOAD" rx "$OFFLOAD" tso "$OFFLOAD" gso "$OFFLOAD" gro "$OFFLOAD" >/dev/null
	on br ip link set "$1" master br0 up
	on "$1" ip link set lo up
	on "$1" ip link set eth0 up
	on "$1" ip addr add "192.168.1.$n/24" dev eth0
	on "$1" ip addr add "fd00:1::$n/64" dev eth0 nodad
	mkdir -p "/etc/netns/$ns"
	printf 'search lab.example\nnameserver 192.168.1.53\n' >"/etc/netns/$ns/resolv.conf"
	if [ "$1" != router ]; then
		on "$1" ip route add default via 192.168.1.1
		on "$1" ip -6 route add default via fd00:1::1
	fi
}

lab_wire() {
	local h a
	ip netns add "$LAB-br"
	on br sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	on br ip link add br0 type bridge stp_state 0 mcast_snooping 0
	on br ip link set br0 up
	on br ip link add mirror type veth peer name "$TAP"
	on br ip link set mirror arp off up
	on br ip link set "$TAP" arp off up
	for h in "${LAB_HOSTS[@]}"; do host "${h%:*}" "${h#*:}"; done

	ip netns add "$LAB-inet"
	ip link add wan netns "$LAB-router" type veth peer name eth0 netns "$LAB-inet"
	on inet sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	on router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	on router ip addr add 100.64.0.1/30 dev wan
	on router ip addr add fd00:ffff::1/64 dev wan nodad
	on router ip link set wan up
	on router ip route add default via 100.64.0.2 2>/dev/null || true
	on inet ip link set lo up
	on inet ip link set eth0 up
	on inet ip addr add 100.64.0.2/30 dev eth0
	on inet ip addr add fd00:ffff::2/64 dev eth0 nodad
	on router ip route replace default via 100.64.0.2
	on router ip -6 route replace default via fd00:ffff::2
	on inet ip route add 192.168.1.0/24 via 100.64.0.1
	on inet ip -6 route add fd00:1::/64 via fd00:ffff::1
	for a in "${INTERNET[@]}" "$SILENT"; do
		case $a in
		*:*) on inet ip addr add "$a/128" dev lo nodad ;;
		*) on inet ip addr add "$a/32" dev lo ;;
		esac
	done
	on inet nft "add table inet quiet; add chain inet quiet in { type filter hook input priority 0; }; \
		add rule inet quiet in ip daddr $SILENT drop"
	mkdir -p "/etc/netns/$LAB-inet"
	echo 'nameserver 93.184.216.53' >"/etc/netns/$LAB-inet/resolv.conf"
}

# lab_names prints the names of all hosts as a hosts file.
lab_names() {
	local h n
	for h in "${LAB_HOSTS[@]}"; do
		n=${h#*:}
		echo "192.168.1.$n	${h%:*}.lab.example ${h%:*}"
		echo "fd00:1::$n	${h%:*}.lab.example ${h%:*}"
	done
	cat <<-END
		93.184.216.34	www.example.com
		2606:2800:220:1::34	www.example.com
		203.0.113.80	updates.example.net
		198.51.100.25	mx.example.net
		93.184.216.53	resolver.example.com
		93.184.216.99	visitor.example.com
		2606:2800:220:1::99	visitor6.example.com
	END
}

lab_certificates() {
	local d=$LAB_DIR/tls
	mkdir -p "$d"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Lab CA' \
		-keyout "$d/ca.key" -out "$d/ca.pem" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=lab.example' \
		-keyout "$d/key.pem" -out "$d/req.pem" 2>/dev/null
	openssl x509 -req -in "$d/req.pem" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 3650 -out "$d/cert.pem" \
		-extfile <(echo 'subjectAltName=DNS:*.lab.example,DNS:*.example.com,DNS:*.example.net') 2>/dev/null
}

# web HOST starts nginx with the server blocks on standard input.
web() {
	local d=$LAB_DIR/nginx-$1
	mkdir -p "$d"
	{
		cat <<-END
			daemon off; user root; worker_processes 1; pid $d/pid; error_log $d/error;
			events { worker_connections 256; }
			http {
				access_log off; keepalive_timeout 60s; root $LAB_DIR/www; default_type text/plain;
				client_body_temp_path $d/body; proxy_temp_path $d/proxy; fastcgi_temp_path $d/f; uwsgi_temp_path $d/u; scgi_temp_path $d/s;
				ssl_certificate $LAB_DIR/tls/cert.pem; ssl_certificate_key $LAB_DIR/tls/key.pem;
		END
		cat
		echo '}'
	} >"$d/conf"
	serve "$1" nginx nginx -p "$d" -e "$d/error" -c "$d/conf"
}

lab_web() {
	mkdir -p "$LAB_DIR/www"
	echo 'It works.' >"$LAB_DIR/www/index.html"
	head -c 120000 /dev/urandom >"$LAB_DIR/www/photo.jpg"
	head -c 20000 /dev/urandom >"$LAB_DIR/www/page.html"
	local both='listen 80; listen [::]:80; listen 443 ssl http2; listen [::]:443 ssl http2;'
	web web1 <<<"server { $both server_name web1.lab.example; }"
	web web2 <<<"server { $both server_name web2.lab.example; }"
	web inet <<<"server { $both server_name www.example.com updates.example.net; }"
	web proxy <<-END
		upstream app { server 192.168.1.30:8080; keepalive 2; }
		upstream web { server 192.168.1.20:80; server 192.168.1.21:80; keepalive 2; }
		server { $both server_name shop.lab.example;
			location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ''; } }
		server { listen 443 ssl http2; listen [::]:443 ssl http2; server_name files.lab.example;
			location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection ''; } }
	END
}

lab_db() {
	local d=$LAB_DIR/mariadb
	mariadb-install-db --no-defaults --user=root --datadir="$d" --auth-root-authentication-method=normal --skip-test-db >"$LAB_DIR/log/db-install" 2>&1
	serve db mariadb mariadbd --no-defaults --user=root --datadir="$d" --socket="$d/sock" --pid-file="$d/pid" \
		--bind-address='*' --skip-name-resolve --innodb-buffer-pool-size=16M --skip-log-bin --skip-ssl
	wait_for MariaDB on db mariadb --no-defaults -S "$d/sock" -e 'SELECT 1'
	on db mariadb --no-defaults -S "$d/sock" -e "CREATE DATABASE shop; CREATE USER shop@'%' IDENTIFIED BY 'shop'; GRANT ALL ON shop.* TO shop@'%';
		CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(80));
		INSERT INTO shop.item VALUES $(seq 200 | sed "s/.*/(&, 'thing number &')/" | paste -sd,)"
}

lab_ssh() {
	local h d=$LAB_DIR/ssh
	mkdir -p "$d" /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$d/host"
	ssh-keygen -q -t ed25519 -N '' -f "$d/user"
	cp "$d/user.pub" "$d/authorized"
	chmod 700 "$d"
	cat >"$d/sshd.conf" <<-END
		HostKey $d/host
		AuthorizedKeysFile $d/authorized
		PermitRootLogin yes
		StrictModes no
		UsePAM no
		UseDNS no
		PidFile none
		Subsystem sftp internal-sftp
	END
	cat >"$d/ssh.conf" <<-END
		User root
		IdentityFile $d/user
		IdentitiesOnly yes
		StrictHostKeyChecking no
		UserKnownHostsFile /dev/null
		LogLevel ERROR
	END
	for h in web1 db backup; do serve "$h" sshd "$(command -v sshd)" -D -e -f "$d/sshd.conf"; done
}

# mail HOST starts OpenSMTPD, whose paths are fixed, with folders of its own.
mail() {
	local d=$LAB_DIR/smtpd-$1
	mkdir -p "$d/run" "$d/spool" "$d/mail"
	chmod 711 "$d/spool"
	chown mail "$d/mail"
	chmod 755 "$LAB_DIR" "$d"
	cat >"$d/conf"
	serve "$1" smtpd bash -c "mount --bind $d/run /var/run && mount --bind $d/spool /var/spool && exec smtpd -d -f $d/conf"
}

lab_mail() {
	local d=$LAB_DIR
	mail mail <<-END
		listen on 0.0.0.0 hostname mail.lab.example
		listen on :: hostname mail.lab.example
		action "out" relay host smtp://198.51.100.25 src 192.168.1.25
		action "in" maildir "$d/smtpd-mail/mail/%{rcpt.user}" user mail virtual { "@lab.example" = mail }
		match from any for domain "lab.example" action "in"
		match from any for any action "out"
	END
	mail inet <<-END
		listen on 198.51.100.25 hostname mx.example.net
		action "in" maildir "$d/smtpd-inet/mail/%{rcpt.user}" user mail virtual { "@example.net" = mail }
		match from any for domain "example.net" action "in"
	END
}

lab_serve() {
	local h
	lab_names >"$LAB_DIR/hosts"
	lab_certificates
	lab_web
	# Names: the company's own, and a forwarder for the rest.
	grep 'lab\.example' "$LAB_DIR/hosts" >"$LAB_DIR/names-lab"
	grep -v 'lab\.example' "$LAB_DIR/hosts" >"$LAB_DIR/names-inet"
	serve dns dnsmasq dnsmasq -k -C /dev/null -u root --pid-file= -h -H "$LAB_DIR/names-lab" -R -S 93.184.216.53 --no-poll \
		--local=/lab.example/ --edns-packet-max=4096 -c 0 \
		--host-record=shop.lab.example,192.168.1.10,fd00:1::10 --host-record=files.lab.example,192.168.1.10 \
		$(for h in {1..12}; do echo "--txt-record=big.lab.example,part-$h-$(printf '%0200d' "$h")"; done)
	serve inet dnsmasq dnsmasq -k -C /dev/null -u root --pid-file= -h -H "$LAB_DIR/names-inet" -R --no-poll -a 93.184.216.53 -z \
		--host-record=shop.lab.example,192.168.1.10,fd00:1::10
	printf 'local stratum 3\nallow\ncmdport 0\npidfile %s\n' "$LAB_DIR/chrony.pid" >"$LAB_DIR/chrony.conf"
	serve router chronyd chronyd -x -d -U -u root -f "$LAB_DIR/chrony.conf"
	serve cache redis redis-server --protected-mode no --save '' --dir "$LAB_DIR"
	lab_ssh
	lab_mail
	printf 'pid file = %s\n[backup]\npath = %s\nread only = no\nuid = root\ngid = root\nuse chroot = no\n' \
		"$LAB_DIR/rsyncd.pid" "$LAB_DIR/backup" >"$LAB_DIR/rsyncd.conf"
	mkdir -p "$LAB_DIR/backup"
	serve backup rsync rsync --daemon --no-detach --config="$LAB_DIR/rsyncd.conf"
	lab_db
	serve app app "$LAB_DIR/labd" shop :8080
	for h in proxy web1 web2 mail app db cache; do serve "$h" metrics "$LAB_DIR/labd" metrics :9100; done
	serve monitor dashboard "$LAB_DIR/labd" metrics :3000
	wait_for 'the shop' on proxy curl -sfm 5 http://192.168.1.30:8080/
	wait_for 'the mail server' on mail socat -u OPEN:/dev/null TCP:192.168.1.25:25
	wait_for "the Internet's mail server" on inet socat -u OPEN:/dev/null TCP:198.51.100.25:25
	wait_for 'the name server' on dns dig +time=1 +tries=1 @192.168.1.53 web1.lab.example
	wait_for 'the proxy' on pc-ann curl -sfm 5 --cacert "$LAB_DIR/tls/ca.pem" https://shop.lab.example/
	lab_listeners
}

# lab_listeners notes which program listens where: host, protocol, address and
# port, program; and which addresses hosts have.
lab_listeners() {
	local h
	for h in inet "${LAB_HOSTS[@]}"; do
		h=${h%:*}
		on "$h" ss -Hlntup | awk -v h="$h" '{split($7, p, "\""); print h "\t" $1 "\t" $5 "\t" p[2]}' >>"$LAB_DIR/listen.tsv"
		on "$h" ip -o addr show | awk -v h="$h" '{split($4, a, "/"); print h "\t" a[1]}' >>"$LAB_DIR/addr.tsv"
	done
}

lab_up() {
	lab_need
	[ ! -e "$LAB_DIR" ] || { echo "lab: $LAB_DIR exists: is a lab up? (net.sh down)" >&2; return 1; }
	mkdir -p "$LAB_DIR/log"
	: >"$LAB_DIR/.lab"
	(cd "$LAB_HOME/../.." && scripts/go.sh build -o "$LAB_DIR/labd" ./e2e/lab/labd && scripts/go.sh build -o "$LAB_DIR/truth" ./e2e/lab/truth)
	lab_wire
	lab_serve
	sleep 2
}

lab_start() {
	local devices
	devices=$(printf '"%s", ' "${LAB_HOSTS[@]%:*}")
	: >"$LAB_DIR/asked.tsv"
	# One transaction: counters and mirror begin with the same frame.
	on br nft -f - <<-END
		table netdev lab {
			counter frames { }
			counter notip { }
			set ports4 { type ipv4_addr . inet_service . ipv4_addr . inet_service . inet_proto; flags dynamic; size 65536; counter; }
			set ports6 { type ipv6_addr . inet_service . ipv6_addr . inet_service . inet_proto; flags dynamic; size 65536; counter; }
			set first4 { type ipv4_addr . inet_service . ipv4_addr . inet_service . inet_proto; flags dynamic; size 65536; counter; }
			set later4 { type ipv4_addr . ipv4_addr . inet_proto; flags dynamic; size 65536; counter; }
			set later6 { type ipv6_addr . ipv6_addr . inet_proto; flags dynamic; size 65536; counter; }
			set icmp4 { type ipv4_addr . ipv4_addr . icmp_type; flags dynamic; size 65536; counter; }
			set icmp6 { type ipv6_addr . ipv6_addr . icmpv6_type; flags dynamic; size 65536; counter; }
			set other4 { type ipv4_addr . ipv4_addr . inet_proto; flags dynamic; size 65536; counter; }
			set other6 { type ipv6_addr . ipv6_addr . inet_proto; flags dynamic; size 65536; counter; }
			chain ports {
				type filter hook ingress devices = { ${devices%, } } priority 0;
				counter name frames
				dup to mirror
				ether type arp counter name notip accept
				ip frag-off & 0x1fff != 0 update @later4 { ip saddr . ip daddr . ip protocol } accept
				ip frag-off & 0x2000 != 0 ip protocol { tcp, udp } update @first4 { ip saddr . th sport . ip daddr . th dport . ip protocol }
				ip protocol { tcp, udp } update @ports4 { ip saddr . th sport . ip daddr . th dport . ip protocol } accept
				ip protocol icmp update @icmp4 { ip saddr . ip daddr . icmp type } accept
				ether type ip update @other4 { ip saddr . ip daddr . ip protocol } accept
				frag frag-off != 0 update @later6 { ip6 saddr . ip6 daddr . meta l4proto } accept
				ether type ip6 meta l4proto { tcp, udp } update @ports6 { ip6 saddr . th sport . ip6 daddr . th dport . meta l4proto } accept
				ether type ip6 meta l4proto icmpv6 update @icmp6 { ip6 saddr . ip6 daddr . icmpv6 type } accept
				ether type ip6 update @other6 { ip6 saddr . ip6 daddr . meta l4proto }
			}
		}
	END
}

lab_stop() {
	on br nft flush chain netdev lab ports
	on br nft -j -n list table netdev lab >"$LAB_DIR/counts.json"
	on br nft delete table netdev lab
}

# asks CLIENT SERVER PORT PROTO APP notes a question that no listener answers,
# and the application that the asker speaks ("-": it never comes to speak).
asks() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$LAB_DIR/asked.tsv"; }

# The loops below end when the time is up.
busy() { [ "$SECONDS" -lt "$until" ]; }

# surf HOST PAUSE URL... fetches pages in turn. URLs may have options of curl.
surf() {
	local h=$1 pause=$2 u
	shift 2
	while busy; do
		for u in "$@"; do
			on "$h" curl -sS -m 10 -o /dev/null --cacert "$LAB_DIR/tls/ca.pem" $u
			sleep "$pause"
		done
	done
}

administer() {
	local c="$LAB_DIR/ssh/ssh.conf"
	on admin ssh -F "$c" web1.lab.example 'uptime; ls -l /usr/bin | head -c 3000' >/dev/null
	sleep 1
	on admin scp -q -F "$c" "$LAB_DIR/www/photo.jpg" root@backup.lab.example:"$LAB_DIR/backup/photo.jpg"
	on admin ping -q -4 -c 4 -i 0.4 db.lab.example >/dev/null
	on admin ping -q -6 -c 4 -i 0.4 web1.lab.example >/dev/null
	on admin ping -q -c 2 -i 0.4 -s 3000 192.168.1.60 >/dev/null
	on admin ping -q -6 -c 2 -i 0.4 -s 3000 fd00:1::60 >/dev/null
	on admin ping -q -c 2 -i 0.4 93.184.216.34 >/dev/null
	on admin dig +bufsize=4096 +ignore TXT big.lab.example @192.168.1.53 >/dev/null
	on admin dig +tcp TXT big.lab.example @192.168.1.53 >/dev/null
	on admin dig AAAA web2.lab.example @fd00:1::53 >/dev/null
	# Joining a group is told by IGMP and MLD.
	on monitor timeout 1 socat -u UDP4-RECV:5353,ip-add-membership=224.0.0.251:eth0 OPEN:/dev/null
	on monitor timeout 1 socat -u 'UDP6-RECV:5353,ipv6-join-group=[ff02::fb]:eth0' OPEN:/dev/null
	# Questions without an answer.
	asks 192.168.1.90 192.168.1.40 5432 tcp -
	on admin curl -s -m 2 -o /dev/null http://192.168.1.40:5432/
	asks 192.168.1.90 198.51.100.99 8443 tcp -
	on admin curl -s -m 4 -o /dev/null https://198.51.100.99:8443/
	asks 192.168.1.90 198.51.100.99 53 udp DNS
	on admin dig +time=1 +tries=1 example.org @198.51.100.99 >/dev/null
	asks 192.168.1.90 192.168.1.21 161 udp -
	echo '?' | on admin socat -t 0.2 - UDP:192.168.1.21:161 2>/dev/null
	asks 192.168.1.90 224.0.0.251 5353 udp MDNS
	on admin dig +time=1 +tries=1 -p 5353 @224.0.0.251 _http._tcp.local PTR >/dev/null
	true
}

send_mail() { # FROM-HOST TO
	printf 'From: ann@lab.example\nTo: %s\nSubject: hello\n\n%s\n' "$2" "$(printf 'All is well. %.0s' {1..60})" |
		on "$1" curl -sS -m 10 smtp://mail.lab.example --mail-from ann@lab.example --mail-rcpt "$2" -T - >/dev/null
}

write_mail() {
	while busy; do
		send_mail pc-ann ben@lab.example
		sleep 3
		send_mail pc-ben somebody@example.net
		sleep 6
	done
}

clocks() {
	local h
	while busy; do
		for h in db pc-ann pc-ben web1; do
			on "$h" chronyd -Q -x -d -t 6 -U -u root "pidfile $LAB_DIR/$h.chrony.pid" 'cmdport 0' 'server router.lab.example iburst maxsamples 1' >/dev/null 2>&1
			busy || break
			sleep 3
		done
	done
}

backups() {
	on db rsync -q -a --bwlimit="$((150 / SECONDS_OF_TRAFFIC + 1))" "$LAB_DIR/www/photo.jpg" rsync://backup.lab.example/backup/db.dump
}

# A subshell: work goes on when a question goes unanswered.
lab_traffic() (
	set +e
	SECONDS=0
	local until=$SECONDS_OF_TRAFFIC jobs=() ca=$LAB_DIR/tls/ca.pem
	run() { "$@" >>"$LAB_DIR/log/traffic" 2>&1 & jobs+=($!); }
	run on monitor "$LAB_DIR/labd" scrape "${SECONDS_OF_TRAFFIC}s" 3s {proxy,web1,web2,mail,app,db,cache}.lab.example:9100
	# Work that takes the whole time.
	run on admin ssh -F "$LAB_DIR/ssh/ssh.conf" db.lab.example "for i in \$(seq $((SECONDS_OF_TRAFFIC - 2))); do echo line \$i; sleep 1; done"
	run on pc-cleo curl -sS -m 120 -o /dev/null --cacert "$ca" --limit-rate "$((100 / SECONDS_OF_TRAFFIC + 1))k" https://web1.lab.example/photo.jpg
	run on inet curl -sS -m 120 -o /dev/null --interface 93.184.216.99 --cacert "$ca" --resolve files.lab.example:443:192.168.1.10 \
		--limit-rate "$((100 / SECONDS_OF_TRAFFIC + 1))k" https://files.lab.example/photo.jpg
	run backups
	# Work by the piece.
	run surf pc-ann 1.1 https://shop.lab.example/ https://shop.lab.example/list http://web1.lab.example/ https://www.example.com/page.html
	run surf pc-ben 1.7 "-4 https://shop.lab.example/item/7" https://updates.example.net/ http://monitor.lab.example:3000/
	run surf pc-cleo 2.3 https://web2.lab.example/page.html http://web2.lab.example/photo.jpg https://shop.lab.example/item/9
	run surf web1 7 https://updates.example.net/page.html
	run surf inet 3 "--interface 2606:2800:220:1::99 https://shop.lab.example/" "--interface 198.51.100.7 https://shop.lab.example/"
	run write_mail
	run clocks
	sleep 3
	run administer
	wait "${jobs[@]}"
	true
)

# lab_truth FILE writes the truth between start and stop.
lab_truth() { "$LAB_DIR/truth" -lab "$LAB_DIR" >"$1"; }

# lab_down ends what runs in our namespaces, and removes them. The programs of
# other namespaces are nobody's here.
lab_down() {
	local signal ns all i
	all=$(ip netns list | awk -v p="$LAB-" 'index($1, p) == 1 {print $1}')
	for signal in TERM KILL; do
		for ns in $all; do ip netns pids "$ns" | xargs -r kill -$signal 2>/dev/null; done
		for i in {1..20}; do
			[ -n "$(for ns in $all; do ip netns pids "$ns"; done)" ] || break
			sleep 0.1
		done
	done
	for ns in $all; do
		ip netns del "$ns"
		rm -rf "/etc/netns/$ns"
	done
	rmdir /etc/netns 2>/dev/null
	[ ! -e "$LAB_DIR/.lab" ] || rm -rf "$LAB_DIR"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -euo pipefail
	case ${1:-} in
	up | start | traffic | stop) "lab_$1" ;;
	truth) lab_truth "${2:?net.sh truth FILE}" ;;
	down) set +e; lab_down ;;
	*) sed -n '2,20s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
fi
