package etcdlog_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/etcdlog"
)

// Every cause is told in full, once, and by classes that there are.
func TestCauses(t *testing.T) {
	var classes []string
	for _, c := range repair.Classes() {
		classes = append(classes, c.Class)
	}
	seen := map[string]bool{}
	for _, c := range etcdlog.Causes() {
		if seen[c.Name] || !regexp.MustCompile(`^[a-z0-9_]+$`).MatchString(c.Name) || c.Means == "" || c.Advice == "" || len(c.Words) == 0 {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
		for _, class := range c.Classes {
			if !slices.Contains(classes, class) {
				t.Errorf("%s: there is no class %s", c.Name, class)
			}
		}
		for _, text := range []string{c.Means, c.Advice} {
			if strings.TrimSpace(text) != text || strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q", c.Name, text)
			}
		}
	}
}

// What healthy servers log has no cause.
func TestHealthyServers(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			var all strings.Builder
			for range 2 {
				s := etcdtest.Start(t, version, dir, append(etcdtest.Quick, "--snapshot-count", "5", "--log-level", "debug")...)
				for i := range 20 {
					s.Ctl("put", fmt.Sprint("key", i), "value")
				}
				s.Stop()
				all.WriteString(s.Log())
			}
			r, err := etcdlog.Read(t.Context(), strings.NewReader(all.String()))
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range r.Hits {
				if h.Cause.Name != "slow" && h.Cause.Name != "slow_disk" { // which the machine may be
					t.Errorf("%s: %d lines, such as %q", h.Cause.Name, h.N, h.First.Text)
				}
			}
			if r.Etcd < r.Lines/2 || r.Version == "" || r.DataDir != dir {
				t.Errorf("%d of %d lines are etcd's; version %q, data-dir %q", r.Etcd, r.Lines, r.Version, r.DataDir)
			}
		})
	}
}
