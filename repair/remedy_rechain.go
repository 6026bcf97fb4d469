package repair

import (
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// rechain leaves out damaged bytes in which no entry was that counts, and writes the rest anew behind them:
// the checksums of a log run through all of its records.
type rechain struct{}

func (rechain) Name() string { return "rechain" }
func (rechain) Doc() string {
	return "leave out damaged bytes that held no entry that counts, and write what follows anew, so that the checksums run on"
}
func (rechain) Applies(f *Finding) bool { return f.Log != nil }
func (rechain) asked(*PlanOptions) bool { return false }

func (r rechain) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	s, err := d.scan(ctx)
	if err != nil || len(d.holes()) > 0 || len(contradicting(problems)) > 0 {
		return nil, err
	}
	if !s.dirty {
		return r.anew(d, problems), nil
	}
	metadata, ok := d.otherMetadata(problems)
	if !ok {
		return nil, nil
	}
	return &solution{
		steps: []Step{newStep(r.Name(), problems,
			fmt.Sprintf("leave out %s, and write the records from there on anew", stretches(s.skips)),
			"all entries are there and intact, each is known to follow the one before")},
		rewrite: &edit.Rewrite{From: d.start(s, nil), Skip: s.skips, Metadata: metadata},
		cost:    Cost{Written: s.size},
	}, nil
}

// otherMetadata returns the log's own metadata where a segment has another one, though it goes on from the one
// before; nil if none has. ok is false for a segment that doesn't go on: it is another log's.
func (d *draft) otherMetadata(problems []*Finding) (own []byte, ok bool) {
	at := func(c wal.Class, file string) bool {
		return slices.ContainsFunc(problems, func(f *Finding) bool { return f.Log.Class == c && f.File == file })
	}
	for _, f := range problems {
		if f.Log.Class != wal.ClassMetadata {
			continue
		}
		if at(wal.ClassCRCChain, f.File) || d.view().MetadataErr != nil {
			return nil, false
		}
		own = d.view().Metadata.AppendTo(nil)
	}
	return own, true
}

// anew writes the whole log anew where only its heads are not as they should be; nil where that isn't it.
func (r rechain) anew(d *draft, problems []*Finding) *solution {
	heads := func(f *Finding) bool { return f.Log.Class == wal.ClassRecordOrder }
	if !slices.ContainsFunc(problems, heads) {
		return nil
	}
	return &solution{
		steps: []Step{newStep(r.Name(), problems, "write all records anew, each segment with the head that it should have",
			"all entries are there and intact, each is known to follow the one before")},
		rewrite: &edit.Rewrite{},
		cost:    Cost{Written: d.report.Bytes},
	}
}

// newStep returns a step about some findings.
func newStep(remedy string, findings []*Finding, does, why string) Step {
	s := Step{Remedy: remedy, Does: does, Why: why}
	for _, f := range findings {
		s.Findings = append(s.Findings, f.String())
	}
	return s
}

// stretches names some spans for people.
func stretches(list []edit.Span) string {
	size := int64(0)
	for _, s := range list {
		size += s.Len
	}
	if len(list) == 1 {
		return fmt.Sprintf("%d bytes at %v", size, list[0].Position())
	}
	return fmt.Sprintf("%d bytes in %d places from %v on", size, len(list), list[0].Position())
}
