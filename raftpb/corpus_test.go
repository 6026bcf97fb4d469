package raftpb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/corpus"
)

// Everything of this package's types that real etcds of 3.4 to 3.7 have written decodes as the
// reference decodes it and encodes to the same bytes, in the flavour that it was written in.
func TestCorpus(t *testing.T) {
	var total corpusChecker
	for _, log := range corpus.Logs(t) {
		c := corpusChecker{}
		t.Run(log.Name, func(t *testing.T) {
			c.checkDir(t, filepath.Join(log.Dir, "member"))
			if c.counts[FlavorGogo].entries+c.counts[FlavorPbgo].entries == 0 {
				t.Error("no entries")
			}
		})
		total.add(&c)
	}
	t.Logf("gogo %+v, pbgo %+v", total.counts[FlavorGogo], total.counts[FlavorPbgo])
	for f, n := range total.counts {
		if n.entries == 0 || n.states == 0 || n.confStates == 0 || n.changes == 0 || n.snapshots == 0 {
			t.Errorf("%v: want some of each: %+v", Flavor(f), n)
		}
	}
}

type corpusCounts struct{ entries, states, confStates, changes, snapshots int }

// corpusChecker checks the files of one data directory, and counts what it has checked.
type corpusChecker struct {
	flavor Flavor // of the last entry that told
	counts [2]corpusCounts
}

func (c *corpusChecker) add(o *corpusChecker) {
	for f := range c.counts {
		n := o.counts[f]
		c.counts[f].entries += n.entries
		c.counts[f].states += n.states
		c.counts[f].confStates += n.confStates
		c.counts[f].changes += n.changes
		c.counts[f].snapshots += n.snapshots
	}
}

// checkDir reads the log in order and the snapshots after it.
func (c *corpusChecker) checkDir(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range []string{"*.wal", "*.snap"} {
		files, err := fs.Glob(os.DirFS(dir), "*/"+pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.checkFile(pattern, b); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func (c *corpusChecker) checkFile(pattern string, b []byte) error {
	if pattern == "*.wal" {
		return c.checkSegment(b)
	}
	// A snapshot file is a message: 1 is the checksum, 2 the snapshot.
	data := fieldBytes(b, 2)
	c.counts[c.flavor].snapshots++
	if err := agree(kindOf("Snapshot"), data); err != nil {
		return err
	}
	return reencodes(new(Snapshot), data, FlavorGogo, FlavorPbgo)
}

// checkSegment walks over the frames of a segment: a length with flags in its top byte, a record,
// padding. A record is a message: 1 is its kind, 3 its data. Kind 2 is an entry, 3 a hard state, 5
// a snapshot record, whose field 3 is a membership.
func (c *corpusChecker) checkSegment(b []byte) error {
	for off := 0; off+8 <= len(b); {
		header := binary.LittleEndian.Uint64(b[off:])
		size := int(header & (1<<56 - 1))
		if size == 0 || size > len(b)-off-8 {
			return nil // the end, or a torn write
		}
		record := b[off+8 : off+8+size]
		if err := c.checkRecord(record); err != nil {
			return fmt.Errorf("offset %d: %w", off, err)
		}
		off += 8 + (size+7)&^7
	}
	return nil
}

func (c *corpusChecker) checkRecord(record []byte) error {
	data := fieldBytes(record, 3)
	switch record[1] {
	case 2:
		return c.checkEntry(data)
	case 3:
		c.counts[c.flavor].states++
		if err := agree(kindOf("HardState"), data); err != nil {
			return err
		}
		return reencodes(new(HardState), data, FlavorGogo, FlavorPbgo)
	case 5:
		state := fieldBytes(data, 3)
		if state == nil {
			return nil
		}
		c.counts[c.flavor].confStates++
		if err := agree(kindOf("ConfState"), state); err != nil {
			return err
		}
		return reencodes(new(ConfState), state, FlavorGogo, FlavorPbgo)
	}
	return nil
}

func (c *corpusChecker) checkEntry(data []byte) error {
	if err := agree(kindOf("Entry"), data); err != nil {
		return err
	}
	if f, ok := DetectFlavor(data); ok {
		c.flavor = f
	}
	c.counts[c.flavor].entries++
	var e Entry
	if err := reencodes(&e, data, c.flavor); err != nil || e.Type != EntryConfChange {
		return err
	}
	c.counts[c.flavor].changes++
	if err := agree(kindOf("ConfChange"), e.Data); err != nil {
		return err
	}
	return reencodes(new(ConfChange), e.Data, c.flavor)
}

// reencodes decodes data into x and returns an error unless x encodes to data in all the flavours.
func reencodes(x codec, data []byte, flavors ...Flavor) error {
	if err := x.UnmarshalAlias(data); err != nil {
		return err
	}
	for _, f := range flavors {
		if got := x.Marshal(f); !bytes.Equal(got, data) {
			return fmt.Errorf("%T encodes in %v to %x, want %x", x, f, got, data)
		}
	}
	return nil
}

// fieldBytes returns the bytes field with that number, nil if b has none.
func fieldBytes(b []byte, want protowire.Number) []byte {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil
		}
		b = b[n:]
		if num == want && typ == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(b)
			return value
		}
		n = protowire.ConsumeFieldValue(num, typ, b)
		if n < 0 {
			return nil
		}
		b = b[n:]
	}
	return nil
}
