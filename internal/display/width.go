package display

import (
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// What stands for what was cut off.
const (
	Ellipsis      = "…"
	ASCIIEllipsis = "..."
)

// Width returns the columns that text takes on a terminal: 2 for wide East Asian characters and
// emoji, none for combining marks, 1 for most others.
func Width[T ~string | ~[]byte](text T) int {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return displaywidth.Bytes([]byte(text))
		}
	}
	return len(text)
}

// Cut shortens text to width columns; the ellipsis then takes the last of them.
func Cut(text []byte, width int, ellipsis string) []byte {
	if len(text) <= width || Width(text) <= width {
		return text
	}
	return displaywidth.TruncateBytes(text, width, []byte(ellipsis))
}
