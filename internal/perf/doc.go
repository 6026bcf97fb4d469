// Package perf measures raftctl as its users meet it, on logs of a gigabyte, each figure beside its
// peer in the same run: etcd's own log package, etcd's dump tool as a process, and a plain checksum
// over the same bytes. It holds benchmarks only; `make bench` runs them at full size.
package perf
