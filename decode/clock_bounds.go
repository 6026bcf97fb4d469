package decode

import (
	"strconv"
	"time"
)

// String is what AppendTo appends, or "unknown".
func (b Bounds) String() string {
	if text := b.AppendTo(nil); len(text) > 0 {
		return string(text)
	}
	return "unknown"
}

// AppendTo appends the bounds for people, in UTC: the middle and how far it may be off, rounded up; or the
// side that is known; or nothing.
//
//	2026-11-28 21:38:26Z ±13s
//	2026-11-28 21:38:26Z or later
//	2026-11-28 21:38:26Z or before
func (b Bounds) AppendTo(dst []byte) []byte {
	switch {
	case b == Bounds{}:
		return dst
	case b.NotAfter.IsZero():
		return append(appendMoment(dst, b.NotBefore), " or later"...)
	case b.NotBefore.IsZero():
		return append(appendMoment(dst, b.NotAfter.Add(time.Second-1)), " or before"...)
	}
	middle := b.NotBefore.Add(b.NotAfter.Sub(b.NotBefore) / 2).Truncate(time.Second)
	dst = append(appendMoment(dst, middle), " ±"...)
	return appendRough(dst, max(b.NotAfter.Sub(middle), middle.Sub(b.NotBefore)))
}

// appendMoment appends a time to the second.
func appendMoment(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02 15:04:05Z07:00")
}

// appendRough appends a length of time in one unit, rounded up.
func appendRough(dst []byte, d time.Duration) []byte {
	const day = 24 * time.Hour
	for _, unit := range [...]struct {
		size, below time.Duration
		name        byte
	}{{time.Second, 2 * time.Minute, 's'}, {time.Minute, 2 * time.Hour, 'm'}, {time.Hour, 2 * day, 'h'}, {day, 1<<63 - 1, 'd'}} {
		if d <= unit.below {
			n := d / unit.size
			if d%unit.size > 0 {
				n++
			}
			return append(strconv.AppendInt(dst, int64(n), 10), unit.name)
		}
	}
	return dst
}
