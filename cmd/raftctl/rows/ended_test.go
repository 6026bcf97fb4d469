package rows

import (
	"errors"
	"fmt"
	"testing"
)

func TestEnded(t *testing.T) {
	read, written := errors.New("read"), errors.New("written")
	for name, tc := range map[string]struct{ read, written, want error }{
		"well":         {nil, nil, nil},
		"enough":       {fmt.Errorf("a file: %w", ErrEnough), nil, nil},
		"read":         {read, nil, read},
		"written":      {nil, written, written},
		"both":         {read, written, written},
		"enough, pipe": {ErrEnough, written, written},
	} {
		if got := Ended(tc.read, tc.written); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
