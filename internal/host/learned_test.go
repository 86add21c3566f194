package host

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

func TestLearnedNamesAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not yet there", LearnedFile)
	one, two := netip.MustParseAddr("192.168.1.20"), netip.MustParseAddr("fd00::20")
	var l Learned
	l.See(one, "old.lab.example", 1)
	l.See(one, "web.lab.example", 3)
	l.See(one, "late.lab.example", 2)
	if err := l.Save(path); err != nil {
		t.Fatal(err)
	}
	var next Learned // another process
	next.See(two, `odd "name", with comma`, 5)
	next.See(one, "older", 0)
	for range 2 {
		if err := next.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	n := NewNames()
	if err := n.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if got := n.Name(one); got != "web.lab.example" {
		t.Errorf("the latest name is %q", got)
	}
	if got := n.Name(two); got != `odd "name", with comma` {
		t.Errorf("the odd name is %q", got)
	}
}

func TestLearnedKeepsAForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), LearnedFile)
	if err := os.WriteFile(path, []byte("a,b\nc,d,e\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var l Learned
	l.See(netip.MustParseAddr("10.0.0.1"), "x", 1)
	if err := l.Save(path); err == nil {
		t.Error("a file that is not ours was written over")
	}
}

func TestLearnedIsBounded(t *testing.T) {
	var l Learned
	a := netip.MustParseAddr("10.0.0.0")
	for range maxLearned + 5 {
		l.See(a, "x", 1)
		a = a.Next()
	}
	if len(l.names) != maxLearned || l.LeftOut() != 5 {
		t.Errorf("%d names, %d left out", len(l.names), l.LeftOut())
	}
}

func TestGivenNamesAreRead(t *testing.T) {
	folder := t.TempDir()
	a, b := netip.MustParseAddr("10.1.0.5"), netip.MustParseAddr("fd00::5")
	given := NewNames()
	given.Add(a, `say "db", please`, Virtual)
	given.AddNetwork(netip.MustParsePrefix("10.1.0.0/16"), "Berlin")
	if err := given.SaveGiven(folder); err != nil {
		t.Fatal(err)
	}
	var l Learned
	l.See(a, "learned.example", 1)
	l.See(b, "six.example", 1)
	if err := l.Save(filepath.Join(folder, LearnedFile)); err != nil {
		t.Fatal(err)
	}
	n := NewNames()
	if err := n.LoadFolder(folder); err != nil {
		t.Fatal(err)
	}
	if n.Name(a) != `say "db", please` || n.Kind(a) != Virtual || n.Name(b) != "six.example" || n.Network(a) != "Berlin" {
		t.Errorf("names %q, %q; kind %v; network %q", n.Name(a), n.Name(b), n.Kind(a), n.Network(a))
	}
	if err := NewNames().SaveGiven(folder); err != nil { // the configuration says no more
		t.Fatal(err)
	}
	n = NewNames()
	if err := n.LoadFolder(folder); err != nil || n.Name(a) != "learned.example" || n.Network(a) == "Berlin" {
		t.Errorf("%v; name %q, network %q", err, n.Name(a), n.Network(a))
	}
}
