package correct_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/correct"
	"github.com/raftctl/raftctl/wal"
)

// frame is a record's place in a built log, for tests that damage it.
type frame struct {
	file string
	wal.Record
	data int64 // where its data begins
}

// frames returns the frames of a log in order.
func (f files) frames(tb testing.TB) (out []frame) {
	tb.Helper()
	log, err := wal.Open(f.fs(), "wal")
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	for r, err := range log.Records(wal.Inspect) {
		if err != nil || r.Kind == wal.KindDamage {
			tb.Fatal(err, r)
		}
		rec := *r
		rec.Data = slices.Clone(r.Data)
		out = append(out, frame{r.Pos.Segment, rec, r.Pos.Off + r.Len - int64(r.Pad) - int64(len(r.Data))})
	}
	return out
}

// pick returns the n-th frame of a kind.
func pick(all []frame, k wal.Kind, n int) frame {
	for _, f := range all {
		if f.Kind == k {
			if n--; n < 0 {
				return f
			}
		}
	}
	panic("no such frame")
}

// long returns the number of the entry with the most data.
func long(all []frame) (n int) {
	at, most := -1, 0
	for _, f := range all {
		if f.Kind == wal.KindEntry {
			if at++; len(f.Data) > most {
				n, most = at, len(f.Data)
			}
		}
	}
	return n
}

// TestLevels damages a log in more than a bit. The key is the damage; what is left of How says which level
// put it right, or of the error why nothing could.
func TestLevels(t *testing.T) {
	tests := map[string]struct {
		first   int // the first segment that there is
		last    int // how many segments there are after it
		corrupt func(f files, all []frame)
		how     string
		refused string
	}{
		"header and fields zeroed": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, 2)
			clear(f[e.file][e.Pos.Off:e.data])
		}, "ways to read the data", ""},
		"header and fields of the last record": {0, 2, func(f files, all []frame) {
			e := all[len(all)-1]
			clear(f[e.file][e.Pos.Off : e.Pos.Off+8])
			f[e.file][e.data-1] ^= 0x55
		}, "ways to read the data", ""},
		"fields and stored crc of a segment's last record": {0, 2, func(f files, all []frame) {
			i := slices.IndexFunc(all, func(x frame) bool { return x.file != all[0].file })
			e := all[i-1]
			clear(f[e.file][e.Pos.Off+8 : e.data])
		}, "ways to read the data", ""},
		"crc record zeroed": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindCRC, 1)
			clear(f[e.file][:e.Len])
		}, "ways to read the data", ""},
		"metadata zeroed": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindMetadata, 1)
			clear(f[e.file][e.Pos.Off : e.Pos.Off+e.Len])
		}, "heads of a segment", ""},
		"first metadata zeroed": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindMetadata, 0)
			clear(f[e.file][e.Pos.Off : e.Pos.Off+e.Len])
		}, "heads of a segment", ""},
		"head zeroed": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindMetadata, 2)
			clear(f[e.file][:e.Pos.Off+e.Len+40])
		}, "heads of a segment", ""},
		"first snapshot overwritten": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindSnapshot, 0)
			copy(f[e.file][e.Pos.Off:], "overwritten, overwritten")
		}, "heads of a segment", ""},
		"crc record of a purged log overwritten": {1, 1, func(f files, all []frame) {
			copy(f[all[0].file], "0123456789abcdef")
		}, "heads of a segment", ""},
		"crc record of a lone segment overwritten": {2, 0, func(f files, all []frame) {
			copy(f[all[0].file], "0123456789abcdef")
		}, "", "none of"},
		"metadata of a lone segment zeroed": {2, 0, func(f files, all []frame) {
			e := pick(all, wal.KindMetadata, 0)
			clear(f[e.file][e.Pos.Off : e.Pos.Off+e.Len])
		}, "", "none of"},
		"a byte of metadata of a lone segment": {2, 0, func(f files, all []frame) {
			e := pick(all, wal.KindMetadata, 0)
			f[e.file][e.data+14] ^= 0x55
		}, "", "nothing proves"},
		"a byte": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, long(all))
			f[e.file][e.data+77] ^= 0x5a
		}, "errors within one byte", ""},
		"a byte of the last stored crc": {0, 2, func(f files, all []frame) {
			e := all[len(all)-1]
			f[e.file][e.Pos.Off+12] ^= 0x55
		}, "errors within one byte", ""},
		"two bits": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, 2)
			f[e.file][e.data+1] ^= 4
			f[e.file][e.data+8] ^= 64
		}, "pairs of bits", ""},
		"a word of a small record": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, 2)
			off := (e.data + 7) / 2 * 2
			f[e.file][off] ^= 0x1b
			f[e.file][off+1] ^= 0x1b
		}, "errors within a 16-bit word", ""},
		"a word of a large record": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, long(all))
			f[e.file][(e.data+50)/2*2] ^= 0x5a
			f[e.file][(e.data+50)/2*2+1] ^= 0x5a
		}, "", "by chance"},
		"length and a bit": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, long(all))
			clear(f[e.file][e.Pos.Off : e.Pos.Off+8])
			f[e.file][e.data+100] ^= 8
		}, "single bits of the data, each with the fields", ""},
		"stored crc and a bit": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, long(all))
			f[e.file][e.Pos.Off+13] ^= 0x15
			f[e.file][e.data+100] ^= 8
		}, "single bits of the data, each with the fields", ""},
		"length and a byte": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, 2)
			clear(f[e.file][e.Pos.Off : e.Pos.Off+8])
			f[e.file][e.data+9] ^= 0x55
		}, "bytes of the data, each with the fields", ""},
		"bytes behind the end": {0, 2, func(f files, all []frame) {
			e := all[len(all)-1]
			copy(f[e.file][e.Pos.Off+e.Len+100:], "lost")
		}, "", "none of"},
		"hard state zeroed": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindState, 1)
			clear(f[e.file][e.data : e.Pos.Off+e.Len])
		}, "hard states and empty entries", ""},
		"hard state gone": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindState, 1)
			copy(f[e.file][e.Pos.Off:e.Pos.Off+e.Len], bytes.Repeat([]byte("gone"), 20))
		}, "hard states and empty entries", ""},
		"empty entry overwritten": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, 1)
			copy(f[e.file][e.Pos.Off+8:e.Pos.Off+e.Len], bytes.Repeat([]byte("gone"), 20))
		}, "hard states and empty entries", ""},
		"data zeroed": {0, 2, func(f files, all []frame) {
			e := pick(all, wal.KindEntry, long(all))
			clear(f[e.file][e.data+20 : e.data+60])
		}, "", "none of"},
		"a segment missing": {0, 2, func(f files, all []frame) {
			delete(f, f.names()[1])
		}, "", "what records say"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			was := build(raftpb.FlavorGogo, false, tt.first+tt.last+1).files(tt.first, 160)
			f := was.clone()
			tt.corrupt(f, was.frames(t))
			done, refused := mend(t, f, was)
			if tt.refused != "" {
				ok := slices.ContainsFunc(refused, func(err error) bool { return strings.Contains(err.Error(), tt.refused) })
				if !ok || len(done) > 0 {
					t.Errorf("%v, refused: %v, want one with %q", howOf(done), refused, tt.refused)
				}
				return
			}
			ok := slices.ContainsFunc(done, func(c *correct.Correction) bool { return strings.Contains(c.How, tt.how) })
			if !ok || !f.equal(was) {
				t.Errorf("%v, refused: %v, want one with %q", howOf(done), refused, tt.how)
			}
		})
	}
}

// TestLargeRecord corrects a bit of a record of some megabytes, but not of one in which any bit would fit
// by chance too often.
func TestLargeRecord(t *testing.T) {
	for _, size := range []int{4 << 20, 6 << 20} {
		b := build(raftpb.FlavorGogo, false, 1)
		b.entry(raftpb.EntryNormal, 9, make([]byte, size))
		b.state(9)
		was := b.files(0, 64)
		f := was.clone()
		name := f.names()[0]
		f[name][len(f[name])-size/2] ^= 16
		done, refused := mend(t, f, was)
		if size < 5<<20 && !f.equal(was) {
			t.Errorf("%d bytes: %v", size, refused)
		}
		if size > 5<<20 && (len(done) > 0 || !strings.Contains(refused[0].Error(), "by chance in 1 of")) {
			t.Errorf("%d bytes: %v, %v", size, howOf(done), refused)
		}
	}
}

func TestFindStops(t *testing.T) {
	f := build(raftpb.FlavorGogo, false, 1).files(0, 64)
	e := pick(f.frames(t), wal.KindEntry, 1)
	f[e.file][e.data] ^= 16
	log, err := wal.Open(f.fs(), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r, err := log.Verify(t.Context(), wal.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := correct.Find(ctx, log, &r.Findings[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, want %v", c, err, context.Canceled)
	}
}
