// Command labd is what the lab has no ready program for: a shop that keeps its
// goods in MariaDB and its visits in Redis, an exporter of metrics, and the
// scraper that reads it.
//
// Usage:
//
//	labd shop :8080
//	labd metrics :9100
//	labd scrape DURATION INTERVAL HOST:PORT...
package main

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("labd: ")
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "shop":
		return serveShop(args[1])
	case len(args) == 2 && args[0] == "metrics":
		return http.ListenAndServe(args[1], http.HandlerFunc(metrics))
	case len(args) > 3 && args[0] == "scrape":
		length, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		every, err := time.ParseDuration(args[2])
		if err != nil {
			return err
		}
		scrape(length, every, args[3:])
		return nil
	}
	return errors.New("usage: labd shop ADDR | metrics ADDR | scrape DURATION INTERVAL HOST:PORT [HOST:PORT]*")
}

// metrics answers as exporters do.
func metrics(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "# TYPE up gauge\nup 1\n# TYPE time_seconds gauge\ntime_seconds %d\n", time.Now().Unix())
	for i := range 40 {
		fmt.Fprintf(w, "requests_total{code=\"%d\"} %d\n", 200+i, i*i)
	}
}

// scrape reads the metrics of every target over one connection each.
func scrape(length, every time.Duration, targets []string) {
	end := time.After(length)
	tick := time.NewTicker(every)
	for {
		var wg sync.WaitGroup
		for _, t := range targets {
			wg.Go(func() {
				if err := get("http://" + t + "/metrics"); err != nil {
					log.Print(err)
				}
			})
		}
		wg.Wait()
		select {
		case <-end:
			http.DefaultClient.CloseIdleConnections()
			return
		case <-tick.C:
		}
	}
}

func get(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// A shop answers /, /list and /item/N.
type shop struct {
	db     *sql.DB
	visits cache
}

func serveShop(addr string) error {
	db, err := sql.Open("mysql", "shop:shop@tcp(db.lab.example:3306)/shop")
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(time.Minute)
	s := &shop{db: db, visits: cache{addr: "cache.lab.example:6379"}}
	http.HandleFunc("GET /{$}", s.front)
	http.HandleFunc("GET /list", s.list)
	http.HandleFunc("GET /item/{id}", s.item)
	return http.ListenAndServe(addr, nil)
}

func (s *shop) front(w http.ResponseWriter, r *http.Request) {
	n, err := s.visits.do("INCR", "visits")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "Visit number %s.\n", n)
}

func (s *shop) list(w http.ResponseWriter, r *http.Request) {
	rows, err := s.db.QueryContext(r.Context(), "SELECT id, name FROM item WHERE id <= 200 ORDER BY id")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return
		}
		fmt.Fprintf(w, "%d\t%s\n", id, name)
	}
}

func (s *shop) item(w http.ResponseWriter, r *http.Request) {
	var name string
	err := s.db.QueryRowContext(r.Context(), "SELECT name FROM item WHERE id = ?", r.PathValue("id")).Scan(&name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if _, err := s.visits.do("SET", "last", name); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, name)
}

// A cache speaks RESP with one Redis server over one connection.
type cache struct {
	addr string
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
}

// do sends one command and returns its one-line answer.
func (c *cache) do(words ...string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			return "", err
		}
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	_, err := io.WriteString(c.conn, b.String())
	if err == nil {
		var line string
		if line, err = c.in.ReadString('\n'); err == nil {
			return strings.TrimSpace(line)[1:], nil
		}
	}
	c.conn.Close()
	c.conn = nil
	return "", err
}
