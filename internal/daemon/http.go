package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A server answers /status (JSON, a Status), /metrics (Prometheus) and
// /healthz: 200 if flows get into the store, 503 and why not.
type server struct {
	listener net.Listener // nil = nobody is answered
	http     http.Server
	log      *slog.Logger
}

// Limits of a client that is slow, or hostile.
const (
	headerWithin = 5 * time.Second
	writeWithin  = 30 * time.Second
	headerBytes  = 16 << 10
)

func (d *daemon) listen() (*server, error) {
	s := &server{log: d.log}
	if d.cfg.Listen == "" {
		return s, nil
	}
	var err error
	if s.listener, err = net.Listen("tcp", d.cfg.Listen); err != nil {
		return nil, err
	}
	if host, _, err := net.SplitHostPort(s.listener.Addr().String()); err == nil && !net.ParseIP(host).IsLoopback() {
		d.log.Warn("status and metrics can be read from other machines, without a password", "listen", d.cfg.Listen)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{d.status}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(d.status()) //nolint:errcheck // the client has gone
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		s := d.status()
		if why := s.Trouble(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte("ok\n")) //nolint:errcheck // the client has gone
	})
	s.http = http.Server{
		Handler: mux, ReadHeaderTimeout: headerWithin, ReadTimeout: headerWithin,
		WriteTimeout: writeWithin, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

func (s *server) serve() {
	if s.listener == nil {
		return
	}
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("status and metrics are not served any more", "err", err)
	}
}

func (s *server) close() error {
	if s.listener == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
