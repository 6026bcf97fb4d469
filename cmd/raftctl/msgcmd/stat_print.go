package msgcmd

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/stat"
	"github.com/raftctl/raftctl/internal/display"
)

// listedElections and listedSnapshots are how many are listed for people, the last ones.
const (
	listedElections = 20
	listedSnapshots = 10
)

// statPrinter prints a summary.
type statPrinter struct {
	a       *ui.App
	s       *stat.Summary
	sources []string
	names   *stream.Names

	title   string
	cluster uint64 // 0: not known
	members []uint64
}

func (p *statPrinter) heading() string { return p.title }

func (p *statPrinter) print(w io.Writer) error {
	var b bytes.Buffer
	p.facts(&b)
	p.flows(&b)
	p.latencies(&b)
	p.followers(&b)
	p.elections(&b)
	p.snapshots(&b)
	p.gapReasons(&b)
	_, err := w.Write(b.Bytes())
	return err
}

func (p *statPrinter) facts(b *bytes.Buffer) {
	s := p.s
	kv := ui.NewFacts(b).Wrap(p.a.Width)
	kv.Add("messages", "%s, %s with all else", ui.Count(s.Messages), display.FormatSize(s.Bytes))
	if took := s.Last.Sub(s.First); !s.First.IsZero() {
		kv.Add("time", "%s to %s: %s", clock(s.First), clock(s.Last), short(took))
		if took > 0 {
			kv.Add("rate", "%.1f messages/s, %s/s", float64(s.Messages)/took.Seconds(),
				display.FormatSize(int64(float64(s.Bytes)/took.Seconds())))
			kv.Add("", "%s  %s each", ui.Sparkline(s.Rate.Sums), short(s.Rate.Width))
		}
	}
	if slow := p.slowest(); slow != nil {
		kv.Add("slowest", "%s: 99 %% of appends within %s", p.name(slow.Member), short(slow.Append.Quantile(0.99)))
	}
	if s.Dropped > 0 {
		kv.Add("left out", "%s: too many at once to follow", ui.Count(s.Dropped))
	}
	_ = kv.Flush() // a buffer takes everything
}

// slowest returns the follower whose appends took longest, nil where there is none to compare.
func (p *statPrinter) slowest() *stat.Follower {
	if len(p.s.Followers) < 2 || p.s.Followers[0].Append.Count == 0 {
		return nil
	}
	return &p.s.Followers[0]
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// short formats a duration with three digits.
func short(d time.Duration) string {
	for unit := time.Duration(1); unit <= time.Second; unit *= 1000 {
		if d < 1000*unit || unit == time.Second {
			return d.Round(max(1, unit/100)).String()
		}
	}
	return d.String()
}

func (p *statPrinter) name(id uint64) string {
	return string(appendMember(nil, id, p.names.Of(id)))
}

func (p *statPrinter) flows(b *bytes.Buffer) {
	t := ui.NewHeldTable(ui.TextColumn("TYPE"), ui.TextColumn("FROM"), ui.TextColumn("TO"), ui.NumberColumn("MESSAGES"),
		ui.SizeColumn("BYTES"), ui.NumberColumn("ENTRIES"), ui.NumberColumn("PER SECOND"), ui.TextColumn("SHARE"))
	took := p.s.Last.Sub(p.s.First).Seconds()
	for i := range p.s.Flows {
		f := &p.s.Flows[i]
		rate := "-"
		if took > 0 {
			rate = fmt.Sprintf("%.1f", float64(f.Count)/took)
		}
		t.Add(shortType(f.Type), p.name(f.From), p.name(f.To), ui.Count(f.Count), display.FormatSize(f.Bytes),
			ui.Count(f.Entries), rate, ui.Bar(f.Count, p.s.Messages, 10))
	}
	t.Print(b, p.a.Screen())
}

func (p *statPrinter) latencies(b *bytes.Buffer) {
	t := ui.NewHeldTable(ui.TextColumn("LATENCY"), ui.NumberColumn("COUNT"), ui.NumberColumn("MIN"), ui.NumberColumn("P50"),
		ui.NumberColumn("P90"), ui.NumberColumn("P99"), ui.NumberColumn("P99.9"), ui.NumberColumn("MAX"), ui.TextColumn(""))
	for i := range p.s.Latencies {
		l := &p.s.Latencies[i]
		t.Add(string(l.Kind), ui.Count(l.Count), short(l.Min), short(l.Quantile(0.5)), short(l.Quantile(0.9)),
			short(l.Quantile(0.99)), short(l.Quantile(0.999)), short(l.Max), ui.Sparkline(l.Counts()))
	}
	t.Print(b, p.a.Screen())
}

func (p *statPrinter) followers(b *bytes.Buffer) {
	t := ui.NewHeldTable(ui.TextColumn("FOLLOWER"), ui.NumberColumn("APPENDS"), ui.NumberColumn("P50"), ui.NumberColumn("P99"),
		ui.NumberColumn("HEARTBEATS"), ui.NumberColumn("P50"), ui.NumberColumn("P99"), ui.NumberColumn("BEHIND"),
		ui.NumberColumn("REJECTED"), ui.NumberColumn("PROBES"), ui.NumberColumn("SNAPSHOTS"))
	for i := range p.s.Followers {
		f := &p.s.Followers[i]
		t.Add(p.name(f.Member), ui.Count(f.Append.Count), quantile(&f.Append, 0.5), quantile(&f.Append, 0.99),
			ui.Count(f.Heartbeat.Count), quantile(&f.Heartbeat, 0.5), quantile(&f.Heartbeat, 0.99),
			ui.Count(f.MaxBehind), ui.Count(f.Rejections), ui.Count(f.Probes), ui.Count(f.Snapshots))
	}
	t.Print(b, p.a.Screen())
}

// quantile formats a quantile, - where nothing was counted.
func quantile(h *stat.Histogram, share float64) string {
	if h.Count == 0 {
		return "-"
	}
	return short(h.Quantile(share))
}

func (p *statPrinter) elections(b *bytes.Buffer) {
	t := ui.NewHeldTable(ui.TextColumn("ELECTION"), ui.NumberColumn("TERM"), ui.TextColumn("CANDIDATE"), ui.TextColumn("CAUSE"),
		ui.TextColumn("OUTCOME"), ui.NumberColumn("TOOK"), ui.NumberColumn("SILENCE"), ui.NumberColumn("GRANTED"),
		ui.NumberColumn("REFUSED"))
	list := p.s.Elections
	if more := p.s.ElectionsSeen - int64(min(len(list), listedElections)); more > 0 {
		t.Add("…", "", ui.Count(more)+" before", "", "", "", "", "", "")
	}
	for i := range list[max(0, len(list)-listedElections):] {
		e := &list[max(0, len(list)-listedElections)+i]
		t.Add(string(appendClock(nil, e.Start)), fmt.Sprint(e.Term), p.name(e.Candidate), string(e.Cause), outcomeText(e),
			positive(e.Duration), positive(e.Silence), fmt.Sprint(e.Granted), fmt.Sprint(e.Refused))
	}
	t.Print(b, p.a.Screen())
}

// outcomeText says how an election ended.
func outcomeText(e *stat.Election) string {
	switch e.Outcome {
	case stat.OutcomePreVote:
		return "no further than the pre-vote"
	case stat.OutcomeNotKnown:
		return "not known"
	}
	return string(e.Outcome)
}

// positive formats a duration, - where it is not known.
func positive(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return short(d)
}

func (p *statPrinter) snapshots(b *bytes.Buffer) {
	t := ui.NewHeldTable(ui.TextColumn("SNAPSHOT"), ui.TextColumn("FROM"), ui.TextColumn("TO"), ui.NumberColumn("INDEX"),
		ui.NumberColumn("TERM"), ui.SizeColumn("MESSAGE"), ui.NumberColumn("TOOK"))
	list := p.s.Snapshots
	for i := range list[max(0, len(list)-listedSnapshots):] {
		x := &list[max(0, len(list)-listedSnapshots)+i]
		t.Add(string(appendClock(nil, x.Time)), p.name(x.From), p.name(x.To), fmt.Sprint(x.ID.Index), fmt.Sprint(x.ID.Term),
			display.FormatSize(x.Bytes), positive(x.Took))
	}
	t.Print(b, p.a.Screen())
}

func (p *statPrinter) gapReasons(b *bytes.Buffer) {
	t := ui.NewHeldTable(ui.TextColumn("MISSING"), ui.NumberColumn("GAPS"), ui.SizeColumn("BYTES"))
	for _, g := range p.s.Gaps {
		size := display.FormatSize(g.Bytes)
		if g.Unknown > 0 {
			size += " or more"
		}
		t.Add(ui.Printable(g.Reason), ui.Count(g.Count), size)
	}
	t.Print(b, p.a.Screen())
}

// gaps returns how many gaps there were.
func (p *statPrinter) gaps() (n int64) {
	for _, g := range p.s.Gaps {
		n += g.Count
	}
	return n
}
