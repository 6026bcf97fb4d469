package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// clusterCheck compares several members.
type clusterCheck struct {
	*Diagnosis
	with []*Examined // those that have a log which says whose it is
}

// checkCluster compares the members that have a log, if there are several. The error is that of the context.
func (d *Diagnosis) checkCluster(ctx context.Context) error {
	c := &clusterCheck{Diagnosis: d}
	for _, m := range d.Members {
		if m.Report != nil && m.Report.View != nil && m.Report.View.MetadataErr == nil {
			c.with = append(c.with, m)
		}
	}
	if len(c.with) < 2 {
		return nil
	}
	d.Cluster = &Cluster{Verdict: verdict.OK}
	first := len(d.Findings)
	c.checkTwice()
	for _, a := range c.with {
		for _, b := range c.with {
			c.checkKnown(a, b)
		}
	}
	if c.oneCluster() {
		if err := c.join(ctx); err != nil {
			return err
		}
	}
	for i := range d.Findings[first:] {
		d.Cluster.Verdict = worse(d.Cluster.Verdict, d.Findings[first+i].verdict())
	}
	return nil
}

// errorOf adds an error about all members, or about one of them.
func (c *clusterCheck) errorOf(m *Member, class, evidence, advice string) {
	c.Findings = append(c.Findings, Finding{Class: class, Severity: verdict.Error, Check: CheckCluster, Member: m,
		Evidence: evidence, Advice: advice})
}

// warn adds a warning about a member.
func (c *clusterCheck) warn(m *Member, class, evidence, advice string) {
	c.Findings = append(c.Findings, Finding{Class: class, Severity: verdict.Warning, Check: CheckCluster, Member: m,
		Evidence: evidence, Advice: advice})
}

// identity returns whose log a member has.
func (e *Examined) identity() wal.Metadata { return e.Report.View.Metadata }

// checkTwice looks for members that were given more than once.
func (c *clusterCheck) checkTwice() {
	paths := map[wal.Metadata]string{}
	for _, m := range c.with {
		id := m.identity()
		if other, ok := paths[id]; ok {
			c.warn(m.Member, ClassTwice, fmt.Sprintf("member %x, like %s", id.NodeID, other), "")
			continue
		}
		paths[id] = m.Name
	}
}

// oneCluster reports whether all logs are of one cluster.
func (c *clusterCheck) oneCluster() bool {
	var ids []uint64
	paths := map[uint64][]string{}
	for _, m := range c.with {
		id := m.identity().ClusterID
		if paths[id] == nil {
			ids = append(ids, id)
		}
		paths[id] = append(paths[id], m.Name)
	}
	if len(ids) == 1 {
		return true
	}
	var parts []string
	for _, id := range ids {
		parts = append(parts, fmt.Sprintf("%s of cluster %x", strings.Join(paths[id], ", "), id))
	}
	c.errorOf(nil, ClassClusterID, strings.Join(parts, "; "),
		"members of a cluster that was restored anew, and of the one before, don't mix: put those of the old one away")
	return false
}

// checkKnown asks what another member knows of one.
func (c *clusterCheck) checkKnown(m, other *Examined) {
	id := m.identity()
	if id == other.identity() || id.ClusterID != other.identity().ClusterID || id.NodeID == 0 {
		return
	}
	view := m.Report.View
	if st := other.Report.View.State; st.Vote == id.NodeID && st.Term > view.State.Term {
		c.warn(m.Member, ClassForgotten, fmt.Sprintf("%s voted for it in term %d, for which it must have stood, and its own "+
			"log is of term %d", other.Name, st.Term, view.State.Term),
			"if this is no older copy, don't start etcd on it: remove the member from its cluster and add it again with an "+
				"empty data directory")
	}
	if !crosscheck.Fresh(view) || other.Database == nil || other.Database.Meta.ConsistentIndex <= view.LastIndex() {
		return
	}
	for _, x := range other.Database.Members.Members {
		if x.ID == id.NodeID && x.Name != "" {
			c.errorOf(m.Member, string(crosscheck.ClassRestarted), fmt.Sprintf("its log has no entry behind %d and was never led, "+
				"and %s knows it as member %x, which has run as %q before", view.LastIndex(), other.Name, x.ID, x.Name),
				"don't start etcd on it: it ends with \"tocommit is out of range\"; put the old files back, or remove the member "+
					"from its cluster and add it again with an empty data directory")
		}
	}
}

// join sets the logs side by side, which reads them once more. What can't be read so is told.
func (c *clusterCheck) join(ctx context.Context) error {
	var sources []*logs.Source
	defer func() { _ = logs.CloseAll(sources) }() // opened for reading
	of := map[*logs.Source]*Examined{}
	for _, m := range c.with {
		s, err := sourceOf(ctx, m)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.warn(m.Member, ClassUnchecked, fmt.Sprintf("the log was not compared with those of others: %v", err), "")
			continue
		}
		sources, of[s] = append(sources, s), m
	}
	joined, err := logs.Join(sources, logs.JoinOptions{})
	conflict, isConflict := errors.AsType[*logs.ConflictError](err)
	switch {
	case isConflict:
		c.errorOf(nil, ClassConflict, conflict.Error(), "they can't be members of one cluster any more: find out which of "+
			"them clients were answered from, and put the others away")
	case errors.Is(err, logs.ErrNoSource):
	case err != nil:
		c.warn(nil, ClassUnchecked, fmt.Sprintf("the logs were not compared: %v", err), "")
	default:
		c.Cluster.Commit, c.Cluster.Last = joined.Commit().EntryID, joined.Last().EntryID
		c.Cluster.Furthest = of[joined.Last().Source]
	}
	return nil
}

func sourceOf(ctx context.Context, m *Examined) (*logs.Source, error) {
	log, err := wal.OpenMember(m.Place.Borrow())
	if err != nil {
		return nil, err
	}
	s, err := logs.New(ctx, m.Name, log, logs.Options{})
	if err != nil {
		return nil, err
	}
	s.Applied = appliedIn(m)
	return s, nil
}

// appliedIn returns what the member's database has applied, if that is of the same history as its log.
func appliedIn(m *Examined) raftpb.EntryID {
	foreign := func(f Finding) bool {
		return slices.Contains([]string{string(crosscheck.ClassForeign), string(crosscheck.ClassTerm),
			string(crosscheck.ClassRestarted)}, f.Class)
	}
	if slices.ContainsFunc(m.findings, foreign) {
		return raftpb.EntryID{}
	}
	return m.Database.Applied()
}
