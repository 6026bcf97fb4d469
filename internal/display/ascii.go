package display

import (
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// substitutes are what stands for the characters beyond ASCII that raftctl itself writes.
var substitutes = map[rune]string{
	'…': ASCIIEllipsis, '–': "-", '—': "-", '“': `"`, '”': `"`, '’': "'", '→': "->", '×': "x", '≥': ">=", '≤': "<=", '±': "+/-", 'µ': "u",
	'█': "#", '▉': "#", '▊': "#", '▋': "#", '▌': "#", '▍': ".", '▎': ".", '▏': ".",
}

// AppendASCII appends text without characters beyond ASCII: what raftctl itself writes has
// substitutes, others are escaped as Go does it.
func AppendASCII(dst, text []byte) []byte {
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		s, ok := substitutes[r]
		switch {
		case ok:
			dst = append(dst, s...)
		case n == 1: // no UTF-8
			dst = jsontext.AppendHex(append(dst, `\x`...), uint64(text[0]), 2)
		case r < 0x10000:
			dst = jsontext.AppendHex(append(dst, `\u`...), uint64(r), 4)
		default:
			dst = jsontext.AppendHex(append(dst, `\U`...), uint64(r), 8)
		}
		text = text[n:]
	}
	return dst
}
