package snapcmd

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

type listOptions struct {
	source paths.Options
	output ui.Output
}

func newList(a *ui.App) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list DIR",
		Short: "List the snapshots and databases of a member, and which one each release starts from",
		Long: `Lists what lies in member/snap: the .snap files with the last entry that each includes, databases that a
leader sent, the member's own, and what an etcd that died has left; and which of them each release of
etcd would start from, as the log tells. The .snap files are read and checked; of databases only a few
pages are, so their verdict is "unchecked" unless something is wrong with these: 'raftctl snapshot verify'
reads all.

` + pathHelp,
		Example: `  raftctl snapshot list /var/lib/etcd
  raftctl snapshot list /var/lib/etcd -o json | jq '.files[] | select(.verdict == "problem")'`,
		Args: o.source.Want("a data directory, its member/snap or an archive", 1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runList(cmd.Context(), a, &o, o.source.Paths(args)[0])
		},
	}
	o.source.Register(cmd)
	o.output.Register(cmd)
	return cmd
}

// listing is the result of `snapshot list`, and its JSON: see docs/json.md.
type listing struct {
	Path   string      `json:"path"`
	Files  []fileJSON  `json:"files"`
	Starts []startJSON `json:"starts"`
	Log    string      `json:"log"` // "present", "missing", …
	Why    string      `json:"why,omitempty"`
}

// fileJSON is one file.
type fileJSON struct {
	Name            string          `json:"name"`
	Kind            snapshot.Kind   `json:"kind"`
	Term            uint64          `json:"term"`
	Index           uint64          `json:"index"`
	Size            int64           `json:"size"`
	Verdict         verdict.Verdict `json:"verdict"`
	Revision        int64           `json:"current_revision,omitempty"`
	ConsistentIndex uint64          `json:"consistent_index,omitempty"`
	StorageVersion  string          `json:"storage_version,omitempty"`
	Error           string          `json:"error,omitempty"`
	What            string          `json:"-"` // for people
	held            bool            // by a running etcd
}

// startJSON is what some releases start from.
type startJSON struct {
	From   string     `json:"from"`
	To     string     `json:"to"`
	Action wal.Action `json:"action"`
	Term   uint64     `json:"term"`
	Index  uint64     `json:"index"`
	File   string     `json:"file,omitempty"` // the .snap file, where there is one
	Error  string     `json:"error,omitempty"`
}

func runList(ctx context.Context, a *ui.App, o *listOptions, name string) error {
	m, err := find(a, &o.source, name, true)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }() // opened for reading
	if m.File.State != datadir.Unknown {
		return ui.UsageError{Err: fmt.Errorf("%s: one file, want a directory; '%s' says what it is", ui.Quote(name),
			o.source.Command("snapshot status", name))}
	}
	if m.Snap.State != datadir.Present {
		return pathErr.Error(name, noSnap(&m.Snap))
	}
	l := &listing{Path: name, Files: []fileJSON{}, Starts: []startJSON{}}
	files, err := snapshot.Files(ctx, m.Snap.FS, m.Snap.Path)
	if err != nil {
		return pathErr.Error(name, err)
	}
	for i := range files {
		l.Files = append(l.Files, newFileJSON(ctx, m, &files[i]))
	}
	if err := l.addStarts(ctx, a, m); err != nil {
		return err
	}
	if err := o.output.Write(a.Out, l, func() error { return l.print(a) }); err != nil {
		return err
	}
	return l.status()
}

// status returns the error with which the command ends, if it does with one: at a file with a problem, or
// else at one that could not be read.
func (l *listing) status() error {
	unread := false
	for _, f := range l.Files {
		if f.Verdict == verdict.Problem {
			return ui.ExitError{Status: ui.StatusDamage}
		}
		unread = unread || f.Error != "" && !f.held
	}
	if unread {
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}

// noSnap says why there is no directory of snapshots.
func noSnap(p *datadir.Place) error {
	if p.State == datadir.Unknown {
		return fmt.Errorf("%w: nothing tells where the snapshot files lie; give the data directory as well", datadir.ErrNoState)
	}
	if p.State == datadir.Missing {
		return fmt.Errorf("%w: %s doesn't exist", datadir.ErrNoState, p.Name)
	}
	return p.Err
}

func newFileJSON(ctx context.Context, m *datadir.Member, f *snapshot.File) fileJSON {
	j := fileJSON{Name: f.Name, Kind: f.Kind, Term: f.ID.Term, Index: f.ID.Index, Size: f.Size, Verdict: f.Verdict}
	if f.Err != nil {
		j.Error = f.Err.Error()
	}
	switch f.Kind {
	case snapshot.KindDatabase, snapshot.KindReceived:
		j.lookInto(ctx, m, f)
	case snapshot.KindSnapshot:
		j.What = "of the log"
		if f.Verdict == verdict.OK {
			c := newConfStateJSON(&f.Metadata.ConfState)
			j.What += ": " + c.String()
		}
	case snapshot.KindBroken:
		j.What = "etcd could not read it, and put it aside"
	case snapshot.KindTemp, snapshot.KindDefrag:
		j.What = "never finished; etcd removes it"
	case snapshot.KindOther:
		j.What = "none of etcd's"
	}
	if j.Error != "" {
		j.What = strings.TrimPrefix(j.Error, j.Name+": ")
	}
	return j
}

// lookInto says how far a database has come. One that is being written to has changed by the time that
// it is read, so a few pages that don't fit together are no verdict.
func (j *fileJSON) lookInto(ctx context.Context, m *datadir.Member, f *snapshot.File) {
	now, err := database.Glance(ctx, m.Snap.FS, path.Join(m.Snap.Path, f.Name))
	if err != nil {
		j.Error = err.Error()
		if j.held = now != nil && now.Held; !j.held && database.IsDamage(err) {
			j.Verdict = verdict.Problem
		}
		return
	}
	j.Revision, j.ConsistentIndex, j.StorageVersion = now.Revision, now.Meta.ConsistentIndex, now.Meta.StorageVersion
	if f.Kind == snapshot.KindDatabase {
		j.Term, j.Index = now.Meta.Term, now.Meta.ConsistentIndex
	}
	j.What = fmt.Sprintf("revision %d", now.Revision)
	if now.Meta.StorageVersion != "" {
		j.What += ", storage version " + now.Meta.StorageVersion
	} else if now.Meta.ClusterVersion != "" {
		j.What += ", cluster version " + now.Meta.ClusterVersion
	}
	if f.Kind == snapshot.KindReceived {
		j.What = "sent by a leader; applied up to entry " + fmt.Sprint(now.Meta.ConsistentIndex) + ", " + j.What
	}
	if now.Held {
		j.What += "; a running etcd holds it"
	}
}

// addStarts says what each release would start from.
func (l *listing) addStarts(ctx context.Context, a *ui.App, m *datadir.Member) error {
	l.Log = m.Log.State.String()
	if m.Log.State != datadir.Present {
		l.Why = "no log lies beside them, so what a release would start from can't be told"
		return nil
	}
	r, err := examineLog(ctx, a, m, l.Path)
	if err == nil {
		l.takeStarts(r)
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	l.Why = "the log can't be read, so what a release would start from can't be told: " + err.Error()
	return nil
}

func (l *listing) takeStarts(r *outlook.Report) {
	for _, o := range outlook.Fold(r.Outlooks) {
		s := startJSON{From: o.Read.From, To: o.Read.To, Action: o.Action, Term: o.Read.Start.Term, Index: o.Read.Start.Index}
		name := snapshot.FileName(o.Read.Start)
		for _, f := range l.Files {
			if f.Name == name && s.Index > 0 && f.Verdict == verdict.OK {
				s.File = name
			}
		}
		if o.Stop != nil {
			s.Error = o.Stop.Words
		} else if o.Action == wal.ActionRefuses {
			s.Error = o.Read.Error
		}
		l.Starts = append(l.Starts, s)
	}
}

func (l *listing) print(a *ui.App) error {
	var b bytes.Buffer
	t := ui.NewHeldTable(ui.TextColumn("NAME"), ui.NumberColumn("TERM"), ui.NumberColumn("INDEX"), ui.SizeColumn("SIZE"),
		ui.TextColumn("VERDICT"), ui.TextColumn("WHAT"))
	for _, f := range l.Files {
		t.Add(visible(f.Name), numberOrNone(f.Term), numberOrNone(f.Index), display.FormatSize(f.Size), string(f.Verdict),
			visible(f.What))
	}
	t.Print(&b, a.Screen())
	text := bytes.TrimPrefix(b.Bytes(), []byte("\n"))
	if len(l.Files) == 0 {
		text = []byte("no files\n")
	}
	if _, err := a.Text().Write(text); err != nil {
		return err
	}
	return l.printStarts(a)
}

func (l *listing) printStarts(a *ui.App) error {
	var b bytes.Buffer
	kv := ui.NewFacts(&b).Wrap(a.Width)
	label := "start"
	for _, s := range l.Starts {
		kv.Add(label, "%s", s.String())
		label = ""
	}
	if l.Why != "" {
		kv.Add(label, "%s", l.Why)
	}
	_ = kv.Flush() // a buffer takes everything
	_, err := a.Text().Write(append([]byte("\n"), b.Bytes()...))
	return err
}

// String says what releases start from.
func (s *startJSON) String() string {
	releases := "etcd " + s.From
	if s.To != s.From {
		releases += " to " + s.To
	}
	if s.Error != "" {
		return fmt.Sprintf("%s %s: %s", releases, s.Action, s.Error)
	}
	switch {
	case s.Index == 0:
		return releases + ": the beginning of the log"
	case s.File != "":
		return fmt.Sprintf("%s: the snapshot of entry %d, %s", releases, s.Index, s.File)
	}
	return fmt.Sprintf("%s: the snapshot of entry %d, of which there is no .snap file", releases, s.Index)
}

func numberOrNone(n uint64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
