package recording

import (
	"bytes"

	"github.com/raftctl/raftctl/wal"
)

// KindEvent is the kind of the records that hold an event.
const KindEvent = wal.KindOwn

// Suffix is how the names of the files end.
const Suffix = ".rec"

// Dialect is how package wal reads, verifies and writes recordings.
var Dialect = newDialect()

func newDialect() *wal.Dialect {
	d, err := wal.NewDialect(wal.DialectOptions{
		Suffix:   Suffix,
		Metadata: func(data []byte) bool { return new(Metadata).unmarshal(data) == nil },
		Kinds: []wal.KindOptions{{
			Kind: KindEvent, Name: "event", Fits: fitsEvent,
			Decodes: func(data []byte) bool { return len(data) > 0 && data[0] == tagKind },
		}},
	})
	if err != nil {
		panic(err) // the description above is wrong
	}
	return d
}

const (
	tagKind = byte(fieldKind << 3)   // a varint
	tagTime = byte(fieldTime<<3) | 1 // eight bytes
	minSize = 2 + 1 + 8              // of an event: kind and time
	headLen = 2*wal.HeadSize + 64    // bytes of a segment's beginning in which its metadata begins
)

// fitsEvent reports whether data begins as every event does.
func fitsEvent(data []byte) bool {
	return len(data) >= minSize && data[0] == tagKind && data[2] == tagTime
}

// Is reports whether b, the first kilobyte of a file or so, begins a segment of a recording.
func Is(b []byte) bool {
	b = b[:min(len(b), headLen)]
	f, ok := wal.ParseFrame(b, 0, int64(len(b)), false)
	return ok && f.Kind == wal.KindCRC && bytes.Contains(b[f.End():], appendText(nil, fieldMagic, magic))
}
