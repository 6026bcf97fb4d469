package decode

import (
	"strconv"
	"time"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// Origin is what the ID of a request tells about who proposed it. The generator in an etcd server
// begins at a number made of the member's ID and the time at which the process started, and counts
// up, so the ID tells in whose name and in which lifetime of that process the request was made, but
// not when.
type Origin struct {
	Member  uint16    // the lowest 16 bits of the ID of the member that proposed the request
	Started time.Time // when its process started, plus 1 ms for every 256 requests since
}

// The layout of a generated ID, from the top: 16 bits of the member's ID, 40 bits of the time in
// milliseconds, 8 bits of a counter that carries into the time.
const (
	originMemberShift = 48
	originTimeShift   = 8
	originTimeBits    = 40
)

// originEpoch is the earliest start that is considered: 2012-01-01, before there was an etcd. The
// 40 bits tell one in the 34.8 years from then on.
const originEpoch = 1325376000000

// OriginOf takes the ID of a request apart; ok is false if it can't be from a server's generator.
func OriginOf(id uint64) (o Origin, ok bool) {
	if id>>originMemberShift == 0 {
		return Origin{}, false
	}
	started := time.UnixMilli(startOf(id)).UTC()
	return Origin{Member: uint16(id >> originMemberShift), Started: started}, true
}

// startOf returns the Unix time in milliseconds that the ID holds.
func startOf(id uint64) int64 {
	const mask = 1<<originTimeBits - 1
	low := int64(id>>originTimeShift) & mask
	return originEpoch + (low-originEpoch)&mask
}

// Origin tells who proposed the request; ok is false if it has no ID that tells.
func (r *Request) Origin() (o Origin, ok bool) { return OriginOf(r.ID) }

// User returns the name of the user who made the request; it is empty where authentication is off,
// and for requests of the server itself.
func (r *Request) User() []byte { return r.username }

// originText is what appendOrigin appends for the IDs of one process within a few milliseconds, which
// differ in the lowest bits only. They come in a row.
type originText struct {
	id   uint64
	text []byte
}

// append is appendOrigin.
func (t *originText) append(dst []byte, id uint64) []byte {
	if t.text == nil || t.id>>originTimeShift != id>>originTimeShift {
		t.id, t.text = id, appendOrigin(t.text[:0], id)
	}
	return append(dst, t.text...)
}

// appendOrigin appends the members that an ID explains itself by, if it does.
func appendOrigin(dst []byte, id uint64) []byte {
	o, ok := OriginOf(id)
	if !ok {
		return dst
	}
	dst = append(jsontext.AppendHex(append(dst, `,"member_suffix":"`...), uint64(o.Member), 4), '"')
	dst = append(dst, `,"server_started":"`...)
	return append(appendTime(dst, o.Started), '"')
}

// appendTime appends a time in UTC as RFC 3339 has it, to the millisecond.
func appendTime(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, sec := t.Clock()
	dst = strconv.AppendInt(dst, int64(year), 10)
	dst = appendTwo(append(dst, '-'), int(month))
	dst = appendTwo(append(dst, '-'), day)
	dst = appendTwo(append(dst, 'T'), hour)
	dst = appendTwo(append(dst, ':'), minute)
	dst = appendTwo(append(dst, ':'), sec)
	milli := t.Nanosecond() / int(time.Millisecond)
	dst = append(dst, '.', byte('0'+milli/100))
	return append(appendTwo(dst, milli%100), 'Z')
}

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
