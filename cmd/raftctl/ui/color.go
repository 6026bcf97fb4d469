package ui

// Color is a colour of text on a terminal.
type Color string

// The colours, as the terminal's escape sequences.
const (
	Red    Color = "\x1b[31m"
	Green  Color = "\x1b[32m"
	Yellow Color = "\x1b[33m"
)

const plain = "\x1b[0m"

// Append appends text in the colour.
func (c Color) Append(dst, text []byte) []byte {
	return append(append(append(dst, c...), text...), plain...)
}

// Paint returns text in a colour, or as it is if that is none or output is not to be coloured.
func (a *App) Paint(c Color, text string) string {
	if !a.Color || c == "" {
		return text
	}
	return string(c.Append(nil, []byte(text)))
}
