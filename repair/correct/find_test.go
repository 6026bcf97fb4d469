package correct_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/correct"
	"github.com/raftctl/raftctl/wal"
)

// mend corrects what can be, one finding after the other, until the log is what it was, and returns what
// could not be.
func mend(tb testing.TB, f, was files) (done []*correct.Correction, refused []error) {
	tb.Helper()
	const most = 100
	for range most {
		c, why := mendOne(tb, f)
		if c == nil {
			return done, why
		}
		done = append(done, c)
		copy(f[c.Pos.Segment][c.Pos.Off:], c.New)
		if f.equal(was) {
			return done, nil
		}
	}
	tb.Fatalf("%d corrections, and no end", most)
	return nil, nil
}

// mendOne returns the correction of the first finding that has one.
func mendOne(tb testing.TB, f files) (*correct.Correction, []error) {
	tb.Helper()
	log, err := wal.Open(f.fs(), "wal")
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	r, err := log.Verify(tb.Context(), wal.VerifyOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	var refused []error
	for i := range r.Findings {
		if r.Findings[i].Severity != wal.SeverityError {
			continue
		}
		c, err := correct.Find(tb.Context(), log, &r.Findings[i])
		if _, ok := errors.AsType[*correct.UnprovableError](err); ok {
			refused = append(refused, err)
			continue
		}
		if err != nil {
			tb.Fatal(err)
		}
		was := f[c.Pos.Segment][c.Pos.Off:][:len(c.Old)]
		if len(c.Old) != len(c.New) || !bytes.Equal(was, c.Old) || c.Candidates != 1 || c.How == "" {
			tb.Fatalf("%+v, but there lies %x", c, was)
		}
		return c, nil
	}
	return nil, refused
}

// TestEveryBit flips every bit of small logs, one at a time. Each is put right.
func TestEveryBit(t *testing.T) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		for _, unpadded := range []bool{false, true} {
			for first := range 3 {
				t.Run(fmt.Sprintf("%v/unpadded=%v/from %d", flavor, unpadded, first), func(t *testing.T) {
					t.Parallel()
					flipAll(t, build(flavor, unpadded, 3).files(first, 160))
				})
			}
		}
	}
}

// TestEveryBitOfMixed is TestEveryBit for logs of etcd 2.x with which a later one went on.
func TestEveryBitOfMixed(t *testing.T) {
	flipAll(t, build(raftpb.FlavorGogo, true, 1).goOn().files(0, 160))
	flipAll(t, build(raftpb.FlavorGogo, true, 2).goOn().files(1, 160))
}

func flipAll(t *testing.T, was files) {
	t.Helper()
	bad := 0
	for _, name := range was.names() {
		for off := range was[name] {
			for bit := range 8 {
				f := was.clone()
				f[name][off] ^= 1 << bit
				done, refused := mend(t, f, was)
				if !bytes.Equal(f[name], was[name]) || len(done) != 1 || done[0].Bits != 1 {
					bad++
					if bad < 8 {
						t.Errorf("%s offset %d bit %d: %v, %v", name, off, bit, howOf(done), refused)
					}
				}
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d bad", bad)
	}
}

func howOf(done []*correct.Correction) (s []string) {
	for _, c := range done {
		s = append(s, fmt.Sprintf("%v: %s: %s", c.Pos, c.Class, c.How))
	}
	return s
}
