package repairtest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/wal"
)

// caseOf is a case of the laboratory: damage number n of a seed.
func caseOf(g *given, seed, n uint64) *specimen {
	return hurt(rand.New(rand.NewPCG(seed, 1000+n)), g.patient, g.donors, int(seed*perSeed+n))
}

const perSeed = 50

// Damage is found, where it is, and called by its name; nothing else is.
func TestVerify(t *testing.T) {
	found := map[wal.Class]int{}
	for seed := range uint64(100) {
		g := givenBy(t, seed)
		for n := range g.cases() {
			s := caseOf(g, seed, n)
			if msg := s.judgeVerify(t, found); msg != "" {
				t.Errorf("%d/%d: %s\n%s", seed, n, s.describe(), msg)
			}
		}
	}
	for _, c := range wal.Classes() {
		if found[c.Class] == 0 && !slices.Contains(beyond, c.Class) {
			t.Errorf("%s was never found", c.Class)
		}
	}
}

// beyond are the classes that the damages of the laboratory don't bring: what only a writer with a mistake leaves, or
// segments of full size, and what is no damage.
var beyond = []wal.Class{
	wal.ClassUnknownKind, wal.ClassMalformed, wal.ClassRecordForm, wal.ClassEntryType, wal.ClassSnapshotConflict,
	wal.ClassGhost, wal.ClassUnpadded, wal.ClassLostEnd, wal.ClassSpare, wal.ClassIgnored, wal.ClassUnchecked,
}

func (s *specimen) describe() string {
	var b strings.Builder
	for _, l := range s.lesions {
		fmt.Fprintf(&b, "\t%s, in %s %d..%d, want %v\n", l.what, l.file, l.lo, l.hi, l.want)
	}
	return b.String()
}

// judgeVerify returns what is wrong with what wal finds; "" if nothing is.
func (s *specimen) judgeVerify(t *testing.T, found map[wal.Class]int) (msg string) {
	defer func() {
		if p := recover(); p != nil {
			msg = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	r := verify(t, s.dir())
	for _, f := range r.Findings {
		found[f.Class]++
	}
	defer func() {
		if msg != "" {
			for _, f := range r.Findings {
				msg += fmt.Sprintf("\n\t\t%s %s", f.Severity, f.String())
			}
		}
	}()
	if msg := s.hidden(r); msg != "" {
		return msg
	}
	if len(s.lesions) > 1 {
		if slices.ContainsFunc(s.lesions, s.tells) && r.Verdict != wal.VerdictProblem {
			return fmt.Sprintf("verdict %s", r.Verdict)
		}
		return ""
	}
	return s.lesions[0].judge(r, s.next(s.lesions[0].file))
}

// isError reports whether something in the log has to tell of the lesion.
func (l *lesion) isError() bool {
	return len(l.want) > 0 && !slices.Contains(l.want, wal.ClassPurged) && !slices.Contains(l.want, wal.ClassStaleSpare)
}

// tells reports whether something in the log has to tell of a lesion that others may have come over.
func (s *specimen) tells(l lesion) bool {
	i := slices.IndexFunc(s.files, func(f *file) bool { return f.name == l.file })
	for _, seg := range s.segs {
		if i >= 0 && seg.name.String() == l.file && bytes.Equal(seg.b, s.files[i].b) {
			return false // one has undone another
		}
	}
	return l.isError() && i >= 0 && len(bytes.TrimRight(s.files[i].b, "\x00")) > l.hi
}

// judge judges what was found of a lesion that is the only one.
// Next is the file behind the one that it is in, at whose head it may show.
func (l *lesion) judge(r *wal.Report, next string) string {
	found := false
	for _, f := range r.Findings {
		switch {
		case slices.Contains(l.want, f.Class):
			if !l.holds(&f, next) && !l.wide {
				return fmt.Sprintf("%s is somewhere else", f.Class)
			}
			found = found || l.holds(&f, next)
		case f.Severity != wal.SeverityError || f.Class == wal.ClassGhost:
		case !l.wide:
			return fmt.Sprintf("%s besides", f.Class)
		}
	}
	if !found && len(l.want) > 0 {
		return "not found"
	}
	return ""
}

// holds reports whether a finding is where the lesion is.
func (l *lesion) holds(f *wal.Finding, next string) bool {
	if l.file == "" || next == f.Pos.Segment && f.Pos.Off == 0 {
		return true
	}
	return l.file == f.Pos.Segment && f.Pos.Off <= int64(l.hi) && f.Pos.Off+max(f.Len, 1) > int64(l.lo)
}

// next returns the file behind another one.
func (s *specimen) next(name string) string {
	for _, f := range s.files {
		if f.name > name {
			return f.name
		}
	}
	return ""
}

// hidden returns which live entry isn't shown though its frame is intact, and so are those around it, which
// prove it; "" if there is none. Whole segments at a place where they don't belong count for what they say there, and
// where frames are missing or are others besides more damage, nothing may tell which are the log's.
func (s *specimen) hidden(r *wal.Report) string {
	if slices.ContainsFunc(s.lesions, func(l lesion) bool { return l.moved || l.alien && len(s.lesions) > 1 }) {
		return ""
	}
	f := s.fate()
	shown := map[uint64]bool{}
	for e, err := range r.View.Entries(0) {
		if err != nil {
			return err.Error()
		}
		shown[e.Index] = true
	}
	for _, e := range s.entries {
		if e.Index <= s.base.Index {
			continue // replaced by a snapshot, whether or not that was known to be committed
		}
		if s.proven(f, e) && !shown[e.Index] {
			return fmt.Sprintf("entry %v at %d of %s is hidden", e.EntryID, e.frame.lo(), s.segs[e.seg].name)
		}
	}
	return ""
}
