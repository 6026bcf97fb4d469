package snapcmd

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/restore"
)

// restored is what a restore has made, or would make.
type restored struct {
	DryRun         bool             `json:"dry_run"`
	Base           restoredBase     `json:"base"`
	As             string           `json:"as"`
	RevisionBefore int64            `json:"revision_before"`
	RevisionAfter  *int64           `json:"revision_after"` // null: only the replay tells it
	BumpedBy       int64            `json:"bumped_by"`
	BumpReason     string           `json:"bump_reason,omitempty"`
	MarkCompacted  bool             `json:"mark_compacted"`
	ClusterID      string           `json:"cluster_id"`
	ClusterToken   string           `json:"cluster_token"`
	Members        []restoredMember `json:"members"`
	Replay         *replayed        `json:"replay,omitempty"`
	LeftOut        []restoredLeft   `json:"left_out"`
	Outlook        []restoredStart  `json:"outlook"`
	Rehearsals     []rehearsed      `json:"rehearsals,omitempty"`
	Need           int64            `json:"need"`
	Seconds        float64          `json:"seconds"`

	autoBump bool
}

type restoredBase struct {
	Path            string `json:"path"`
	FileSize        int64  `json:"file_size"`
	Size            int64  `json:"size"`
	Compressed      bool   `json:"compressed"`
	FromMember      bool   `json:"from_member"`
	Trailer         string `json:"trailer"`
	PagesChecked    bool   `json:"pages_checked"`
	Revision        int64  `json:"revision"`
	ConsistentIndex uint64 `json:"consistent_index"`
	Term            uint64 `json:"term"`
	Release         string `json:"release"`
	StorageVersion  string `json:"storage_version"`
	ClusterVersion  string `json:"cluster_version"`
}

type restoredMember struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	PeerURLs []string `json:"peer_urls"`
	DataDir  string   `json:"data_dir"`
	WalDir   string   `json:"wal_dir,omitempty"`
	Start    string   `json:"start"`

	NeedsCertificates bool `json:"needs_certificates"`
}

type restoredLeft struct {
	What   string `json:"what"`
	Kept   bool   `json:"kept"`
	Why    string `json:"why"`
	Advice string `json:"advice,omitempty"`
}

type restoredStart struct {
	Release string `json:"release"`
	Starts  bool   `json:"starts"`
	Why     string `json:"why,omitempty"`
}

func newRestored(a *ui.App, o *restoreOptions, p *restore.Plan, s *restoreSource, again *rerun) *restored {
	b := p.Base
	r := &restored{
		DryRun: o.dryRun,
		Base: restoredBase{Path: s.name, FromMember: b.FromMember, FileSize: b.FileSize, Size: b.Size,
			Compressed: b.Packed, Trailer: string(b.Sum),
			Revision: b.Revision, ConsistentIndex: b.Meta.ConsistentIndex, Term: b.Meta.Term,
			Release: b.Release.String(), StorageVersion: b.Meta.StorageVersion, ClusterVersion: b.Meta.ClusterVersion},
		As: p.As.String(), RevisionBefore: b.Revision, RevisionAfter: &p.Revision, BumpedBy: p.Bump,
		MarkCompacted: o.markCompacted, ClusterID: fmt.Sprintf("%x", p.Cluster.ID), ClusterToken: p.Cluster.Token,
		Members: []restoredMember{}, LeftOut: []restoredLeft{}, Need: p.Need, autoBump: o.bump.auto,
	}
	if again != nil {
		r.Replay = newReplayed(again)
		if again.Range.Len() > 0 || o.bump.auto {
			r.RevisionAfter = nil
		}
	}
	for i := range p.Members {
		m := &p.Members[i]
		r.Members = append(r.Members, restoredMember{ID: fmt.Sprintf("%x", m.ID), Name: m.Name, PeerURLs: m.PeerURLs,
			DataDir: o.shown(a, m.DataDir), WalDir: o.shown(a, m.WalDir), Start: o.startCommand(a, *m),
			NeedsCertificates: m.NeedsCertificates()})
	}
	for _, l := range p.Left {
		r.LeftOut = append(r.LeftOut, restoredLeft(l))
	}
	for _, s := range p.Outlook() {
		r.Outlook = append(r.Outlook, restoredStart{s.Release.String(), s.Starts, s.Why})
	}
	return r
}

// done takes in what only a finished restore knows.
func (r *restored) done(o *restoreOptions, result *restore.Result, again *rerun) {
	r.Base.Trailer, r.Base.PagesChecked = string(result.Base.Sum), result.Checked
	r.RevisionAfter, r.BumpedBy = &result.Revision, result.Bump
	if again != nil {
		r.Replay = newReplayed(again)
	}
	if o.bump.auto {
		r.BumpReason = again.bumpReason(result.Bump)
	}
	for _, m := range result.Rehearsals {
		x := rehearsed{Member: fmt.Sprintf("%x", m.Member), Revision: m.Revision, Keys: m.Keys, KeyBytes: m.KeyBytes,
			Leases: m.Leases, Hash: m.Hash}
		if m.Refused != "" {
			x.Refused = &m.Refused
		}
		r.Rehearsals = append(r.Rehearsals, x)
	}
}

// shown returns a path as the user would type it.
func (o *restoreOptions) shown(a *ui.App, path string) string {
	if a.Dir == "" {
		return path
	}
	return strings.TrimPrefix(path, strings.TrimSuffix(a.Dir, "/")+"/")
}

// startCommand is the command that starts a member.
func (o *restoreOptions) startCommand(a *ui.App, m restore.Planned) string {
	m.DataDir, m.WalDir = o.shown(a, m.DataDir), o.shown(a, m.WalDir)
	return ui.CommandLine(append([]string{"etcd"}, m.StartArgs()...)...)
}

func (r *restored) print(a *ui.App) error {
	f := ui.NewFacts(a.Text()).Wrap(a.Width)
	f.Add(r.verb(), "%s", ui.Quote(r.Base.Path))
	f.Add("base", "revision %d, entry %s, %s, of etcd %s, sha256 %s", r.Base.Revision, r.Base.entryText(),
		display.FormatSize(r.Base.Size), r.Base.Release, r.Base.sumText())
	if r.Replay != nil {
		r.Replay.print(a, f, r.DryRun)
	}
	f.Add("form", "that of etcd %s", r.As)
	f.Add("revision", "%s", r.revisionText())
	if n := r.unseen(); n > 0 {
		f.AddBelow(fmt.Sprintf("clients of the old cluster may have seen revisions up to %d: --bump-revision auto and "+
			"--mark-compacted keep these from coming again", n))
	}
	if r.BumpReason != "" {
		f.AddBelow("bumped by " + fmt.Sprint(r.BumpedBy) + ": " + r.BumpReason)
	}
	f.Add("cluster", "%s, token %s", r.ClusterID, ui.Quote(r.ClusterToken))
	for _, m := range r.Members {
		f.Add("member", "%s %s, %s: %s", m.ID, ui.Quote(m.Name), ui.Printable(strings.Join(m.PeerURLs, ", ")), ui.Quote(m.DataDir))
		if m.WalDir != "" {
			f.AddBelow("log: " + ui.Quote(m.WalDir))
		}
		f.AddCommand(m.Start)
		if m.NeedsCertificates {
			f.AddBelow("with the flags for its certificates, since its URLs are TLS")
		}
	}
	for i, l := range r.LeftOut {
		f.Add([]string{"left out", ""}[min(i, 1)], "%s", ui.Printable(l.text()))
	}
	for i, s := range r.Outlook {
		f.Add([]string{"starts on", ""}[min(i, 1)], "%s", ui.Printable(s.text()))
	}
	for i := range r.Rehearsals {
		f.Add([]string{"rehearsed", ""}[min(i, 1)], "%s", r.Rehearsals[i].text())
	}
	if r.DryRun {
		f.Add("needs", "%s on disk; nothing was written", display.FormatSize(r.Need))
	} else {
		f.Add("took", "%s", tookText(r.Seconds, r.Base.Size))
	}
	return f.Flush()
}

func (r *restored) verb() string {
	if r.DryRun {
		return "plan for"
	}
	return "restored"
}

// entryText names the last entry that was applied; etcd 3.4 doesn't store its term.
func (b *restoredBase) entryText() string {
	if b.Term == 0 {
		return fmt.Sprint(b.ConsistentIndex)
	}
	return raftpb.EntryID{Term: b.Term, Index: b.ConsistentIndex}.String()
}

func (b *restoredBase) sumText() string {
	switch {
	case b.PagesChecked:
		return b.Trailer + ", its pages were checked"
	case b.Trailer == string(restore.SumPending):
		return "there, not compared yet"
	}
	return b.Trailer
}

func (r *restored) revisionText() string {
	switch {
	case r.RevisionAfter == nil && r.autoBump:
		return fmt.Sprintf("%d before; the replay tells what it comes to, and what it is bumped by", r.RevisionBefore)
	case r.RevisionAfter == nil:
		return fmt.Sprintf("%d before; the replay tells what it comes to", r.RevisionBefore)
	case *r.RevisionAfter == r.RevisionBefore:
		return fmt.Sprint(r.RevisionBefore)
	case r.BumpedBy == 0:
		return fmt.Sprintf("%d, %d before", *r.RevisionAfter, r.RevisionBefore)
	}
	return fmt.Sprintf("%d, %d before; bumped by %d, and compacted up to there", *r.RevisionAfter, r.RevisionBefore, r.BumpedBy)
}

// unseen returns the last revision that clients may have seen, if the result has an earlier one; 0 if not, as
// far as that is known.
func (r *restored) unseen() int64 {
	if r.Replay == nil || r.Replay.Behind == nil || r.BumpedBy > 0 || r.RevisionAfter == nil || r.Replay.Behind.Writes == 0 {
		return 0
	}
	return *r.RevisionAfter + int64(r.Replay.Behind.Writes)
}

func (l *restoredLeft) text() string {
	text := strings.ReplaceAll(l.What, "_", " ") + ": " + l.Why
	if l.Kept {
		text = strings.ReplaceAll(l.What, "_", " ") + " (kept): " + l.Why
	}
	if l.Advice != "" {
		text += "; " + l.Advice + " takes them back"
	}
	return text
}

func (s *restoredStart) text() string {
	if s.Starts {
		return "etcd " + s.Release
	}
	return "not on etcd " + s.Release + ": " + s.Why
}
