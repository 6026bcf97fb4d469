package snapcmd

import (
	"errors"
	"math"
	"strconv"
)

// bump is the flag --bump-revision: a number, or auto, which computes it.
type bump struct {
	by   int64
	auto bool
}

const bumpAuto = "auto"

// String returns the value as it is given.
func (b *bump) String() string {
	if b.auto {
		return bumpAuto
	}
	return strconv.FormatInt(b.by, 10)
}

// maxBump leaves room for the revisions of a cluster's life.
const maxBump = math.MaxInt64 / 2

// Set takes a number or auto.
func (b *bump) Set(s string) error {
	if s == bumpAuto {
		*b = bump{auto: true}
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxBump {
		return errors.New("want a number from 0 on, or auto")
	}
	*b = bump{by: n}
	return nil
}

// Type names the values in help texts.
func (b *bump) Type() string { return "N|auto" }

func (b *bump) isSet() bool { return b.auto || b.by > 0 }
