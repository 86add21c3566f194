package main

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A service is one that listens, or one that was asked for.
type service struct{ program, app string }

// A question is a conversation whose server does not listen.
type question struct {
	client netip.Addr
	server netip.AddrPort
	proto  uint8
}

// services are all that listen and all that was asked for in vain.
type services struct {
	listen map[endpoint]string // program
	asked  map[question]string // application that the asker spoke, "-" = none
}

type endpoint struct {
	netip.AddrPort
	proto uint8
}

// readServices reads which program listens where (listen.tsv, of ss), which
// addresses hosts have (addr.tsv) and what was asked in vain (asked.tsv).
func readServices(lab string) (*services, error) {
	s := &services{listen: map[endpoint]string{}, asked: map[question]string{}}
	addrs := map[string][]netip.Addr{}
	err := table(filepath.Join(lab, "addr.tsv"), 2, func(f []string) error {
		a, err := netip.ParseAddr(f[1])
		addrs[f[0]] = append(addrs[f[0]], a)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = table(filepath.Join(lab, "listen.tsv"), 4, func(f []string) error {
		proto, err := parseProto(f[1])
		if err != nil {
			return err
		}
		i := strings.LastIndexByte(f[2], ':')
		if i < 0 {
			return fmt.Errorf("no port in %q", f[2])
		}
		port, err := strconv.ParseUint(f[2][i+1:], 10, 16)
		if err != nil {
			return err
		}
		for _, a := range addrs[f[0]] {
			switch at := strings.Trim(f[2][:i], "[]"); {
			case at == "*", at == "0.0.0.0" && a.Is4(), at == "::" && a.Is6(), at == a.String():
				s.listen[endpoint{netip.AddrPortFrom(a, uint16(port)), proto}] = f[3]
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = table(filepath.Join(lab, "asked.tsv"), 5, func(f []string) error {
		client, err := netip.ParseAddr(f[0])
		if err != nil {
			return err
		}
		server, err := parseEndpoint(f[1], f[2])
		if err != nil {
			return err
		}
		proto, err := parseProto(f[3])
		s.asked[question{client, server, proto}] = f[4]
		return err
	})
	return s, err
}

func parseProto(s string) (uint8, error) {
	for n, name := range protoNames {
		if name == s {
			return n, nil
		}
	}
	return 0, fmt.Errorf("unknown protocol %q", s)
}

func parseEndpoint(addr, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	p, err := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(a, uint16(p)), err
}

// table calls f with the fields of every line of a file.
func table(name string, fields int, f func([]string) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		row := strings.Split(lines.Text(), "\t")
		if len(row) != fields {
			return fmt.Errorf("%s line %d: %d fields: must be %d", name, n, len(row), fields)
		}
		if err := f(row); err != nil {
			return fmt.Errorf("%s line %d: %w", name, n, err)
		}
	}
	return lines.Err()
}
