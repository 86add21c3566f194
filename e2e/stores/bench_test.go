package stores_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/cli"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store/drivers"
)

// BenchmarkQuestionOfTheSeed asks MariaDB what the first home lab was drawn
// from, among 1 200 000 records of a day of a home: as its author wrote it, and
// as "portolan top" asks it, with the time to open the store.
func BenchmarkQuestionOfTheSeed(b *testing.B) {
	s := inMariaDB(b, "bench")
	const records, batch = 1_200_000, 50_000
	fillHome(b, s, records, batch)
	db := s.db(b)
	b.Run("author", func(b *testing.B) {
		for b.Loop() {
			rows, err := db.QueryContext(b.Context(), question)
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Err(); err != nil || n == 0 {
				b.Fatalf("%d rows: %v", n, err)
			}
			rows.Close()
		}
	})
	for _, by := range []string{"edge", "port"} {
		b.Run("top/"+by, func(b *testing.B) {
			for b.Loop() {
				said := s.run(b, cli.StatusDone, "top", "--json", "-n", "10", "--by", by, "server net 192.168.1.0/24 and not host 192.168.1.151")
				if len(decode(b, said)) == 0 {
					b.Fatal("no rows")
				}
			}
		})
	}
}

// fillHome writes a day of a home with 60 machines: nine in ten conversations
// among them, the others with the Internet, both by a power law.
func fillHome(b *testing.B, s *site, records, batch int) {
	b.Helper()
	st, err := drivers.Open(b.Context(), s.address, drivers.Options{})
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	machine, outside := rand.NewZipf(random, 1.1, 2, 59), rand.NewZipf(random, 1.1, 2, 5000)
	ports := []uint16{443, 443, 53, 53, 80, 22, 902, 3306, 8086, 9100, 9091, 32400, 8181, 9080}
	day := time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC).UnixNano()
	var written flow.Batch
	for i := range records {
		server := netip.AddrFrom4([4]byte{192, 168, 1, byte(100 + machine.Uint64())})
		if random.IntN(10) == 0 {
			n := outside.Uint64()
			server = netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)})
		}
		client := netip.AddrFrom4([4]byte{192, 168, 1, byte(100 + machine.Uint64())})
		end := day + int64(i)*int64(24*time.Hour)/int64(records)
		written.Records = append(written.Records, flow.Record{
			Key: flow.NewKey(flow.TCP, netip.AddrPortFrom(client, uint16(32768+random.IntN(28000))), netip.AddrPortFrom(server, ports[random.IntN(len(ports))])),
			ID:  random.Uint64(), Start: end - random.Int64N(int64(time.Minute)), End: end,
			ToServer: flow.Counters{Packets: 10, Bytes: random.Uint64N(10_000)}, ToClient: flow.Counters{Packets: 20, Bytes: random.Uint64N(1_000_000)},
			Evidence: flow.SYNSeen, Cause: flow.EndOfFlow, Observer: "eth0", Info: fmt.Sprintf("host%d.example.com", i%500),
		})
		if len(written.Records) == batch || i == records-1 {
			if err := st.WriteFlows(b.Context(), &written); err != nil {
				b.Fatal(err)
			}
			written.Reset()
		}
	}
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
}
