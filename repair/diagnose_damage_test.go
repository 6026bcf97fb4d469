package repair_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
)

const firstSegment = "wal/0000000000000000-0000000000000000.wal"

// flip changes a byte of a member's file.
func flip(t *testing.T, dir, name string, off int64) {
	t.Helper()
	f, err := os.OpenFile(below(dir, name), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// offsetOf returns where the record of an entry lies in the first segment.
func offsetOf(t *testing.T, d *repair.Diagnosis, index uint64) int64 {
	t.Helper()
	at, err := d.Members[0].Report.View.Locate(index)
	if err != nil {
		t.Fatal(err)
	}
	return at.Off
}

// lostText says the entries of a finding, a line each.
func lostText(f *repair.Finding) (lines []string) {
	for _, l := range f.Lost {
		lines = append(lines, fmt.Sprintf("%d committed %v applied %v proven %v: %s", l.ID.Index, l.Committed, l.Applied,
			l.Proven, l.Summary))
	}
	return lines
}

// Each damage says what releases do about it: they end at the first, and the second is not reached; and what
// was in the record, though that isn't proven.
func TestDamageTellsReleasesAndEntries(t *testing.T) {
	dir := corpus.Copy(t, "c36-leasecp-1n-clean")
	healthy := diagnose(t, dir)
	for _, index := range []uint64{9, 11} {
		flip(t, dir, firstSegment, offsetOf(t, healthy, index)+31) // in the key
	}
	d := diagnose(t, dir)
	var damage []*repair.Finding
	for i := range d.Findings {
		if f := &d.Findings[i]; f.Check == repair.CheckLog && f.Severity == verdict.Error {
			damage = append(damage, f)
		}
	}
	if len(damage) != 2 {
		t.Fatalf("%+v", d.Findings)
	}
	want := [][]string{{"9 committed true applied true proven false: put "}, {"11 committed true applied true proven false: put "}}
	for i, f := range damage {
		for k, line := range lostText(f) {
			if len(want[i]) != len(f.Lost) || !strings.HasPrefix(line, want[i][k]) {
				t.Errorf("%v: lost %q, want %q", f, line, want[i])
			}
		}
		if diff := cmp.Diff([]string{"wal", "repair", dir}, f.Next); diff != "" {
			t.Error(diff)
		}
	}
	if r := damage[0].Releases; len(r) != 1 || !strings.Contains(r[0], "walpb: crc mismatch") {
		t.Errorf("%q", r)
	}
	if diff := cmp.Diff([]string{"etcd 3.4 to 3.7: not reached"}, damage[1].Releases); diff != "" {
		t.Error(diff)
	}
	if f := finding(d, "etcd_start"); f == nil || f.Check != repair.CheckStart {
		t.Errorf("%+v", d.Findings)
	}
}

// Where etcd cuts off what is intact, that is told at the damage, with what the entries say; and at the start.
func TestDamageTellsWhatEtcdCuts(t *testing.T) {
	dir := corpus.Copy(t, "c36-leasecp-1n-clean")
	flip(t, dir, firstSegment, offsetOf(t, diagnose(t, dir), 12)+1) // in the frame's length
	d := diagnose(t, dir)
	f := finding(d, "length_field")
	if f == nil {
		t.Fatalf("%+v", d.Findings)
	}
	want := []string{
		"12 committed true applied true proven true: lease_checkpoint 547da1fb83684505 3300s left, 547da1fb83684508 3300s left, " +
			"547da1fb8368450b 3300s l…",
		"13 committed true applied true proven true: put done 1 B 1",
	}
	if diff := cmp.Diff(want, lostText(f)); diff != "" {
		t.Error(diff)
	}
	if len(f.Releases) != 1 || !strings.Contains(f.Releases[0], "drops the end") {
		t.Errorf("%q", f.Releases)
	}
	if f := finding(d, "start_loses"); f == nil || !strings.Contains(f.Evidence, "loses entries 12..13, 2 of them committed") {
		t.Errorf("%+v", d.Findings)
	}
}

// What a running etcd holds is told, and nothing is found wrong with it while it is written.
func TestRunningEtcd(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			s := etcdtest.Start(t, version, dir, append(etcdtest.Quick, "--snapshot-count", "10")...)
			for range etcdtest.Looks(t, 10) {
				for i := range 7 {
					s.Ctl("put", fmt.Sprint("k", i), "v")
				}
				d := diagnose(t, dir)
				if m := d.Members[0]; !m.Running || d.Verdict != verdict.OK {
					t.Fatalf("running %v, %s: %+v", m.Running, d.Verdict, d.Findings)
				}
			}
			s.Stop()
			if d := diagnose(t, dir); d.Members[0].Running || d.Verdict != verdict.OK {
				t.Errorf("%+v", d.Members[0])
			}
		})
	}
}
