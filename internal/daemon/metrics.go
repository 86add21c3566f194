package daemon

import "github.com/prometheus/client_golang/prometheus"

// A collector shows a Status to Prometheus. Names are those of docs/metrics.md.
type collector struct{ status func() Status }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("portolan_"+name, help, labels, nil)
}

var (
	infoDesc     = desc("info", "What runs; always 1.", "version", "instance", "store", "identify")
	upDesc       = desc("interface_up", "1 if the interface is captured and up.", "interface")
	kernelDesc   = desc("kernel_packets_total", "Packets that the kernel saw for us, drops included.", "interface")
	dropsDesc    = desc("dropped_packets_total", "Packets lost before they were looked at.", "interface", "where")
	framesDesc   = desc("frames_total", "Frames taken from the ring, by what became of them.", "interface", "outcome")
	lostDesc     = desc("undecoded_packets_total", "Packets that could not be decoded.", "interface", "reason")
	bytesDesc    = desc("ip_bytes_total", "IP bytes of decoded packets.", "interface")
	flowsDesc    = desc("flows_total", "Conversations that began.", "interface")
	liveDesc     = desc("flows_live", "Conversations in the flow table.", "interface")
	recordsDesc  = desc("records_total", "Records exported from the flow table.", "interface")
	earlyDesc    = desc("flows_early_total", "Conversations exported early because the table was full.", "interface")
	unknownDesc  = desc("flows_unidentified_total", "Conversations that nobody looked into because too many were pending.", "interface")
	writtenDesc  = desc("store_records_total", "Records that the store took.")
	droppedDesc  = desc("store_dropped_records_total", "Records lost because the store was too slow and the spill folder full.")
	spilledDesc  = desc("store_spilled_records_total", "Records that waited on the disk.")
	waitingDesc  = desc("store_waiting_records", "Records that wait for the store.", "where")
	spillDesc    = desc("store_spill_bytes", "Bytes in the spill folder.")
	retriesDesc  = desc("store_retries_total", "Calls of the store that failed.")
	lagDesc      = desc("store_lag_seconds", "Age of the oldest record that waits for the store.")
	storeUpDesc  = desc("store_up", "1 if the store takes records.")
	startedDesc  = desc("start_time_seconds", "When the daemon was started, Unix time.")
	descriptions = []*prometheus.Desc{
		infoDesc, upDesc, kernelDesc, dropsDesc, framesDesc, lostDesc, bytesDesc, flowsDesc, liveDesc, recordsDesc,
		earlyDesc, unknownDesc, writtenDesc, droppedDesc, spilledDesc, waitingDesc, spillDesc, retriesDesc, lagDesc,
		storeUpDesc, startedDesc,
	}
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.status()
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(infoDesc, 1, s.Version, s.Instance, s.Store, s.Identify)
	gauge(startedDesc, float64(s.Started.UnixMilli())/1000)
	for _, f := range s.Sources {
		gauge(upDesc, oneIf(f.State == "up"), f.Interface)
		count(kernelDesc, f.Kernel, f.Interface)
		count(dropsDesc, f.Drops, f.Interface, "ring")
		count(dropsDesc, f.Card, f.Interface, "card")
		undecoded := uint64(0)
		for reason, n := range f.Undecoded {
			count(lostDesc, n, f.Interface, reason)
			undecoded += n
		}
		count(framesDesc, f.Decoded, f.Interface, "decoded")
		count(framesDesc, f.NotIP, f.Interface, "not_ip")
		count(framesDesc, undecoded, f.Interface, "undecoded")
		count(framesDesc, f.Unsampled, f.Interface, "unsampled")
		count(bytesDesc, f.Bytes, f.Interface)
		count(flowsDesc, f.Flows, f.Interface)
		gauge(liveDesc, float64(f.Live), f.Interface)
		count(recordsDesc, f.Records, f.Interface)
		count(earlyDesc, f.Early, f.Interface)
		count(unknownDesc, f.Unidentified, f.Interface)
	}
	q := s.Queue
	count(writtenDesc, q.Written)
	count(droppedDesc, q.Dropped)
	count(spilledDesc, q.Spilled)
	gauge(waitingDesc, float64(q.InMemory), "memory")
	gauge(waitingDesc, float64(q.OnDisk), "disk")
	gauge(spillDesc, float64(q.Bytes))
	count(retriesDesc, q.Retries)
	gauge(lagDesc, q.Lag.Seconds())
	gauge(storeUpDesc, oneIf(q.Trouble == ""))
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
