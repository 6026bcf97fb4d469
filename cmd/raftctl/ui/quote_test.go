package ui

import (
	"os/exec"
	"testing"
)

// A shell makes the word of what Quote returns.
func TestQuote(t *testing.T) {
	for _, word := range []string{
		"plain", "/var/lib/etcd", "my dir/with $HOME", "it's", `back\slash "and" quotes`, "", "tab\there", "schlüssel", "*", "new\nline's",
		"\"\n\"", "esc\x1b[31m\xff",
	} {
		out, err := exec.Command("bash", "-c", "printf %s "+Quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q: %s is %q, %v", word, Quote(word), out, err)
		}
	}
	if got, want := CommandLine("raftctl", "wal", "verify", "my dir"), "raftctl wal verify 'my dir'"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What a terminal would act on is escaped, and the rest is left.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"": "", `plain "quoted" \ schlüssel`: `plain "quoted" \ schlüssel`,
		"a\x1b[31m\n\"b\" \\ ü\xff\u202e": `a\x1b[31m\n"b" \ ü\xff\u202e`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1946: "1,946", 1000000: "1,000,000", -1234: "-1,234", -123: "-123"} {
		if got := Count(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
