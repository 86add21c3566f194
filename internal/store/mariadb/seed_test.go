package mariadb_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
)

// question is a statement that people run on ntopng's table, as it stands in a
// guide: names in lower case, texts in double quotes, addresses compared as
// text, columns selected and sorted by that are not grouped.
const question = `SELECT INET_NTOA(ip_src_addr) as "SRC_IP", l4_src_port as "SRC_PORT", INET_NTOA(ip_dst_addr) ` +
	`as "DST_IP", l4_dst_port as "DST_PORT", format(SUM(in_bytes),0) as "IN", format(SUM(out_bytes),0) ` +
	`as "OUT" from flowsv4 where INET_NTOA(ip_src_addr) != "192.168.1.151" and INET_NTOA(ip_dst_addr) ` +
	`!= "192.168.1.151" and INET_NTOA(ip_dst_addr) LIKE "192.168.1.%" group by l4_dst_port  ` +
	`order by out_bytes desc limit 10;`

func TestSQLForNtopngRunsUnchanged(t *testing.T) {
	srv := need(t)
	database := srv.database(t)
	s := open(t, srv.config(database))
	slice := func(n uint32) func(*flow.Record) {
		return func(r *flow.Record) {
			r.Slice, r.Start, r.End = n, r.Start+int64(n)*int64(5*time.Minute), r.End+int64(n)*int64(5*time.Minute)
		}
	}
	write(t, s,
		// Two slices of more than 4 GiB each.
		record("192.168.1.69:57668", "192.168.1.240:902", bytes2(88_567_181, 18_614_544_156)),
		record("192.168.1.69:57668", "192.168.1.240:902", bytes2(100_000_000, 10_000_000_000), slice(1)),
		record("192.168.1.66:55846", "192.168.1.55:443", bytes2(559_914_960, 2_351_076_647)),
		record("192.168.1.66:45152", "192.168.1.51:9100", bytes2(3_564_870, 36_772_742)),
		// Left out: the host, from and to, another network, and IPv6.
		record("192.168.1.151:1", "192.168.1.55:443", bytes2(1, 1)),
		record("192.168.1.66:1", "192.168.1.151:443", bytes2(1, 1)),
		record("192.168.1.66:1", "192.168.10.1:443", bytes2(1, 1)),
		record("[2001:db8::1]:1", "[2001:db8::2]:443", bytes2(1, 1)))

	type line struct {
		Source     string
		SourcePort int
		Server     string
		Port       int
		In, Out    string
	}
	rows, err := srv.db(t, database).QueryContext(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []line
	for rows.Next() {
		var l line
		if err := rows.Scan(&l.Source, &l.SourcePort, &l.Server, &l.Port, &l.In, &l.Out); err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	want := []line{
		{"192.168.1.69", 57668, "192.168.1.240", 902, "188,567,181", "28,614,544,156"},
		{"192.168.1.66", 55846, "192.168.1.55", 443, "559,914,960", "2,351,076,647"},
		{"192.168.1.66", 45152, "192.168.1.51", 9100, "3,564,870", "36,772,742"},
	}
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Errorf("(-want +got):\n%s%v", diff, rows.Err())
	}
}

// TestColumnsOfNtopng reads what each of ntopng's columns holds of a record.
func TestColumnsOfNtopng(t *testing.T) {
	srv := need(t)
	database := srv.database(t)
	c := srv.config(database)
	c.Instance = "lab"
	s := open(t, c)
	dns := func(r *flow.Record) {
		r.Proto, r.VLAN, r.App, r.Info = flow.UDP, 12, flow.App{Master: 5}, "example.org"
	}
	write(t, s,
		record("192.168.1.69:57668", "192.168.1.240:902", bytes2(5, 1<<40)),
		record("[2001:db8::1]:40000", "[2001:db8::2]:53", dns))

	type row struct {
		VLAN, App        int
		Client           string
		ClientPort       int
		Server           string
		Port, Proto      int
		In, Out, Packets uint64
		First, Last      int64
		Info             string
		JSON             *string
		Instance         string
		Interface        int
	}
	read := func(table, client, server string) (r row) {
		err := srv.db(t, database).QueryRowContext(t.Context(), "SELECT VLAN_ID, L7_PROTO, "+client+", L4_SRC_PORT, "+server+
			", L4_DST_PORT, PROTOCOL, IN_BYTES, OUT_BYTES, PACKETS, FIRST_SWITCHED, LAST_SWITCHED, INFO, UNCOMPRESS(JSON), NTOPNG_INSTANCE_NAME, INTERFACE_ID FROM "+table).
			Scan(&r.VLAN, &r.App, &r.Client, &r.ClientPort, &r.Server, &r.Port, &r.Proto, &r.In, &r.Out, &r.Packets,
				&r.First, &r.Last, &r.Info, &r.JSON, &r.Instance, &r.Interface)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	end := noon / 1e9
	want := row{0, 126, "192.168.1.69", 57668, "192.168.1.240", 902, 6, 5, 1 << 40, 3, end - 1, end, "www.example.com", nil, "lab", 1}
	if diff := cmp.Diff(want, read("flowsv4", "INET_NTOA(IP_SRC_ADDR)", "INET_NTOA(IP_DST_ADDR)")); diff != "" {
		t.Errorf("flowsv4 (-want +got):\n%s", diff)
	}
	want = row{12, 5, "2001:db8::1", 40000, "2001:db8::2", 53, 17, 100, 1000, 3, end - 1, end, "example.org", nil, "lab", 1}
	if diff := cmp.Diff(want, read("flowsv6", "IP_SRC_ADDR", "IP_DST_ADDR")); diff != "" {
		t.Errorf("flowsv6 (-want +got):\n%s", diff)
	}
}
