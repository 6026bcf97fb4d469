package etcdapi

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"google.golang.org/grpc/credentials"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// fewUsers are users and roles, as root sets them up. User somebody may write keys w to x.
var fewUsers = []row{
	{name: "user", r: addUser("root", "secret of root")},
	{name: "role", r: &pb.AuthRoleAddRequest{Name: "root"}},
	{name: "give", r: &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"}},
	{name: "role", r: &pb.AuthRoleAddRequest{Name: "write"}},
	{name: "permission", r: grant("write", authpb.READWRITE, "w", "x")},
	{name: "user", r: addUser("somebody", "of some")},
	{name: "give", r: &pb.AuthUserGrantRoleRequest{User: "somebody", Role: "write"}},
	{name: "enable", r: &pb.AuthEnableRequest{}},
}

// TestJWT has tokens that say as of when their users had their rights, and are good until that changes.
func TestJWT(t *testing.T) {
	const somebody = "somebody:of some"
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("a key of a test"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := "jwt,sign-method=HS256,ttl=10m,priv-key=" + key
	ours, etcds := sides(t, node.Config{AuthToken: spec}, "--auth-token="+spec)
	compare(t, ours, etcds, fewUsers)
	compare(t, ours, etcds, []row{
		{name: "write", r: put("w", "1"), as: somebody},
		{name: "read", r: get("w"), as: somebody},
		{name: "read what one may not", r: get("a"), as: somebody},
		{name: "attach", r: &pb.LeaseGrantRequest{ID: 7, TTL: 1000}, as: somebody},
		{name: "change", r: &pb.AuthRoleAddRequest{Name: "more"}, as: root},
		{name: "the token is old", r: put("w", "1"), as: somebody},
		{name: "the token is old", r: get("w"), as: somebody},
		{name: "the token is old", r: get("w", local), as: somebody},
		{name: "the token is old", r: txnOf(get("w")), as: somebody},
		{name: "the token is old", r: &pb.LeaseTimeToLiveRequest{ID: 7, Keys: true}, as: somebody},
		{name: "the token is old", r: &pb.LeaseKeepAliveRequest{ID: 7}, as: somebody},
		{name: "the token is old", r: &pb.LeaseLeasesRequest{}, as: somebody},
		{name: "the token is old", r: &pb.StatusRequest{}, as: somebody},
		{name: "the token of root is old", r: put("w", "1"), as: root},
		{name: "the token of root is old", r: &pb.HashKVRequest{}, as: root},
		{name: "a new one", r: token("root", "secret of root"), as: root},
	})
}

// TestCertificates has clients that are who their certificates say.
func TestCertificates(t *testing.T) {
	t.Parallel()
	certs := etcdtest.NewCerts(t)
	info := transport.TLSInfo{
		CertFile: certs.ServerCert, KeyFile: certs.ServerKey, TrustedCAFile: certs.CA, ClientCertAuth: true,
	}
	server, err := info.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	info.CertFile, info.KeyFile = certs.ClientCert, certs.ClientKey
	client, err := info.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	_, endpoint := startNode(t, node.Config{ClientCertAuth: true}, Options{TLS: server})
	flags := append([]string{"--name=m1", "--bcrypt-cost=4"}, etcdtest.Quick...)
	ours := dialTLS(t, endpoint, client)
	etcds := dialTLS(t, etcdtest.StartTLS(t, "3.7", t.TempDir(), certs, flags...).Endpoint, client)
	compare(t, ours, etcds, fewUsers)
	compare(t, ours, etcds, []row{
		{name: "write", r: put("w", "1")},
		{name: "write what one may not", r: put("a", "1")},
		{name: "read", r: get("w")},
		{name: "read in a transaction", r: txnOf(get("w"))},
		{name: "read what one may not", r: get("a")},
		{name: "lease", r: &pb.LeaseGrantRequest{ID: 7, TTL: 1000}},
		{name: "leases", r: &pb.LeaseLeasesRequest{}},
		{name: "members", r: &pb.MemberListRequest{}},
		{name: "upkeep", r: &pb.HashKVRequest{}},
		{name: "upkeep with a token", r: &pb.HashKVRequest{}, as: root},
		{name: "token before certificate", r: put("a", "1"), as: root},
		{name: "no token", r: put("w", "1"), as: "no token"},
		{name: "users", r: &pb.AuthUserListRequest{}},
	})
	plain := dial(t, endpoint)
	if _, err := plain.do(t.Context(), get("w"), false); err == nil {
		t.Error("a client without TLS is served")
	}
}

func dialTLS(t *testing.T, endpoint string, config *tls.Config) *side {
	t.Helper()
	return dialWith(t, endpoint, credentials.NewTLS(config))
}
