# Bare "make" lists what there is.

GO      := scripts/go.sh
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null)
# nDPI is built in where its library is (make deps).
TAGS    := $(shell pkg-config --exists libndpi 2>/dev/null && echo ndpi)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.date=$(DATE)
FUZZTIME ?= 10s
export GOFLAGS := -buildvcs=false $(filter-out -buildvcs=false,$(GOFLAGS))

.DEFAULT_GOAL := help
.PHONY: help deps build run test test-race e2e fuzz bench bench-peers conformance lint fix golden golden-lab clean setup

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building needs
	@scripts/setup.sh build

deps: ## install what is built in where it is there: nDPI, libpcap
	@scripts/setup.sh deps

build: setup ## build bin/portolan
	$(GO) build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o bin/portolan ./cmd/portolan

run: build ## chart the capture that ships with the project
	@scripts/demo.sh

test: ## run the tests, after installing what they need
	@scripts/setup.sh test
	cd e2e/clickhouse && npm ci --ignore-scripts --no-audit --no-fund --silent
	$(GO) test -tags "$$(pkg-config --exists libndpi && echo ndpi)" ./...

test-race: ## run the tests with the race detector
	@scripts/setup.sh test
	cd e2e/clickhouse && npm ci --ignore-scripts --no-audit --no-fund --silent
	$(GO) test -race -tags "$$(pkg-config --exists libndpi && echo ndpi)" ./...

e2e: ## open our files in the real draw.io, run live against the lab
	@scripts/setup.sh e2e
	cd e2e/drawio && npm ci --ignore-scripts --no-audit --no-fund --silent
	$(GO) test -tags e2e ./e2e/...

fuzz: setup ## run every fuzz target for FUZZTIME
	@scripts/fuzz.sh $(FUZZTIME)

bench: setup ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./internal/...

bench-peers: build ## measure beside nfpcapd and softflowd
	@scripts/setup.sh bench
	@scripts/bench-peers.sh

conformance: ## compare with public captures (PORTOLAN_DATA, default ../shared/data)
	@scripts/setup.sh test
	$(GO) test -tags 'conformance ndpi' -count=1 -timeout 30m -p 1 ./e2e/conformance/... ./e2e/ndpi/...

lint: setup ## check format, vet, staticcheck
	@gofmt="$$($(GO) env GOROOT)/bin/gofmt"; test -z "$$($$gofmt -l cmd internal e2e)" || { $$gofmt -d cmd internal e2e; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags 'e2e conformance' ./e2e/...
	$(GO) vet -tags "$$(pkg-config --exists libndpi && echo ndpi)" ./...
	$(GO) tool -modfile=tools/go.mod staticcheck -checks inherit,-U1000 ./... # U1000 does not see what other build tags use

fix: setup ## format, and apply go fix
	"$$($(GO) env GOROOT)/bin/gofmt" -w cmd internal e2e
	$(GO) fix ./...

golden: setup ## write the expected files of the tests anew
	$(GO) test ./internal/... ./cmd/... -update

golden-lab: setup ## run the lab anew as root, and capture it into testdata/lab
	e2e/lab/make.sh

clean: ## remove what was built
	rm -rf bin artifacts
