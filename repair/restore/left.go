package restore

import (
	"fmt"
	"strings"
)

// LeftOut is something of the old cluster that the new one doesn't have, or still has though it may not
// be wanted.
type LeftOut struct {
	What   string // members, removed_members, alarms, leases, storage_version, cluster_version
	Kept   bool
	Why    string
	Advice string // a flag that changes it; empty if there is none
}

func leftOut(p *Plan) (list []LeftOut) {
	b := p.Base
	add := func(what string, kept bool, advice, format string, args ...any) {
		list = append(list, LeftOut{what, kept, fmt.Sprintf(format, args...), advice})
	}
	if n := len(b.Members.Members); n > 0 {
		var names []string
		for _, m := range b.Members.Members {
			names = append(names, fmt.Sprintf("%s (%x)", m.Name, m.ID))
		}
		add("members", false, "", "%s: the new cluster has members of its own", strings.Join(names, ", "))
	}
	if n := len(b.Members.Removed); n > 0 {
		add("removed_members", false, "", "%d: their IDs are those of the old cluster", n)
	}
	if n := len(b.Alarms); n > 0 {
		var names []string
		for _, a := range b.Alarms {
			names = append(names, fmt.Sprintf("%v of member %x", a.Kind, a.Member))
		}
		why, advice := "stay raised, as with etcdutl, though their members are gone", "--clear-alarms"
		if p.o.ClearAlarms {
			why, advice = "--clear-alarms", ""
		}
		add("alarms", !p.o.ClearAlarms, advice, "%s: %s", strings.Join(names, ", "), why)
	}
	if b.Leases > 0 {
		add("leases", true, "", "%d: each runs on from what it had left at its last checkpoint, or from its start", b.Leases)
	}
	if c := p.Storage; c.To != c.Version {
		add("storage_version", false, "", "%s: etcd %v would refuse it", c.Version, p.As)
	}
	if p.Storage.ClusterTo != p.Storage.Cluster {
		add("cluster_version", false, "", "%s: etcd %v would refuse to start; the new cluster agrees on its own",
			p.Storage.Cluster, p.As)
	}
	return list
}
