# Everything that is built lands in build/, which is ignored. Nothing is installed.
SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/raftctl/raftctl/cmd/raftctl/metacmd.version=$(VERSION)
FUZZTIME ?= 20s
LOOKS   ?= 1000
SEEDS   ?= 100
BENCH   ?= .
FIRE    ?= 2h
COUNT   ?= 3
BENCHTIME ?= 0.5s
ETCD    := $(patsubst %,build/etcd-%/.stamp,3.4 3.4.9 3.5 3.5.4 3.5.6 3.6 3.7) build/bin/etcd-dump-db
SUITES  := build/suites/kube.test build/suites/etcd-common.test build/suites/etcd-e2e.test build/suites/etcd-robustness.test
DATA    := testdata/c36-3m-clean.tar.zst/clean/m1

.PHONY: build demo test race lab fuzz lint bench check clean etcd suites debian
build: ## the static binary, build/raftctl
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o build/raftctl ./cmd/raftctl

demo: build ## stat, dump and verify on the log of a real etcd, and the repair of one with a flipped bit
	@testdata/demo.sh build/raftctl $(DATA) testdata/damaged/flipped.tar.zst

test: etcd suites debian ## all tests, against real etcds
	$(GO) test -timeout 20m ./...

# Not what reads files, kills processes or opens databases anew some thousand times on one goroutine: fifteen minutes there.
race: etcd ## the concurrent packages under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 30m -skip 'EveryPrefix|EveryFlip|VerifyFlips|VerifyAgainst|SiteOfEvery|Golden|HostileLengthInLarge|FromTheMiddle|Spliced|VerifyCorpus|DamageHides' ./wal/... ./raft/... ./snapshot/... ./decode/stream/relay ./decode/stream/recording
	CGO_ENABLED=1 $(GO) test -race -timeout 30m -skip 'Killed|Crash|FromEachSnapshot|OfServer|OnEachMember|OnRealDatabase|(Rolling|Sent|Promoted)/3.[57]' ./node/...
	CGO_ENABLED=1 $(GO) test -race -timeout 30m -run 'Scripts|Follow' ./cmd/raftctl

lab: etcd suites ## the long version of what tests do a little of: LOOKS looks at each running etcd, SEEDS random histories, FIRE of faults
	RAFTCTL_LOOKS=$(LOOKS) $(GO) test ./wal ./snapshot/database -run RunningEtcd -count 1 -timeout 4h -v
	RAFTCTL_SEEDS=$(SEEDS) $(GO) test ./cmd/raftctl/restoretest -run 'TestRestore$$|OfThree|Random|Simulated' -count 1 -timeout 4h -v
	RAFTCTL_SEEDS=$(SEEDS) RAFTCTL_TABLE=$(CURDIR)/docs/repair.md $(GO) test ./repair/repairtest -run Laboratory -count 1 -timeout 4h -v
	RAFTCTL_SEEDS=$(SEEDS) $(GO) test ./repair/repairtest -run 'BootRepaired|RecoverScript' -count 1 -timeout 4h -v
	RAFTCTL_SEEDS=$(SEEDS) $(GO) test ./repair ./repair/correct -run 'ApplyFails|NeverWrong' -count 1 -timeout 4h -v
	RAFTCTL_SEEDS=$(SEEDS) $(GO) test ./raft/internal/onlooker -count 1 -timeout 4h -v
	$(GO) test ./raft/internal/mutation -run MessagesTell -mutation.all -count 1 -timeout 4h -v
	$(GO) test ./node/internal/sim -run Worlds -sim.seeds $(SEEDS)000 -count 1 -timeout 8h
	$(GO) test ./node/internal/mutation -mutation.all -count 1 -timeout 4h -v
	RAFTCTL_LOOKS=20 $(GO) test ./node -run MembersKilled -count 1 -timeout 4h -v
	RAFTCTL_LOOKS=50 RAFTCTL_SUITES=whole $(GO) test ./cmd/raftctl/nodetest -count 1 -timeout 12h -v
	RAFTCTL_FIRE=$(FIRE) RAFTCTL_SEED=$$(date +%s) $(GO) test ./cmd/raftctl/firetest -run Fire -count 1 -timeout 4h -v

fuzz: ## every fuzz target for FUZZTIME
	@testdata/fuzz.sh $(FUZZTIME)

lint: build/bin/golangci-lint ## gofmt, vet, golangci-lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go') | tee /dev/stderr)"
	$(GO) vet ./...
	build/bin/golangci-lint run ./...

bench: etcd build build/bin/etcd-dump-logs build/bin/benchmark build/bin/benchstat ## benchmarks beside their peers, on logs of 1 GiB: docs/performance.md
	for i in $$(seq $(COUNT)); do \
	  RAFTCTL_BENCH_BYTES=1073741824 $(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./... && \
	  (cd internal/raftbench36 && $(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem .) || exit 1; \
	done | tee build/bench.txt
	{ $(GO) run ./internal/benchtable && build/bin/benchstat -filter .name:Raft -col /impl build/bench.txt | sed 's/^/    /'; } <build/bench.txt >docs/performance.md

check: test race lint ## what CI runs

clean: ## all that was built
	rm -rf build

etcd: $(ETCD) ## the real etcds that tests start

build/etcd-%/.stamp: testdata/etcd/v%/go.mod
	mkdir -p $(@D)
	cd testdata/etcd/v$* && CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o ../../../$(@D)/ tool
	cd $(@D) && { test ! -f server || mv server etcd; } && touch .stamp

debian: ## what Debian has, where it is missing: Chromium looks at what message draw makes, tshark counts what captures hold, the rest makes worlds of faults
	@for it in chromium:chromium tshark:tshark ip:iproute2 nsenter:util-linux mkfs.ext4:e2fsprogs; do \
	  command -v $${it%%:*} >/dev/null || missing="$$missing $${it##*:}"; done; test -z "$$missing" || \
	{ apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; }

suites: $(SUITES) ## the tests that others wrote for etcd

build/suites/etcd-%.test: testdata/suites/etcd/go.mod
	cd testdata/suites/etcd && $(GO) test -tags e2e -c -o ../../../$@ go.etcd.io/etcd/tests/v3/$*

build/suites/etcd-robustness.test: testdata/suites/etcd/go.mod testdata/suites/etcd/robustness.sh
	testdata/suites/etcd/robustness.sh $@

build/suites/kube.test: testdata/suites/kube/go.mod testdata/suites/kube/build.sh testdata/suites/kube/testserver/testserver.go
	testdata/suites/kube/build.sh $@

build/bin/etcd-dump-logs build/bin/etcd-dump-db build/bin/benchmark &: testdata/etcd/dumplogs/go.mod
	mkdir -p build/bin
	cd testdata/etcd/dumplogs && CGO_ENABLED=0 $(GO) build -o ../../../build/bin/ tool

build/bin/golangci-lint build/bin/benchstat &: internal/tools/go.mod
	cd internal/tools && CGO_ENABLED=0 $(GO) build -o ../../build/bin/ tool
