package ui

import (
	"cmp"
	"io"
	"strings"

	"github.com/raftctl/raftctl/internal/display"
)

// Screen is what a table is drawn for.
type Screen struct {
	Width int  // columns of a line; 0: lines are not cut
	ASCII bool // characters beyond ASCII can't be shown

	text []byte // what was converted last
}

// Screen returns what tables on Out are drawn for.
func (a *App) Screen() Screen { return Screen{Width: a.Width, ASCII: a.ASCII} }

// Text returns a writer to Out for what people read: without characters beyond ASCII where the
// locale has none. JSON goes to Out itself.
func (a *App) Text() io.Writer {
	if a.ASCII {
		return asciiWriter{a.Out}
	}
	return a.Out
}

// asciiWriter converts what is written, which must not end within a character.
type asciiWriter struct{ w io.Writer }

func (a asciiWriter) Write(b []byte) (int, error) {
	if _, err := a.w.Write(display.AppendASCII(nil, b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// SetASCII lets all that people read be ASCII.
func (a *App) SetASCII() { a.ASCII, a.Err = true, asciiWriter{a.Err} }

// ASCIILocale reports whether the environment asks for plain ASCII: LC_ALL, LC_CTYPE or LANG, the
// first of them that is set, names a locale that is not UTF-8. Where none is set there is no telling;
// terminals of today take UTF-8.
func ASCIILocale(getenv func(string) string) bool {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"))
	codeset := strings.ToLower(strings.ReplaceAll(locale, "-", ""))
	return locale != "" && !strings.Contains(codeset, "utf8")
}
