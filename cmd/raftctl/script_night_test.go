package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// The member of the night: etcd's default name, peer URL and token.
const (
	nightMember  = 0x8e9e05c52164694d
	nightCluster = 0xcdf818194e3a8c32
)

// night is what happens to the etcd of a small Kubernetes cluster: three nodes renew their leases, pods are
// made, a backup is taken at 02:55, and at 03:01:37 somebody deletes all pods of a namespace. At 03:10 the
// machine dies.
type night struct {
	now     time.Time
	entries []raftpb.Entry
	backup  int // how many entries the backup has
}

func at(clock string) time.Time {
	t, err := time.Parse(time.RFC3339, "2026-03-01T"+clock+"Z")
	if err != nil {
		panic(err) // ours
	}
	return t
}

// request adds an entry with a request of the server that was started at 02:40.
func (n *night) request(r *pb.InternalRaftRequest) {
	const member, counter = nightMember & 0xffff << 48, 8
	id := member | uint64(at("02:40:00").UnixMilli())<<counter&(1<<48-1) | uint64(len(n.entries))
	r.Header = &pb.RequestHeader{ID: id}
	data, err := proto.Marshal(r)
	if err != nil {
		panic(err) // ours
	}
	n.add(raftpb.EntryNormal, data)
}

func (n *night) add(typ raftpb.EntryType, data []byte) {
	n.entries = append(n.entries, raftpb.Entry{Type: typ, Term: 2, Index: uint64(len(n.entries) + 1), Data: data})
}

func (n *night) put(key, value string) {
	n.request(&pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}})
}

// renew renews the lease of a node, by its clock.
func (n *night) renew(node string) {
	n.put("/registry/leases/kube-node-lease/"+node, fmt.Sprintf(`{"kind":"Lease","apiVersion":"coordination.k8s.io/v1",`+
		`"metadata":{"name":%q,"namespace":"kube-node-lease","creationTimestamp":"2026-01-10T08:00:00Z"},`+
		`"spec":{"holderIdentity":%q,"leaseDurationSeconds":40,"renewTime":%q}}`,
		node, node, n.now.Format("2006-01-02T15:04:05.000000Z")))
}

func (n *night) pod(name string) {
	n.put("/registry/pods/shop/"+name, fmt.Sprintf(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":%q,`+
		`"namespace":"shop","creationTimestamp":%q}}`, name, n.now.Format(time.RFC3339)))
}

func newNight(v2 bool) *night {
	n := new(night)
	context := fmt.Sprintf(`{"id":%d,"peerURLs":["http://localhost:2380"],"name":"default"}`, uint64(nightMember))
	cc := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: nightMember, Context: []byte(context)}
	n.add(raftpb.EntryConfChange, cc.Marshal(raftpb.FlavorGogo))
	n.add(raftpb.EntryNormal, nil)
	n.request(&pb.InternalRaftRequest{ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{Member_ID: nightMember,
		MemberAttributes: &membershippb.Attributes{Name: "default", ClientUrls: []string{"http://localhost:2379"}}}})
	n.request(&pb.InternalRaftRequest{ClusterVersionSet: &membershippb.ClusterVersionSetRequest{Ver: "3.6.0"}})
	if v2 {
		n.add(raftpb.EntryNormal, v2Put("/0/version", "3.6.0"))
	}
	pods := map[time.Time][]string{at("02:45:10"): {"web-1", "web-2", "web-3", "db-0"}, at("02:58:20"): {"web-4", "web-5"}}
	for n.now = at("02:45:00"); n.now.Before(at("03:10:00")); n.now = n.now.Add(time.Second) {
		if i := n.now.Second() % 10; i < 3 {
			n.renew(fmt.Sprintf("node-%c", 'a'+i))
		}
		for _, name := range pods[n.now] {
			n.pod(name)
		}
		switch {
		case n.now.Equal(at("02:55:00")):
			n.backup = len(n.entries)
		case n.now.Equal(at("03:01:37")):
			n.request(&pb.InternalRaftRequest{DeleteRange: &pb.DeleteRangeRequest{
				Key: []byte("/registry/pods/shop/"), RangeEnd: []byte("/registry/pods/shop0")}})
		}
	}
	return n
}

// v2Put is a request of the v2 store, as etcd up to 3.5 made them for its own purposes.
func v2Put(path, value string) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 7)
	for i, text := range []string{"PUT", path, value} {
		b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(i+2), protowire.BytesType), text)
	}
	return protowire.AppendVarint(protowire.AppendTag(b, 5, protowire.VarintType), 0) // no directory
}

// store makes the database of the first entries.
func (n *night) store(dir string, count int) (err error) {
	s, err := kv.Open(dir, kv.Options{Member: nightMember, Cluster: nightCluster, NoSync: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.Apply(n.entries[:count]); err != nil {
		return err
	}
	return s.SetStorageVersion()
}

// scriptNight makes the files of the night: night DIR BACKUP. DIR is the data directory, as the dead machine's
// disk has it: its database lacks the last entries. BACKUP is the folder with the database at 02:55. With -v2 the
// log has a request of the v2 store.
func scriptNight(ts *testscript.TestScript, _ bool, args []string) {
	v2 := args[0] == "-v2"
	if v2 {
		args = args[1:]
	}
	n := newNight(v2)
	dir, backup := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	for _, d := range []string{filepath.Join(dir, "member", "snap"), backup} {
		ts.Check(os.MkdirAll(d, 0o700))
	}
	ts.Check(n.store(backup, n.backup))
	ts.Check(n.store(filepath.Join(dir, "member", "snap"), len(n.entries)-20))
	w, err := wal.Create(vfs.OS, filepath.Join(dir, "member", "wal"), wal.CreateOptions{
		Metadata: wal.Metadata{NodeID: nightMember, ClusterID: nightCluster}})
	ts.Check(err)
	last := n.entries[len(n.entries)-1].Index
	ts.Check(w.Append(raftpb.HardState{Term: 2, Vote: nightMember, Commit: last - 1}, n.entries))
	ts.Check(w.Close())
}

// runbookFile has the runbooks.
const runbookFile = "../../docs/recovery.md"

// runbookLines returns the command lines in the runbooks.
func runbookLines(ts *testscript.TestScript) (lines []string) {
	b, err := os.ReadFile(runbookFile)
	ts.Check(err)
	joined := strings.ReplaceAll(string(b), " \\\n      ", " ")
	for line := range strings.Lines(joined) {
		if rest, ok := strings.CutPrefix(line, "    $ raftctl "); ok {
			lines = append(lines, strings.TrimSpace(rest))
		}
	}
	return lines
}

// scriptRunbook runs a command line that a runbook has: runbook ARG….
func scriptRunbook(ts *testscript.TestScript, neg bool, args []string) {
	line := strings.Join(args, " ")
	if !slices.Contains(runbookLines(ts), line) {
		ts.Fatalf("%s doesn't have %q", runbookFile, line)
	}
	ts.Setenv("runbooks", ts.Getenv("runbooks")+line+"\n")
	scriptRaftctl(ts, neg, args)
}

// scriptRunbooks checks that all command lines of the runbooks were run.
func scriptRunbooks(ts *testscript.TestScript, _ bool, _ []string) {
	ran := strings.Split(ts.Getenv("runbooks"), "\n")
	for _, line := range runbookLines(ts) {
		if !slices.Contains(ran, line) {
			ts.Fatalf("the script doesn't run %q", line)
		}
	}
}
