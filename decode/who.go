package decode

import (
	"iter"
	"strconv"
	"time"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// BySuffix returns the members whose ID ends in the 16 bits that an [Origin] has, by ID; of those
// that were removed only if there is no other. More than one is rare.
func (m *Members) BySuffix(suffix uint16) []Member {
	o := Origin{Member: suffix}
	var found []Member
	for e := range o.among(m) {
		found = append(found, *e)
	}
	return found
}

// among yields the members that the origin may stand for, as BySuffix returns them.
func (o Origin) among(m *Members) iter.Seq[*Member] {
	return func(yield func(*Member) bool) {
		for _, list := range [...][]listed{m.members, m.removed} {
			found := false
			for i := range list {
				if uint16(list[i].ID) != o.Member {
					continue
				}
				if found = true; !yield(&list[i].Member) {
					return
				}
			}
			if found {
				return
			}
		}
	}
}

// AppendWho appends for people who proposed a request: the member whose ID ends in the origin's 16
// bits, its name where that is known, and since when its process ran, in UTC:
//
//	8e9e05c52164694d infra1 since 2026-11-21T00:24:26Z
//
// Of several members with that end it names all, as [Members.BySuffix] returns them, behind the word
// ambiguous and with "or" between them. Where there is none it appends the four digits of the end
// behind the word unknown.
func (m *Members) AppendWho(dst []byte, o Origin) []byte {
	n := 0
	for range o.among(m) {
		n++
	}
	switch {
	case n == 0:
		dst = jsontext.AppendHex(append(dst, "unknown "...), uint64(o.Member), 4)
	case n > 1:
		dst = append(dst, "ambiguous "...)
	}
	for e := range o.among(m) {
		dst = appendMember(dst, e)
		if n--; n > 0 {
			dst = append(dst, " or "...)
		}
	}
	return appendSeconds(append(dst, " since "...), o.Started)
}

// appendMember appends a member's ID as etcd prints it, and its name.
func appendMember(dst []byte, m *Member) []byte {
	dst = strconv.AppendUint(dst, m.ID, 16)
	if m.Name != "" {
		dst = appendWord(append(dst, ' '), []byte(m.Name), summaryKey)
	}
	return dst
}

// appendSeconds appends a time in UTC as RFC 3339 has it, to the second.
func appendSeconds(dst []byte, t time.Time) []byte {
	const milliseconds = len(".000Z")
	dst = appendTime(dst, t)
	return append(dst[:len(dst)-milliseconds], 'Z')
}
