package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// TestSecretsInValues stores secrets under keys and in values, and looks for them in every view of the
// log.
func TestSecretsInValues(t *testing.T) {
	const planted = "pl4nted-S3cret-of-etcd"
	dir := t.TempDir() + "/log"
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	var entries []raftpb.Entry
	for key, value := range map[string]string{
		"/app/token":                    planted,
		"/registry/secrets/default/db":  `{"kind":"Secret","apiVersion":"v1","data":{"a":"` + planted + `"}}`,
		"/app/config":                   `{"host":"db","password":"` + planted + `"}`,
		"/app/env":                      "HOST=db\nDB_PASSWORD=" + planted + "\n",
		"/app/dsn":                      "postgres://app:" + planted + "@db/app",
		"/registry/configmaps/kube/web": "k8s\x00\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x30password=" + planted,
	} {
		data, err := proto.Marshal(&pb.InternalRaftRequest{Header: &pb.RequestHeader{ID: 7},
			Put: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}})
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, raftpb.Entry{Term: 1, Index: uint64(len(entries)) + 1, Data: data})
	}
	if err := w.Append(raftpb.HardState{Term: 1, Commit: uint64(len(entries))}, entries); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"dump", "dump -o jsonl", "dump --values full", "dump -o json --values full",
		"dump --raw", "dump --raw -o jsonl", "dump --decode text", "dump --decode raw --values full -o jsonl",
		"dump --decode hex --values full", "stat --top 10", "stat --top 10 -o json",
		"repair --neutralise 1,2,3,4,5,6", "repair --neutralise 1,2,3,4,5,6 -o json"} {
		verb, rest, _ := strings.Cut(args, " ")
		line := append([]string{"wal", verb, dir}, strings.Fields(rest)...)
		var out bytes.Buffer
		run(t.Context(), testApp(&out, &out), line)
		if leak := leaked(out.Bytes(), planted); leak || out.Len() == 0 {
			t.Errorf("%s shows a secret: %s", args, out.String())
		}
	}
	var out bytes.Buffer
	run(t.Context(), testApp(&out, &out), []string{"wal", "dump", dir, "--values", "full", "--show-secrets"})
	if n := bytes.Count(out.Bytes(), []byte(planted)); n < len(entries)-1 { // one is shown in hex
		t.Errorf("--show-secrets shows %d secrets, want %d: %s", n, len(entries)-1, out.String())
	}
}

// leaked reports whether a text shows a part of a secret as it is, in hex or in base64.
func leaked(text []byte, secret string) bool {
	part := []byte(secret[:len(secret)-4])
	for shift := range 3 {
		enc := base64.RawStdEncoding.EncodeToString(part[shift:])
		if bytes.Contains(text, []byte(enc[:len(enc)-2])) {
			return true
		}
	}
	return bytes.Contains(text, part) || bytes.Contains(text, []byte(hex.EncodeToString(part)))
}
