//go:build conformance

package conformance

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// defaultData is where the captures lie unless PORTOLAN_DATA says otherwise.
const defaultData = "../../../shared/data"

// folders hold captures, each with a SOURCES.tsv.
var folders = []string{"pcaps", "pcaps-ndpi"}

// Columns of SOURCES.tsv.
const (
	columnFile    = 0
	columnPackets = 5 // that can be read, "-" = not listed
	columnLinks   = 7 // "dlt=1"
	columnError   = 11
)

// A listed is a file of the list, and what reading it should find.
type listed struct {
	name    string // folder/file
	path    string
	links   string
	packets uint64
	damaged bool // reading ends with an error
}

// An expectation replaces what the list says.
type expectation struct {
	packets uint64
	damaged bool
	why     string
}

// expectations are about files that the list leaves open, and about sound
// packets of files that we refuse.
var expectations = map[string]expectation{
	"pcaps/libpcap__tests__pcap-invalid-version-1.pcap":  {0, true, "version 1.4 never was: the records could mean anything"},
	"pcaps/libpcap__tests__pcapng-invalid-vers-1.pcapng": {0, true, "version 0.1 never was"},
	"pcaps/libpcap__tests__pcapng-invalid-vers-2.pcapng": {0, true, "version 1.1 never was"},
	"pcaps/libpcap__tests__shb-option-too-long.pcapng":   {0, true, "the two lengths of its section block differ"},

	"pcaps/synthetic__caplen_gt_snaplen.pcap":         {1, false, "the frame is there: the snaplen lies"},
	"pcaps/synthetic__caplen_huge.pcap":               {1, true, "the second record announces 2 GiB"},
	"pcaps/synthetic__clock_step_back_1h.pcap":        {10, false, ""},
	"pcaps/synthetic__clock_step_fwd_10y.pcap":        {2, false, ""},
	"pcaps/synthetic__dlt_with_fcs_bits.pcap":         {1, false, ""},
	"pcaps/synthetic__empty.pcap":                     {0, true, "no bytes"},
	"pcaps/synthetic__garbage.pcap":                   {0, true, "no capture"},
	"pcaps/synthetic__hdr_only.pcap":                  {0, false, "a capture without packets"},
	"pcaps/synthetic__hdr_truncated_20B.pcap":         {0, true, "cut in the file header"},
	"pcaps/synthetic__iplen_zero_tso.pcap":            {1, false, ""},
	"pcaps/synthetic__jumbo9k.pcap":                   {1, false, ""},
	"pcaps/synthetic__mirror_duplicates.pcap":         {100, false, ""},
	"pcaps/synthetic__ns_be.pcap":                     {1, false, ""},
	"pcaps/synthetic__qinq_triple.pcap":               {1, false, ""},
	"pcaps/synthetic__rec_body_truncated.pcap":        {1, true, "cut in the second record"},
	"pcaps/synthetic__rec_hdr_truncated.pcap":         {1, true, "cut in the second record's header"},
	"pcaps/synthetic__ts_usec_overflow.pcap":          {1, false, ""},
	"pcaps/synthetic__unknown_dlt_9999.pcap":          {1, false, "it can be read, not decoded"},
	"pcaps/synthetic__vlan_same_5tuple_two_vids.pcap": {2, false, ""},
	"pcaps/synthetic__zero_len_packets.pcap":          {3, false, ""},
}

// dataFolder returns where the captures lie, or skips the test.
func dataFolder(t *testing.T) string {
	t.Helper()
	folder, set := os.LookupEnv("PORTOLAN_DATA")
	if !set {
		folder = defaultData
	}
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) && !set {
		t.Skip("no captures: set PORTOLAN_DATA to a folder that has pcaps and pcaps-ndpi")
	} else if err != nil {
		t.Fatalf("PORTOLAN_DATA: %v", err)
	}
	return folder
}

// listedFiles reads the lists of all folders.
func listedFiles(t *testing.T) []listed {
	t.Helper()
	data := dataFolder(t)
	var files []listed
	for _, folder := range folders {
		h, err := os.Open(filepath.Join(data, folder, "SOURCES.tsv"))
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		r := csv.NewReader(h)
		r.Comma, r.LazyQuotes = '\t', true
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			f := listed{
				name:    folder + "/" + row[columnFile],
				path:    filepath.Join(data, folder, row[columnFile]),
				links:   row[columnLinks],
				damaged: strings.Trim(strings.TrimPrefix(row[columnError], "err="), "-") != "",
			}
			if e, ok := expectations[f.name]; ok {
				f.packets, f.damaged = e.packets, e.damaged
			} else if f.packets, err = strconv.ParseUint(row[columnPackets], 10, 64); err != nil {
				t.Fatalf("%s: packets: %v", f.name, err)
			}
			files = append(files, f)
		}
	}
	return files
}
