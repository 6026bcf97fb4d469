package etcdlog

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever was put around a line, it says the same.
func TestLineForms(t *testing.T) {
	const zap = `{"level":"fatal","ts":"2026-11-29T01:40:50.6Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"walpb: crc mismatch"}`
	const capns = `2026-11-29 01:40:50.595012 C | etcdmain: walpb: crc mismatch`
	for name, tc := range map[string]struct{ line, time, text string }{
		"zap":                 {zap, "2026-11-29T01:40:50.6Z", "discovery failed: walpb: crc mismatch"},
		"capnslog":            {capns, "2026-11-29 01:40:50.595012", "etcdmain: walpb: crc mismatch"},
		"zap for people":      {"2026-11-29T01:40:50.6Z\tfatal\tetcdmain/etcd.go:204\tdiscovery failed\t{\"error\": \"walpb: crc mismatch\"}", "2026-11-29T01:40:50.6Z", `discovery failed {"error": "walpb: crc mismatch"}`},
		"journalctl":          {"Nov 29 01:40:50 node-1 etcd[812]: " + zap, "2026-11-29T01:40:50.6Z", "discovery failed: walpb: crc mismatch"},
		"journalctl, precise": {"2026-11-29T01:40:50+0000 node-1 etcd[812]: " + capns, "2026-11-29 01:40:50.595012", "etcdmain: walpb: crc mismatch"},
		"journalctl -o json":  {`{"_PID":"812","MESSAGE":` + fmt.Sprintf("%q", capns) + `,"PRIORITY":"6"}`, "2026-11-29 01:40:50.595012", "etcdmain: walpb: crc mismatch"},
		"Docker":              {`{"log":` + fmt.Sprintf("%q", zap+"\n") + `,"stream":"stderr","time":"2026-11-29T01:40:51Z"}`, "2026-11-29T01:40:50.6Z", "discovery failed: walpb: crc mismatch"},
		"containerd":          {"2026-11-29T01:40:50.7Z stderr F " + zap, "2026-11-29T01:40:50.6Z", "discovery failed: walpb: crc mismatch"},
		"kubectl":             {"2026-11-29T01:40:50.7Z " + zap, "2026-11-29T01:40:50.6Z", "discovery failed: walpb: crc mismatch"},
		"klog":                {"F1129 01:40:50.700000       1 etcd.go:204] " + capns, "2026-11-29 01:40:50.595012", "etcdmain: walpb: crc mismatch"},
		"a journal of Docker": {"Nov 29 01:40:50 node-1 dockerd[1]: " + `{"log":` + fmt.Sprintf("%q", zap) + `,"stream":"stderr","time":"x"}`, "2026-11-29T01:40:50.6Z", "discovery failed: walpb: crc mismatch"},
		"Windows":             {capns + "\r", "2026-11-29 01:40:50.595012", "etcdmain: walpb: crc mismatch"},
	} {
		l := parseLine(7, tc.line+"\n")
		if !l.etcd || l.N != 7 || l.Level != LevelFatal || l.Time != tc.time || l.Text != tc.text {
			t.Errorf("%s: %+v", name, l)
		}
		if c := causeOf(&l); c == nil || c.Name != "crc_mismatch" {
			t.Errorf("%s: cause %+v", name, c)
		}
	}
}

// Lines that are no log of etcd's say what they say, and a cut line of etcd's is one.
func TestOddLines(t *testing.T) {
	for _, tc := range []struct {
		line, text string
		etcd       bool
		level      Level
	}{
		{"", "", false, LevelUnknown},
		{"{", "{", false, LevelUnknown},
		{`{"level":`, `{"level":`, false, LevelUnknown},
		{`{"a":1}`, `{"a":1}`, false, LevelUnknown},
		{`{"level":"warn","ts":"2026","msg":"slow fda`, `"ts":"2026","msg":"slow fda`, true, LevelWarn},
		{"panic: removed all voters", "panic: removed all voters", false, LevelUnknown},
		{"raft2026/11/29 01:40:54 INFO: newRaft", "newRaft", true, LevelInfo},
		{"raft2026/11/29 01:40:54 tocommit(3) is out", "tocommit(3) is out", true, LevelUnknown},
	} {
		if l := parseLine(1, tc.line); l.Text != tc.text || l.etcd != tc.etcd || l.Level != tc.level {
			t.Errorf("%q: %+v", tc.line, l)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tc := range []struct {
		text, words string
		want        bool
	}{
		{"tocommit(31) is out of range [lastIndex(0)].", "tocommit(…) is out of range [lastIndex(", true},
		{"out of range tocommit(31)", "tocommit(…) is out of range", false},
		{"a", "", true},
		{"", "a", false},
		{"alarm raised alarm=NOSPACE", "alarm raised…alarm=NOSPACE", true},
		{"alarm raised alarm=CORRUPT", "alarm raised…alarm=NOSPACE", false},
	} {
		if got := has(tc.text, tc.words); got != tc.want {
			t.Errorf("%q in %q: %v", tc.words, tc.text, got)
		}
	}
}

// Every prefix and every changed byte of real lines is read without a panic.
func FuzzRead(f *testing.F) {
	for _, line := range []string{
		`{"level":"fatal","ts":"2026","msg":"discovery failed","error":"walpb: crc mismatch"}`,
		"Nov 29 01:40:50 node-1 etcd[812]: 2026-11-29 01:40:50.595012 C | etcdmain: walpb: crc mismatch",
		`{"log":"x","stream":"stderr"}`, `{"MESSAGE":"y"}`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Read(t.Context(), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Count(text, "\n"); r.Lines < want || r.Lines > want+1 || len(r.Hits) > r.Lines {
			t.Errorf("%d lines, %d hits of %q", r.Lines, len(r.Hits), text)
		}
	})
}
