package walcmd

import (
	"testing"

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
