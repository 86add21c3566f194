package clickhouse

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/query"
)

// TestOpenTogether creates a store from several processes at once.
func TestOpenTogether(t *testing.T) {
	dsn := newDatabase(chtest.Start(t), "")
	var all sync.WaitGroup
	for i := range uint64(4) {
		all.Go(func() {
			s, err := Open(t.Context(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			if err := write(t.Context(), s, records(i*100, 100)); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := open(t, dsn)
	defer s.Close()
	if n := packetsIn(t, s, query.Query{}); n != 400 {
		t.Errorf("%d packets, want 400", n)
	}
}

// TestTLS connects by way of a proxy that speaks TLS, with a certificate that
// nobody knows.
func TestTLS(t *testing.T) {
	server := chtest.Start(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, server.Addr, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}})
	dsn := strings.Replace(newDatabase(server, "&secure=true"), server.Addr, p.Addr().String(), 1)

	_, err = Open(t.Context(), dsn)
	wantError(t, "certificate", err, "certificate", "skip_verify=true")
	s := open(t, dsn+"&skip_verify=true")
	defer s.Close()
	if err := write(t.Context(), s, records(0, 100)); err != nil {
		t.Fatal(err)
	}
	if n := packetsIn(t, s, query.Query{}); n != 100 {
		t.Errorf("%d packets, want 100", n)
	}
}
