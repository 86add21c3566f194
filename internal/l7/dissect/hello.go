package dissect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Extensions of TLS hellos (IANA "TLS ExtensionType Values").
const (
	extName       = 0
	extSignatures = 13
	extALPN       = 16
	extVersions   = 43
)

// maxListed bounds what is taken of each list of a hello.
const maxListed = 1024

// A hello is what a TLS ClientHello says. Its slices of bytes borrow.
type hello struct {
	version    uint16 // the highest that the client takes
	name       []byte // SNI; nil = none
	nameWhole  bool   // the name was not cut
	alpn       []byte // the first protocol that the client proposes; nil = none
	hasName    bool   // there is an SNI extension
	ciphers    []uint16
	extensions []uint16
	signatures []uint16 // algorithms
}

// parse reads a handshake message, from its type on. It reports whether it was
// there as a whole; if not, h holds what was there.
func (h *hello) parse(b []byte, datagrams bool) bool {
	*h = hello{ciphers: h.ciphers[:0], extensions: h.extensions[:0], signatures: h.signatures[:0]}
	r := reader{b: b}
	r.uint8()
	length := r.uint24()
	if datagrams {
		r.bytes(8) // number and fragment
	}
	whole := length <= len(r.b)
	r.b = r.most(length)
	r.short = false
	h.version = r.uint16()
	r.bytes(32)
	r.block8() // session
	if datagrams {
		r.block8() // cookie
	}
	h.ciphers = appendList(h.ciphers, r.block16())
	r.block8() // compression
	if r.short {
		return false
	}
	if len(r.b) == 0 {
		return whole
	}
	ext := reader{b: r.most(int(r.uint16()))}
	for len(ext.b) > 0 && !ext.short {
		kind, n := ext.uint16(), int(ext.uint16())
		if ext.short {
			break
		}
		body := ext.most(n)
		if !isGrease(kind) && len(h.extensions) < maxListed {
			h.extensions = append(h.extensions, kind)
		}
		h.extension(kind, body)
	}
	return whole && !r.short && !ext.short
}

func (h *hello) extension(kind uint16, body []byte) {
	r := reader{b: body}
	switch kind {
	case extName:
		h.hasName = true
		r.uint16()
		if r.uint8() != 0 {
			return
		}
		n := int(r.uint16())
		h.nameWhole = n <= len(r.b)
		h.name = r.most(n)
	case extALPN:
		r.uint16()
		h.alpn = r.block8()
	case extSignatures:
		h.signatures = appendList(h.signatures, r.block16())
	case extVersions:
		versions := reader{b: r.block8()}
		best := uint16(0)
		for len(versions.b) >= 2 {
			if v := versions.uint16(); !isGrease(v) {
				best = newer(best, v)
			}
		}
		if best != 0 {
			h.version = best
		}
	}
}

// newer returns the newer of two versions. Those of DTLS count down.
func newer(a, b uint16) uint16 {
	if a == 0 || (b > a) != (a>>8 == 0xfe && b>>8 == 0xfe) {
		return b
	}
	return a
}

// appendList appends the two-byte values of b that are no GREASE.
func appendList(dst []uint16, b []byte) []uint16 {
	for r := (reader{b: b}); len(r.b) >= 2 && len(dst) < maxListed; {
		if v := r.uint16(); !isGrease(v) {
			dst = append(dst, v)
		}
	}
	return dst
}

// isGrease reports whether v is one of the values that mean nothing (RFC 8701).
func isGrease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// ja4 returns the fingerprint of a hello that FoxIO defines as JA4 (JA4 is the
// part of JA4+ that is under the BSD licence). carrier is 't' for TCP, 'q' for
// QUIC, 'd' for DTLS. It sorts h's lists.
func (h *hello) ja4(carrier byte) string {
	var b [36]byte
	s := append(b[:0], carrier)
	s = append(s, ja4Version(h.version)...)
	if h.hasName {
		s = append(s, 'd')
	} else {
		s = append(s, 'i')
	}
	s = appendCount(appendCount(s, len(h.ciphers)), len(h.extensions))
	s = appendALPN(s, h.alpn)

	slices.Sort(h.ciphers)
	s = append(s, '_')
	s = appendDigest(s, h.ciphers, nil)

	slices.Sort(h.extensions)
	kept := h.extensions[:0]
	for _, e := range h.extensions {
		if e != extName && e != extALPN {
			kept = append(kept, e)
		}
	}
	s = append(s, '_')
	s = appendDigest(s, kept, h.signatures)
	return string(s)
}

func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	case 0xfeff:
		return "d1"
	case 0xfefd:
		return "d2"
	case 0xfefc:
		return "d3"
	}
	return "00"
}

// appendCount appends n in two digits, 99 for more.
func appendCount(dst []byte, n int) []byte {
	n = min(n, 99)
	return append(dst, '0'+byte(n/10), '0'+byte(n%10))
}

// appendALPN appends the first and the last character of a protocol's name, or
// of its hexadecimal form if one of them is neither a letter nor a digit.
func appendALPN(dst, alpn []byte) []byte {
	if len(alpn) == 0 {
		return append(dst, "00"...)
	}
	first, last := alpn[0], alpn[len(alpn)-1]
	if isAlnum(first) && isAlnum(last) {
		return append(dst, first, last)
	}
	const digits = "0123456789abcdef"
	return append(dst, digits[first>>4], digits[last&15])
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// appendDigest appends twelve digits of the SHA-256 of two lists in
// hexadecimal, commas between values, an underscore between the lists if there
// is a second.
func appendDigest(dst []byte, list, second []uint16) []byte {
	if len(list) == 0 {
		return append(dst, bytes.Repeat([]byte{'0'}, 12)...)
	}
	var room [1024]byte
	text := appendHex(room[:0], list)
	if len(second) > 0 {
		text = appendHex(append(text, '_'), second)
	}
	sum := sha256.Sum256(text)
	return hex.AppendEncode(dst, sum[:6])
}

func appendHex(dst []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = hex.AppendEncode(dst, []byte{byte(v >> 8), byte(v)})
	}
	return dst
}
