package ui

import "testing"

// A table fits the width whatever is in it, and wide characters count as two columns.
func TestStreamTableWidth(t *testing.T) {
	table := NewStreamTable(Screen{Width: 20}, NumberColumn("N").UpTo(1000), TextColumn("WHAT").Wide(5), TextColumn("TEXT"))
	for _, tc := range []struct{ text, want string }{
		{"short", "   7  ab     short\n"},
		{"exactly", "   7  ab     exactly\n"},
		{"too long by far", "   7  ab     too lo…\n"},
		{"世界世界世界", "   7  ab     世界世…\n"},
		{"", "   7  ab\n"},
	} {
		table.Uint(7)
		table.Text("ab")
		table.Text(tc.text)
		if got := string(table.End()); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
}

func TestBar(t *testing.T) {
	for _, tc := range []struct {
		n, of int64
		want  string
	}{{0, 8, ""}, {8, 8, "████"}, {4, 8, "██"}, {1, 1000, "▏"}, {3, 8, "█▌"}, {1, 0, ""}} {
		if got := Bar(tc.n, tc.of, 4); got != tc.want {
			t.Errorf("%d of %d: got %q, want %q", tc.n, tc.of, got, tc.want)
		}
	}
}
