package ui

import (
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// widthOf returns the columns that text takes on a terminal.
func widthOf(b []byte) int {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return displaywidth.Bytes(b)
		}
	}
	return len(b)
}

const ellipsis = "…"
