package secret

import (
	"bytes"
	"encoding/json"
)

// escape looks at a name in JSON that has escaped letters in it: "p\u0061ssword".
func (s *scanner) escape(start int) {
	const maxEscaped = 6 * maxName
	if start < s.nameEnd {
		return
	}
	hi := start + bytes.IndexByte(s.text[start:min(len(s.text), start+maxEscaped)], '"')
	lo := max(s.done, start-maxEscaped)
	lo += 1 + bytes.LastIndexByte(s.text[lo:start], '"')
	if hi < start || s.quoteBefore(lo) == 0 {
		return
	}
	s.nameEnd = hi
	n := s.quoteBefore(lo)
	if hi -= n - 1; hi < start || s.at(s.blanksAndBreaks(hi+n)) != ':' {
		return
	}
	var name string
	quoted := append(append([]byte{'"'}, s.text[lo:hi]...), '"')
	if json.Unmarshal(quoted, &name) != nil || !Name([]byte(name)) && Key([]byte(name)) == NoClaim {
		return
	}
	s.fieldValue(field{lo: lo, hi: hi, quote: s.text[lo-n : lo], next: hi + n})
}
