// Package archtest holds the rules of the module's structure as tests.
package archtest

// order lists the packages of internal in the way of the data. A package may
// import only packages that stand before it: what is downstream knows what is
// upstream, never the other way round.
var order = []string{
	"archtest",
	// bytes to flows
	"flow", "packet", "capture", "capture/bpf", "capture/ring", "l7", "meter", "l7/dissect", "l7/ndpi",
	// knowing
	"host",
	// keeping
	"query", "store", "store/storetest", "store/memory", "store/parquet", "store/mariadb", "store/clickhouse", "store/drivers", "store/spool",
	// meaning
	"topology",
	// showing
	"chart", "chart/charttest", "export",
	// around
	"pipeline", "config", "daemon", "term", "cli",
}

// exceptions are imports against the order, each with its reason.
var exceptions = map[[2]string]string{
	{"store/storetest", "store/memory"}: "the memory store is the contract's oracle",
}
