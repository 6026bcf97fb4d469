package walcmd

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRing(t *testing.T) {
	r := ring{size: 3}
	for _, s := range []string{"a", "bb", "c", "dddd", "e"} {
		r.push([]byte(s))
	}
	var got []string
	for l := range r.all() {
		got = append(got, string(l))
	}
	if diff := cmp.Diff([]string{"c", "dddd", "e"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func fixedNow() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }
