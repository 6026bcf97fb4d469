package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

// Who joins learns the version of the cluster from whoever knows it; of one that has none yet, what it will be.
func TestVersionToJoin(t *testing.T) {
	for _, c := range []struct {
		told []version.Versions // nothing: the member is down
		want string
	}{
		{[]version.Versions{{Server: "3.7.3", Cluster: "3.6.0"}, {}}, "3.6.0"},
		{[]version.Versions{{Server: "3.7.3", Cluster: "3.5.0"}, {Server: "3.7.3", Cluster: "3.6.0"}}, "3.6.0"},
		{[]version.Versions{{Server: "3.7.3", Cluster: "not_decided"}, {}}, "3.7.0"},
		{[]version.Versions{{Server: "3.7.3", Cluster: "not_decided"}, {Server: "3.5.35", Cluster: "not_decided"}}, "3.5.0"},
		{[]version.Versions{{Server: "3.7.3", Cluster: "not_decided"}, {Server: "3.5.35", Cluster: "3.5.0"}}, "3.5.0"},
		{[]version.Versions{{}, {}}, ""},
		{[]version.Versions{{Server: "3.7.3", Cluster: "none"}}, ""},
	} {
		var members []*membership.Member
		for _, v := range c.told {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if v.Server == "" {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				_ = json.NewEncoder(w).Encode(v)
			}))
			t.Cleanup(s.Close)
			members = append(members, &membership.Member{RaftAttributes: membership.RaftAttributes{PeerURLs: []string{s.URL}}})
		}
		v, err := clusterVersion(t.Context(), http.DefaultClient, members)
		if got := fmt.Sprint(v); err == nil && got != c.want || err != nil && c.want != "" {
			t.Errorf("%v: %s (%v), want %q", c.told, got, err, c.want)
		}
	}
}
