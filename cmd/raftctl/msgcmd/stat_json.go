package msgcmd

import (
	"fmt"
	"time"

	"github.com/raftctl/raftctl/decode/stream/stat"
)

// stats is the result of `message stat`, and its JSON: see docs/json.md. Durations are in nanoseconds.
type stats struct {
	Sources   []string       `json:"sources"`
	Cluster   string         `json:"cluster_id,omitempty"`
	Members   []string       `json:"members"`
	First     string         `json:"first_time,omitempty"`
	Last      string         `json:"last_time,omitempty"`
	Events    int64          `json:"events"`
	Messages  int64          `json:"messages"`
	Bytes     int64          `json:"bytes"`
	Rate      rateJSON       `json:"rate"`
	Flows     []flowJSON     `json:"flows"`
	Latencies []latencyJSON  `json:"latencies"`
	Followers []followerJSON `json:"followers"`
	Elections []electionJSON `json:"elections"`
	// ElectionsSeen and SnapshotsSeen count all, of which the last ones are listed.
	ElectionsSeen int64          `json:"elections_seen"`
	Snapshots     []snapshotJSON `json:"snapshots"`
	SnapshotsSeen int64          `json:"snapshots_seen"`
	Gaps          []gapJSON      `json:"gaps"`
	Dropped       int64          `json:"dropped"`
}

type rateJSON struct {
	Start    string  `json:"start,omitempty"`
	Interval int64   `json:"interval_ns"`
	Bytes    []int64 `json:"bytes"` // of each interval
}

type flowJSON struct {
	Type    string `json:"type"`
	From    string `json:"from"`
	To      string `json:"to"`
	Count   int64  `json:"messages"`
	Bytes   int64  `json:"bytes"`
	Entries int64  `json:"entries"`
}

// durations is how long something took.
type durations struct {
	Count int64 `json:"count"`
	Min   int64 `json:"min_ns"`
	P50   int64 `json:"p50_ns"`
	P90   int64 `json:"p90_ns"`
	P99   int64 `json:"p99_ns"`
	P999  int64 `json:"p999_ns"`
	Max   int64 `json:"max_ns"`
}

type latencyJSON struct {
	Kind string `json:"kind"`
	durations
}

type followerJSON struct {
	Member     string    `json:"member"`
	Name       string    `json:"name,omitempty"`
	Append     durations `json:"append"`
	Heartbeat  durations `json:"heartbeat"`
	MaxBehind  uint64    `json:"max_behind"` // entries
	Rejections int64     `json:"rejections"`
	Probes     int64     `json:"probes"`
	Snapshots  int64     `json:"snapshots"`
}

type electionJSON struct {
	Time      string `json:"time"`
	Term      uint64 `json:"term"`
	Candidate string `json:"candidate"`
	Cause     string `json:"cause"`
	PreVote   bool   `json:"pre_vote"`
	Outcome   string `json:"outcome"`
	Took      int64  `json:"took_ns"`
	Silence   int64  `json:"silence_ns"`
	Granted   int    `json:"granted"`
	Refused   int    `json:"refused"`
}

type snapshotJSON struct {
	Time  string `json:"time"`
	From  string `json:"from"`
	To    string `json:"to"`
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	Bytes int64  `json:"bytes"`
	Took  int64  `json:"took_ns"`
}

type gapJSON struct {
	Reason  string `json:"reason"`
	Count   int64  `json:"count"`
	Bytes   int64  `json:"bytes"`
	Unknown int64  `json:"of_unknown_length"`
}

func hexID(id uint64) string { return fmt.Sprintf("%x", id) }

// clusterID formats the ID of a cluster, "" where it isn't known.
func clusterID(id uint64) string {
	if id == 0 {
		return ""
	}
	return hexID(id)
}

func hexIDs(ids []uint64) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = hexID(id)
	}
	return list
}

// stamp formats a time, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func durationsOf(h *stat.Histogram) durations {
	return durations{
		Count: h.Count, Min: int64(h.Min), Max: int64(h.Max), P50: int64(h.Quantile(0.5)), P90: int64(h.Quantile(0.9)),
		P99: int64(h.Quantile(0.99)), P999: int64(h.Quantile(0.999)),
	}
}

func (p *statPrinter) json() *stats {
	s := p.s
	j := &stats{
		Sources: p.sources, Cluster: clusterID(p.cluster), Members: hexIDs(p.members), First: stamp(s.First), Last: stamp(s.Last), Events: s.Events, Messages: s.Messages, Bytes: s.Bytes,
		Rate:  rateJSON{Start: stamp(s.Rate.Start), Interval: int64(s.Rate.Width), Bytes: append([]int64{}, s.Rate.Sums...)},
		Flows: []flowJSON{}, Latencies: []latencyJSON{}, Followers: []followerJSON{}, Elections: []electionJSON{},
		Snapshots: []snapshotJSON{}, Gaps: []gapJSON{},
		ElectionsSeen: s.ElectionsSeen, SnapshotsSeen: s.SnapshotsSeen, Dropped: s.Dropped,
	}
	for _, f := range s.Flows {
		j.Flows = append(j.Flows, flowJSON{f.Type.String(), hexID(f.From), hexID(f.To), f.Count, f.Bytes, f.Entries})
	}
	for i := range s.Latencies {
		l := &s.Latencies[i]
		j.Latencies = append(j.Latencies, latencyJSON{string(l.Kind), durationsOf(&l.Histogram)})
	}
	for i := range s.Followers {
		f := &s.Followers[i]
		j.Followers = append(j.Followers, followerJSON{
			Member: hexID(f.Member), Name: p.names.Of(f.Member), Append: durationsOf(&f.Append), Heartbeat: durationsOf(&f.Heartbeat),
			MaxBehind: f.MaxBehind, Rejections: f.Rejections, Probes: f.Probes, Snapshots: f.Snapshots,
		})
	}
	p.jsonEvents(j)
	return j
}

// jsonEvents adds what happened now and then.
func (p *statPrinter) jsonEvents(j *stats) {
	for _, e := range p.s.Elections {
		j.Elections = append(j.Elections, electionJSON{
			stamp(e.Start), e.Term, hexID(e.Candidate), string(e.Cause), e.PreVote, string(e.Outcome),
			int64(e.Duration), int64(e.Silence), e.Granted, e.Refused,
		})
	}
	for _, x := range p.s.Snapshots {
		j.Snapshots = append(j.Snapshots, snapshotJSON{
			stamp(x.Time), hexID(x.From), hexID(x.To), x.ID.Index, x.ID.Term, x.Bytes, int64(x.Took),
		})
	}
	for _, g := range p.s.Gaps {
		j.Gaps = append(j.Gaps, gapJSON{g.Reason, g.Count, g.Bytes, g.Unknown})
	}
}
