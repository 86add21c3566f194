package host

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
)

// Files of names beside the flows, each with a line that names its columns.
const (
	GivenFile    = "hosts.csv"    // what the configuration of who wrote the flows says; as ReadFile reads it
	NetworksFile = "networks.csv" // prefix, title
)

// SaveGiven writes n's names and networks into folder, for LoadFolder. Files of
// which nothing is known are deleted.
func (n *Names) SaveGiven(folder string) error {
	hosts := [][]string{{"address", "name", "kind"}}
	addrs := make([]netip.Addr, 0, len(n.machines))
	for a := range n.machines {
		addrs = append(addrs, a)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	for _, a := range addrs {
		m := n.machines[a]
		hosts = append(hosts, []string{a.String(), m.name, kindWords[m.kind]})
	}
	networks := [][]string{{"prefix", "title"}}
	for _, net := range n.networks {
		networks = append(networks, []string{net.prefix.String(), net.title})
	}
	return errors.Join(saveRows(filepath.Join(folder, GivenFile), hosts), saveRows(filepath.Join(folder, NetworksFile), networks))
}

var kindWords = map[Kind]string{Unknown: "", Virtual: "vm", Physical: "physical"}

// saveRows writes rows, the first of which names columns, whole or not at all.
func saveRows(path string, rows [][]string) error {
	if len(rows) < 2 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	err = csv.NewWriter(f).WriteAll(rows)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

// LoadFolder adds what lies beside flows in folder: names that traffic told, over
// them those that were given, and networks. A file that is not there says
// nothing; what is wrong with another does not keep the rest out.
func (n *Names) LoadFolder(folder string) error {
	var errs []error
	for _, file := range []string{LearnedFile, GivenFile} {
		errs = append(errs, n.ReadFile(filepath.Join(folder, file)))
	}
	errs = append(errs, n.readNetworks(filepath.Join(folder, NetworksFile)))
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, fs.ErrNotExist) })...)
}

func (n *Names) readNetworks(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 2
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, row := range rows[min(1, len(rows)):] {
		p, err := netip.ParsePrefix(row[0])
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		n.AddNetwork(p, row[1])
	}
	return nil
}
