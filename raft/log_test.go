package raft

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// run returns entries with the given terms, the first at index first.
func run(first uint64, terms ...uint64) []raftpb.Entry {
	var entries []raftpb.Entry
	for i, term := range terms {
		entries = append(entries, raftpb.Entry{Index: first + uint64(i), Term: term})
	}
	return entries
}

// testLog returns a log with a snapshot at index compacted of term 1, entries of the given terms
// after it, of which the last n are unstable.
func testLog(t *testing.T, compacted uint64, n int, terms ...uint64) *raftLog {
	t.Helper()
	store := NewMemoryStorage()
	if compacted > 0 {
		meta := raftpb.SnapshotMetadata{Index: compacted, Term: 1}
		must(t, store.ApplySnapshot(raftpb.Snapshot{Metadata: meta}))
	}
	entries := run(compacted+1, terms...)
	stable := len(entries) - n
	must(t, store.Append(entries[:stable]))
	l, err := newLog(store, NoLimit, notifier{})
	must(t, err)
	l.append(entries[stable:])
	return l
}

// dumbMatch walks down the log.
func dumbMatch(l *raftLog, index, term uint64) raftpb.EntryID {
	for ; index > 0; index-- {
		ours, err := l.term(index)
		if err != nil {
			return raftpb.EntryID{Index: index}
		}
		if ours <= term {
			return raftpb.EntryID{Term: ours, Index: index}
		}
	}
	return raftpb.EntryID{}
}

func TestLastPossibleMatchAgainstWalking(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		terms, term := []uint64{}, uint64(1)
		for range r.IntN(12) {
			term += r.Uint64N(3) / 2
			terms = append(terms, term)
		}
		compacted := r.Uint64N(3) * r.Uint64N(4)
		l := testLog(t, compacted, r.IntN(len(terms)+1), terms...)
		for range 20 {
			index, term := r.Uint64N(20), r.Uint64N(8)
			got, err := l.lastPossibleMatch(index, term)
			must(t, err)
			if want := dumbMatch(l, index, term); got != want {
				t.Fatalf("log after %d with terms %v: match of (%d, term %d) is %v, want %v",
					compacted, terms, index, term, got, want)
			}
		}
	}
}

func TestFirstConflict(t *testing.T) {
	tests := []struct {
		name    string
		entries []raftpb.Entry
		want    uint64
	}{
		{"none", nil, 0},
		{"all there", run(3, 2, 2), 0},
		{"a part of what is there", run(4, 2), 0},
		{"another term", run(4, 3), 4},
		{"another term in the middle", run(3, 2, 3, 3), 4},
		{"more", run(3, 2, 2, 3, 3), 6},
		{"only new", run(6, 3), 6},
	}
	for unstable := range 5 {
		l := testLog(t, 1, unstable, 1, 2, 2, 3)
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s/unstable=%d", test.name, unstable), func(t *testing.T) {
				entries := test.entries
				if test.name == "more" {
					entries = run(3, 2, 2, 3, 3)
				}
				got, err := l.firstConflict(entries)
				if err != nil || got != test.want {
					t.Errorf("got %d, %v, want %d", got, err, test.want)
				}
			})
		}
	}
}

func TestTermOutside(t *testing.T) {
	l := testLog(t, 5, 2, 2, 2, 3)
	tests := []struct {
		index, term uint64
		err         error
	}{
		{4, 0, ErrCompacted}, {5, 1, nil}, {6, 2, nil}, {8, 3, nil}, {9, 0, ErrUnavailable},
	}
	for _, test := range tests {
		term, err := l.term(test.index)
		if term != test.term || !errors.Is(err, test.err) {
			t.Errorf("term of %d is %d, %v, want %d, %v",
				test.index, term, err, test.term, test.err)
		}
	}
	if _, err := l.slice(5, 7, NoLimit); err != ErrCompacted {
		t.Errorf("slice from what is compacted: %v, want ErrCompacted", err)
	}
}

// TestSliceLimits compares slice, whatever part of it comes from Storage, with a limit over all
// entries.
func TestSliceLimits(t *testing.T) {
	terms := []uint64{1, 1, 2, 2, 2, 300, 300, 300}
	for unstable := range len(terms) + 1 {
		l := testLog(t, 3, unstable, terms...)
		all := run(4, terms...)
		for lo := range len(all) {
			for hi := lo + 1; hi <= len(all); hi++ {
				for _, limit := range []uint64{0, 1, 4, 5, 8, 9, 12, 20, 100, NoLimit} {
					got, err := l.slice(all[lo].Index, all[hi-1].Index+1, limit)
					must(t, err)
					want := limitSize(all[lo:hi], limit)
					if !slices.EqualFunc(got, want, sameID) {
						t.Fatalf("%d unstable: [%d,%d) limited to %d: %d entries, want %d",
							unstable, lo, hi, limit, len(got), len(want))
					}
				}
			}
		}
	}
}

func TestEntrySizeIsTheEncodedSize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		e := raftpb.Entry{
			Type:  raftpb.EntryType(r.IntN(3)),
			Term:  r.Uint64() >> r.IntN(64),
			Index: r.Uint64() >> r.IntN(64),
		}
		if r.IntN(4) > 0 {
			e.Data = make([]byte, r.IntN(300))
		}
		if got, want := EntrySize(&e), uint64(e.Size(raftpb.FlavorPbgo)); got != want {
			t.Fatalf("%+v: size %d, want %d", e, got, want)
		}
	}
}

func TestStableTo(t *testing.T) {
	// Entries 5 to 7 of terms 1, 1, 2 are unstable, after a snapshot at 4 of term 1 that is too.
	tests := []struct {
		name       string
		id         raftpb.EntryID
		wantOffset uint64
		want       Event
	}{
		{"first", raftpb.EntryID{Term: 1, Index: 5}, 6, nil},
		{"all", raftpb.EntryID{Term: 2, Index: 7}, 8, nil},
		{"of another term", raftpb.EntryID{Term: 3, Index: 7}, 5,
			StableIgnored{raftpb.EntryID{Term: 3, Index: 7}, StableMismatch, 2}},
		{"beyond", raftpb.EntryID{Term: 2, Index: 8}, 5,
			StableIgnored{raftpb.EntryID{Term: 2, Index: 8}, StableMissing, 0}},
		{"snapshot", raftpb.EntryID{Term: 1, Index: 4}, 5,
			StableIgnored{raftpb.EntryID{Term: 1, Index: 4}, StableSnapshot, 1}},
		{"before", raftpb.EntryID{Term: 1, Index: 3}, 5,
			StableIgnored{raftpb.EntryID{Term: 1, Index: 3}, StableMissing, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got Event
			u := unstable{notify: notifier{observer: ObserverFunc(func(_ uint64, e Event) {
				got = e
			})}}
			meta := raftpb.SnapshotMetadata{Index: 4, Term: 1}
			u.restore(&raftpb.Snapshot{Metadata: meta})
			u.truncateAndAppend(run(5, 1, 1, 2))
			u.acceptInProgress()
			u.stableTo(test.id)
			if u.offset != test.wantOffset || u.lastIndex() != 7 {
				t.Errorf("offset %d, last index %d, want %d and 7",
					u.offset, u.lastIndex(), test.wantOffset)
			}
			if got != test.want {
				t.Errorf("event %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTruncateAndAppend(t *testing.T) {
	tests := []struct {
		name               string
		entries            []raftpb.Entry
		offset, inProgress uint64
		want               []raftpb.Entry
	}{
		{"append", run(8, 2), 5, 8, run(5, 1, 1, 1, 2)},
		{"replace all", run(5, 2, 2), 5, 5, run(5, 2, 2)},
		{"replace more than all", run(4, 2, 2), 4, 4, run(4, 2, 2)},
		{"truncate", run(6, 2), 5, 6, run(5, 1, 2)},
		{"truncate the last", run(7, 2, 2), 5, 7, run(5, 1, 1, 2, 2)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := unstable{offset: 5, offsetInProgress: 5}
			u.truncateAndAppend(run(5, 1, 1, 1))
			u.acceptInProgress()
			u.truncateAndAppend(test.entries)
			if u.offset != test.offset || u.offsetInProgress != test.inProgress {
				t.Errorf("offset %d, in progress to %d, want %d and %d",
					u.offset, u.offsetInProgress, test.offset, test.inProgress)
			}
			if diff := cmp.Diff(test.want, u.entries); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHandedOutEntriesStay keeps every slice that the unstable log ever handed out, and checks at
// the end that none changed: messages on their way and Readys point into the same arrays.
func TestHandedOutEntriesStay(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		u := unstable{offset: 1, offsetInProgress: 1}
		var kept, copies [][]raftpb.Entry
		term := uint64(1)
		for range 60 {
			last := u.lastIndex()
			switch r.IntN(4) {
			case 0:
				if n := len(u.entries); n > 0 {
					u.acceptInProgress()
					e := u.entries[r.IntN(n)]
					u.stableTo(e.ID())
				}
			case 1:
				term++
				first := last + 1 - min(last, r.Uint64N(5))
				u.truncateAndAppend(run(first, term, term))
			default:
				u.truncateAndAppend(run(last+1, term))
			}
			if r.IntN(10) == 0 {
				u.dead = maxDead + 1 // as if the payloads had been large
				u.release()
			}
			handed := u.slice(u.offset, u.lastIndex()+1)
			kept = append(kept, handed)
			copies = append(copies, slices.Clone(handed))
		}
		checkUnchanged(t, copies, kept)
	}
}

func sameID(a, b raftpb.Entry) bool { return a.ID() == b.ID() }

// checkUnchanged compares slices of entries with what they were.
func checkUnchanged(t *testing.T, then, now [][]raftpb.Entry) {
	t.Helper()
	for i := range then {
		if !slices.EqualFunc(then[i], now[i], sameID) {
			t.Fatalf("entries changed after they were handed out:\nthen %v\nnow  %v", then[i], now[i])
		}
	}
}

// TestAdoptedArrayIsNotWrittenTo takes over the array of a large message, which has room for more, and
// goes on: what the sender may put there later must not be in the way.
func TestAdoptedArrayIsNotWrittenTo(t *testing.T) {
	theirs := make([]raftpb.Entry, 0, 4*adoptEntries)
	for i := range uint64(adoptEntries) {
		theirs = append(theirs, raftpb.Entry{Index: i + 1, Term: 1})
	}
	u := unstable{offset: 1, offsetInProgress: 1}
	u.truncateAndAppend(theirs)
	if &u.entries[0] != &theirs[0] {
		t.Error("the array was copied")
	}
	u.truncateAndAppend(run(adoptEntries+1, 1, 1))
	if got := theirs[:adoptEntries+1][adoptEntries]; got.Term != 0 {
		t.Errorf("wrote entry %v behind the message's", got)
	}
	u.truncateAndAppend(run(10, 2))
	if got := theirs[9]; got.Term != 1 {
		t.Errorf("changed the message's entry 10 to %v", got)
	}
	if got := u.lastIndex(); got != 10 {
		t.Errorf("last index %d, want 10", got)
	}
}

// TestStablePayloadsAreReleased checks that large payloads do not stay in memory because a later
// entry is in the same array.
func TestStablePayloadsAreReleased(t *testing.T) {
	u := unstable{offset: 1, offsetInProgress: 1}
	for i := range uint64(100) {
		data := make([]byte, 10)
		if i > 0 {
			data = make([]byte, 64<<10)
		}
		u.truncateAndAppend([]raftpb.Entry{{Index: i + 1, Term: 1, Data: data}})
		u.acceptInProgress()
		if i > 0 {
			u.stableTo(raftpb.EntryID{Term: 1, Index: i})
		}
		if limit := uint64(maxDead + 64<<10); u.dead > limit {
			t.Fatalf("after entry %d, %d stable bytes are held, want at most %d", i+1, u.dead, limit)
		}
	}
}
