package rows

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRing(t *testing.T) {
	r := Ring{Size: 3}
	for _, s := range []string{"a", "bb", "c", "dddd", "e"} {
		r.Push([]byte(s))
	}
	var got []string
	for l := range r.All() {
		got = append(got, string(l))
	}
	if diff := cmp.Diff([]string{"c", "dddd", "e"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
