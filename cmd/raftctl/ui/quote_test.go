package ui

import (
	"os/exec"
	"testing"
)

// A shell makes the word of what Quote returns.
func TestQuote(t *testing.T) {
	for _, word := range []string{
		"plain", "/var/lib/etcd", "my dir/with $HOME", "it's", `back\slash "and" quotes`, "", "tab\there", "schlüssel", "*", "new\nline's",
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

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1946: "1,946", 1000000: "1,000,000", -1234: "-1,234", -123: "-123"} {
		if got := Count(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
