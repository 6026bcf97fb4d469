package snapcmd

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/report"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
)

// print prints the report for people, what matters most first.
func (v *verified) print() error {
	var b bytes.Buffer
	kv := ui.NewFacts(&b).Wrap(v.a.Width)
	kv.Add("verdict", "%s", report.Verdict(v.a, v.verdict))
	v.advise(kv)
	if r := v.database; r != nil {
		compacted := "never compacted"
		if r.Compacted > 0 {
			compacted = fmt.Sprintf("compacted up to %d", r.Compacted)
		}
		kv.Add("database", "revision %d, %s; %s %s in %s %s", r.Revision, compacted, ui.Count(r.Keys),
			ui.Plural(int(r.Keys), "key"), ui.Count(r.Revisions), ui.Plural(int(r.Revisions), "revision"))
		kv.Add("read", "%s pages, %s", ui.Count(r.Pages), display.FormatSize(r.Bytes))
		kv.Add("sha256", "%s", trailerTexts[r.Trailer])
		if r.Trailer == database.TrailerMissing || r.Trailer == database.TrailerWrong {
			kv.AddBelow("bytes that have changed within a value show in nothing else: pages have no checksums")
		}
		if v.origin.Copied != "" {
			kv.AddBelow(v.origin.Copied + ": a copy of the database was checked, as it was at one moment")
		}
	}
	v.printFiles(kv)
	if err := kv.Flush(); err != nil {
		return err
	}
	if _, err := v.a.Text().Write(b.Bytes()); err != nil {
		return err
	}
	return v.told().Print(v.a.Text(), v.a)
}

var trailerTexts = map[database.TrailerState]string{
	database.TrailerMissing: "none behind the database, as with a member's own",
	database.TrailerOK:      "right",
	database.TrailerWrong:   "wrong: the file is not the one that was saved",
	database.TrailerStale:   "from before a tool opened the file for writing",
	database.TrailerSkipped: "not compared",
}

// printFiles says which .snap files and which log were checked.
func (v *verified) printFiles(kv *ui.Facts) {
	n, bad, unchecked := 0, 0, 0
	var newest *snapshot.File
	for i := range v.files {
		f := &v.files[i]
		if f.Kind != snapshot.KindSnapshot && f.Kind != snapshot.KindMisnamed {
			continue
		}
		n++
		switch {
		case f.Verdict == verdict.Problem:
			bad++
		case f.Verdict != verdict.OK:
			unchecked++
		case newest == nil:
			newest = f
		}
	}
	if n > 0 {
		text := fmt.Sprintf("%s %s, %s not intact", ui.Count(n), ui.Plural(n, "file"), ui.Count(bad))
		if unchecked > 0 {
			text += fmt.Sprintf(", %s not checked", ui.Count(unchecked))
		}
		if newest != nil {
			text += fmt.Sprintf("; the newest that is ends with entry %d, of term %d", newest.Metadata.Index, newest.Metadata.Term)
		}
		kv.Add(".snap", "%s", text)
	}
	if v.log != nil && v.log.View != nil && v.database != nil {
		kv.Add("log", "entries %d..%d, committed up to %d; the database has applied those up to %d",
			v.log.First.Index, v.log.Last.Index, v.log.Commit(), v.database.Meta.ConsistentIndex)
	}
}

// advise says what to do next.
func (v *verified) advise(kv *ui.Facts) {
	for _, f := range v.findings {
		if f.Advice != "" && f.Severity == verdict.Error {
			kv.Add("next", "%s", f.Advice)
			v.adviseCopy(kv)
			return
		}
	}
	isFile := v.member.File.State != datadir.Unknown
	switch {
	case !v.has(string(database.ClassPage)) && (v.has(string(database.ClassNotEtcd)) || v.has(string(database.ClassNoBuckets))):
		kv.Add("next", "look for another file: there is no state of an etcd in this one")
	case v.verdict == verdict.Problem && v.database != nil && v.hasError():
		kv.Add("next", "don't restore from it, and don't start etcd on it, if there is a better copy; what can be read of it:")
		kv.AddCommand(v.source.Command("snapshot dump", v.path, "--scan"))
		v.adviseCopy(kv)
	case v.verdict == verdict.Problem:
		kv.Add("next", "look for a better copy")
		v.adviseCopy(kv)
	case isFile && v.database != nil && v.database.Trailer == database.TrailerOK:
		kv.Add("restore", "etcdutl snapshot restore takes it as it is%s", v.unpackFirst())
	case isFile && v.database != nil:
		kv.Add("restore", "etcdutl snapshot restore takes it with --skip-hash-check%s", v.unpackFirst())
	}
}

// unpackFirst says that etcdutl doesn't unpack.
func (v *verified) unpackFirst() string {
	if v.origin.Compressed {
		return ", once it is unpacked"
	}
	return ""
}

// has reports whether there is a finding of a class.
func (v *verified) has(class string) bool {
	return slices.ContainsFunc(v.findings, func(f found) bool { return f.Class == class })
}

// hasError reports whether the database itself has a problem.
func (v *verified) hasError() bool { return v.database.Verdict == verdict.Problem }

func (v *verified) adviseCopy(kv *ui.Facts) {
	if v.member.Archived {
		return
	}
	kv.Add("", "copy first, before anything is tried:")
	kv.AddCommand(paths.Copy(v.a, v.path))
}

// told returns the findings as they are told.
func (v *verified) told() *report.Findings {
	docs := classDocs()
	r := &report.Findings{Omitted: v.omitted}
	for _, f := range v.findings {
		r.List = append(r.List, report.Finding{Class: f.Class, Severity: f.Severity, Doc: docs[f.Class],
			Place: f.place(), Evidence: f.Evidence})
	}
	return r
}

// place says where a finding is.
func (f *found) place() string {
	s := f.File
	if f.Page > 0 {
		s += fmt.Sprintf(": page %d", f.Page)
	}
	if f.Offset > 0 {
		s += fmt.Sprintf(": offset %d", f.Offset)
	}
	if f.Bucket != "" && f.Bucket != keyBucket {
		s += ": bucket " + visible(f.Bucket)
	}
	if f.Key != "" {
		s += ": key " + visible(f.Key)
	}
	if f.Revision != "" {
		s += ": revision " + f.Revision
	}
	return s
}

// classDocs returns what each class means, on one line.
func classDocs() map[string]string {
	docs := map[string]string{}
	for _, c := range outlook.Classes() {
		docs[string(c.Class)] = c.Doc
	}
	for _, c := range database.Classes() {
		docs[string(c.Class)] = c.What
	}
	for _, c := range crosscheck.Classes() {
		docs[string(c.Class)] = c.Doc
	}
	return docs
}

// The JSON of `snapshot verify`: see docs/json.md.
type verifiedJSON struct {
	Path      string             `json:"path"`
	Verdict   verdict.Verdict    `json:"verdict"`
	Database  *databaseJSON      `json:"database"`
	Snapshots []snapVerifiedJSON `json:"snapshots"`
	Log       *logJSON           `json:"log"`
	Findings  []found            `json:"findings"`
	Omitted   map[string]int     `json:"omitted,omitempty"`
}

type databaseJSON struct {
	Verdict         verdict.Verdict       `json:"verdict"`
	Revision        int64                 `json:"current_revision"`
	Compacted       int64                 `json:"compacted_revision"`
	Keys            int64                 `json:"keys"`
	Revisions       int64                 `json:"revisions"`
	Pages           int64                 `json:"pages"`
	Bytes           int64                 `json:"bytes"`
	Trailer         database.TrailerState `json:"trailer"`
	ConsistentIndex uint64                `json:"consistent_index"`
	Term            uint64                `json:"term"`
	Copied          string                `json:"copied,omitempty"`
	Compressed      bool                  `json:"compressed"`
}

type snapVerifiedJSON struct {
	Name    string          `json:"name"`
	Kind    snapshot.Kind   `json:"kind"`
	Size    int64           `json:"size"`
	Verdict verdict.Verdict `json:"verdict"`
	Term    uint64          `json:"term"`
	Index   uint64          `json:"index"`
}

type logJSON struct {
	Verdict    verdict.Verdict `json:"verdict"`
	FirstIndex uint64          `json:"first_index"`
	LastIndex  uint64          `json:"last_index"`
	Commit     uint64          `json:"commit"`
}

// failureJSON stands for the report on a path that could not be read.
type failureJSON struct {
	Path    string          `json:"path"`
	Verdict verdict.Verdict `json:"verdict"`
	Error   string          `json:"error"`
}

// writeReports writes what is for programs: one object for one path, a list of them for several.
func writeReports(a *ui.App, o *ui.Output, all []*verified) error {
	reports := make([]any, len(all))
	for i, v := range all {
		if v.err != nil {
			reports[i] = failureJSON{v.path, verdict.Unchecked, ui.OneLine(v.err)}
			continue
		}
		reports[i] = v.json()
	}
	table := func() error { return nil } // each was printed when it was there
	return ui.WriteAll(o, io.Writer(a.Out), reports, table)
}

func (v *verified) json() *verifiedJSON {
	j := &verifiedJSON{Path: v.path, Verdict: v.verdict, Snapshots: []snapVerifiedJSON{},
		Findings: append([]found{}, v.findings...), Omitted: v.omitted}
	if r := v.database; r != nil {
		j.Database = &databaseJSON{r.Verdict, r.Revision, r.Compacted, r.Keys, r.Revisions, r.Pages, r.Bytes, r.Trailer,
			r.Meta.ConsistentIndex, r.Meta.Term, v.origin.Copied, v.origin.Compressed}
	}
	for _, f := range v.files {
		if f.Kind == snapshot.KindSnapshot || f.Kind == snapshot.KindMisnamed {
			j.Snapshots = append(j.Snapshots, snapVerifiedJSON{f.Name, f.Kind, f.Size, f.Verdict, f.ID.Term, f.ID.Index})
		}
	}
	if r := v.log; r != nil {
		j.Log = &logJSON{r.Verdict, r.First.Index, r.Last.Index, r.Commit()}
	}
	return j
}
