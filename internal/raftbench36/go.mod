module github.com/raftctl/raftctl/internal/raftbench36

go 1.26.0

require (
	github.com/raftctl/raftctl v0.0.0
	go.etcd.io/raft/v3 v3.7.0
)

require (
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/golang/protobuf v1.5.4 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

// Our own module needs 3.7 for its tests, so that asking for 3.6 alone would not get it.
replace (
	github.com/raftctl/raftctl => ../..
	go.etcd.io/raft/v3 => go.etcd.io/raft/v3 v3.6.0
)
