package snapcmd

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
)

// print prints the status for people, what is asked first first.
func (s *dbStatus) print(a *ui.App) error {
	var b bytes.Buffer
	kv := ui.NewFacts(&b).Wrap(a.Width)
	s.printState(a, kv)
	s.printCluster(a, kv)
	s.printHashes(kv)
	_ = kv.Flush() // a buffer takes everything
	s.printMembers(&b, a.Screen())
	if s.Top != nil {
		s.Top.print(&b, a.Screen())
	}
	_, err := a.Text().Write(b.Bytes())
	return err
}

// printState says what the database holds, and how full it is.
func (s *dbStatus) printState(a *ui.App, kv *ui.Facts) {
	for _, al := range s.Alarms {
		kv.Add("alarm", "%s", a.Paint(ui.Red, al.Alarm+" of member "+al.Member))
	}
	kv.Add("database", "%s", s.kind())
	kv.Add("revision", "%s", s.revisionText())
	kv.Add("keys", "%s", s.keysText())
	kv.Add("size", "%s: %s in use, %s free (%s)", display.FormatSize(s.TotalSize), display.FormatSize(s.InUse),
		display.FormatSize(s.Free), percent(s.Free, s.TotalSize))
	kv.Add("file", "%s", s.fileText())
	if s.Copied != "" {
		kv.AddBelow(s.Copied + ": a copy of it was read, as it was at one moment")
	}
	if len(s.Damaged) > 0 {
		n := len(s.Damaged) + int(s.DamagedMore)
		kv.Add("damage", "%s", a.Paint(ui.Red, ui.Count(n)+" "+ui.Plural(n, "place")+", the first: ")+s.Damaged[0])
	}
}

// kind says whose database it is.
func (s *dbStatus) kind() string {
	switch {
	case s.Items == 0 && len(s.Damaged) > 0:
		return "of whom can't be told: nothing that it holds can be read"
	case s.Items == 0 && len(s.UnknownBuckets)+len(s.MissingBuckets) > 0:
		return "of etcd, or of anything else: it holds nothing"
	case s.isForeign():
		return fmt.Sprintf("bbolt, but not of etcd: its buckets are %s", listed(s.UnknownBuckets))
	}
	var parts []string
	if s.ClusterVersion != "" {
		parts = append(parts, "cluster version "+s.ClusterVersion)
	}
	if s.StorageVersion != "" {
		parts = append(parts, "storage version "+s.StorageVersion)
	}
	if s.Downgrade != "" {
		parts = append(parts, "being downgraded to "+s.Downgrade)
	}
	text := "of etcd"
	if len(parts) == 0 {
		text += ", no version recorded"
	} else {
		text += ", " + strings.Join(parts, ", ")
	}
	if len(s.UnknownBuckets) > 0 {
		text += "; buckets that no etcd makes: " + listed(s.UnknownBuckets)
	}
	return text
}

// isForeign reports whether the database is one of another program.
func (s *dbStatus) isForeign() bool {
	return len(s.UnknownBuckets) > 0 && len(s.MissingBuckets) == etcdBuckets
}

// listed joins names, of which there may be many.
func listed(names []string) string {
	const most = 8
	var quoted []string
	for _, n := range names[:min(len(names), most)] {
		quoted = append(quoted, visible(n))
	}
	if more := len(names) - most; more > 0 {
		quoted = append(quoted, fmt.Sprintf("%d more", more))
	}
	return strings.Join(quoted, ", ")
}

// visible returns text so that nothing in it can act on a terminal.
func visible(text string) string {
	quoted := strconv.Quote(text)
	if quoted[1:len(quoted)-1] == text && text != "" {
		return text
	}
	return quoted
}

func (s *dbStatus) revisionText() string {
	text := fmt.Sprint(s.CurrentRevision)
	switch {
	case s.Compacted == 0:
		text += ", never compacted"
	case s.CompactFinished < s.Compacted:
		text += fmt.Sprintf(", compaction up to %d begun, finished up to %d", s.Compacted, s.CompactFinished)
	default:
		text += fmt.Sprintf(", compacted up to %d", s.Compacted)
	}
	if s.Revision != s.CurrentRevision {
		text += fmt.Sprintf("; the last change that is there is %d", s.Revision)
	}
	return text
}

func (s *dbStatus) keysText() string {
	text := fmt.Sprintf("%s in %s %s", ui.Count(s.Keys), ui.Count(s.Revisions), ui.Plural(int(s.Revisions), "revision"))
	if s.Deletions > 0 {
		text += fmt.Sprintf(", %s of them deletions", ui.Count(s.Deletions))
	}
	return text + fmt.Sprintf("; %s of keys and values", display.FormatSize(s.KeyBytes))
}

func (s *dbStatus) fileText() string {
	name, inside := strings.CutPrefix(filepath.ToSlash(s.File), strings.TrimSuffix(filepath.ToSlash(s.Path), "/")+"/")
	if !inside {
		name = filepath.Base(s.File)
	}
	text := visible(name)
	if s.Compressed {
		text += fmt.Sprintf(", compressed to %s", display.FormatSize(s.FileSize))
	}
	if s.Trailer {
		return text + ", with a sha256 behind it, as snapshot save writes it (verify checks it)"
	}
	return text + ", without a sha256 behind it: restoring it takes --skip-hash-check"
}

// printCluster says what is not about the keys.
func (s *dbStatus) printCluster(a *ui.App, kv *ui.Facts) {
	switch {
	case s.ConsistentIndex == 0:
		kv.Add("applied", "not recorded, as in a new database, and in one that was restored")
	case s.Term == 0:
		kv.Add("applied", "up to entry %d of the log", s.ConsistentIndex)
	default:
		kv.Add("applied", "up to entry %d of the log, of term %d", s.ConsistentIndex, s.Term)
	}
	kv.Add("leases", "%s, with %s %s", ui.Count(len(s.Leases)), ui.Count(s.LeasedKeys), ui.Plural(int(s.LeasedKeys), "key"))
	if len(s.Alarms) == 0 {
		kv.Add("alarms", "none")
	}
	state := "off"
	if s.Auth.Enabled {
		state = "on"
	}
	kv.Add("auth", "%s; %s %s, %s %s; auth revision %d", state, ui.Count(len(s.Auth.Users)),
		ui.Plural(len(s.Auth.Users), "user"), ui.Count(len(s.Auth.Roles)), ui.Plural(len(s.Auth.Roles), "role"), s.Auth.Revision)
	if s.ConfState != nil {
		kv.Add("conf state", "%s", s.ConfState)
	}
	if len(s.Removed) > 0 {
		kv.Add("removed", "%s", strings.Join(s.Removed, ", "))
	}
	if len(s.MissingBuckets) > 0 && !s.isForeign() {
		kv.Add("buckets", "%s", a.Paint(ui.Yellow, "missing: "+strings.Join(s.MissingBuckets, ", ")))
	}
}

// String says who is in a configuration.
func (c *confStateJSON) String() string {
	var parts []string
	for _, l := range []struct {
		name string
		ids  []string
	}{
		{"voters", c.Voters}, {"learners", c.Learners},
		{"outgoing voters", c.VotersOutgoing}, {"next learners", c.LearnersNext},
	} {
		if len(l.ids) > 0 {
			parts = append(parts, l.name+" "+strings.Join(l.ids, " "))
		}
	}
	if len(parts) == 0 {
		return "empty"
	}
	return strings.Join(parts, ", ")
}

// printHashes says the hashes, with what prints the same ones.
func (s *dbStatus) printHashes(kv *ui.Facts) {
	h := s.Hashes
	if h == nil {
		kv.Add("hashes", "none: the database is damaged")
		return
	}
	kv.Add("hashes", "%s  etcdutl snapshot status", hex32(h.Status))
	kv.Add("", "%d  etcdctl endpoint hashkv, at revision %d", h.KV.Hash, h.KV.Revision)
	if at := s.HashKVAt; at != nil {
		kv.Add("", "%d  etcdctl endpoint hashkv --rev %d", at.Hash, at.Revision)
	}
	kv.Add("", "%d  etcd-dump-db hash of 3.4; 3.5: %d; 3.6 on: %d", h.State34, h.State35, h.State36)
}

func (s *dbStatus) printMembers(b *bytes.Buffer, screen ui.Screen) {
	printMembers(b, screen, s.Members)
}

// printMembers prints the members of a cluster.
func printMembers(b *bytes.Buffer, screen ui.Screen, members []stateMemberJSON) {
	t := ui.NewHeldTable(ui.TextColumn("MEMBER"), ui.TextColumn("ROLE"), ui.TextColumn("NAME"),
		ui.TextColumn("PEER URLS"), ui.TextColumn("CLIENT URLS"))
	for _, m := range members {
		role := "voter"
		if m.Learner {
			role = "learner"
		}
		t.Add(m.ID, role, visibleOrNone(m.Name), visibleAll(m.PeerURLs), visibleAll(m.ClientURLs))
	}
	t.Print(b, screen)
}

func visibleOrNone(s string) string {
	if s == "" {
		return "-"
	}
	return visible(s)
}

func visibleAll(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, visible(s))
	}
	return strings.Join(out, " ")
}

// percent formats a share.
func percent(n, of int64) string {
	if of <= 0 {
		return "0 %"
	}
	return fmt.Sprintf("%d %%", (100*n+of/2)/of)
}
