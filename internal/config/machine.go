package config

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// A Machine is what computed defaults depend on.
type Machine struct {
	Memory Size // 0 = not known
	CPUs   int
	Name   string
}

// ThisMachine returns the machine that we run on. Where control groups bound
// the memory, the bound is what we have.
func ThisMachine() Machine {
	name, _ := os.Hostname() // without one, the instance has no name
	return Machine{Memory: memory("/"), CPUs: runtime.GOMAXPROCS(0), Name: name}
}

// memory is the memory that the kernel whose /proc and /sys lie below root
// gives us.
func memory(root string) Size {
	total := memTotal(filepath.Join(root, "proc/meminfo"))
	for _, file := range []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue
		}
		// "max" is no number; without a bound, version 1 says nearly 2^63.
		limit, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 63)
		if err == nil && limit > 0 && (total == 0 && limit < 1<<50 || Size(limit) < total) {
			total = Size(limit)
		}
	}
	return total
}

// memTotal reads the line "MemTotal: 4028744 kB"; 0 if there is none.
func memTotal(file string) Size {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			n, err := strconv.ParseUint(fields[1], 10, 50)
			if err != nil {
				return 0
			}
			return Size(n) << 10
		}
	}
	return 0
}
