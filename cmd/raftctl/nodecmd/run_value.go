package nodecmd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The values of flags. Each is bound to a field of the settings, which holds its default already. All take
// what etcd's flag of that kind takes.

// text is any text.
type text struct{ at *string }

func (v text) String() string     { return *v.at }
func (v text) Set(s string) error { *v.at = s; return nil }
func (v text) Type() string       { return "string" }

// word is one of several words.
type word struct {
	at *string
	of []string
}

func (v word) String() string { return *v.at }
func (v word) Type() string   { return strings.TrimPrefix(strings.Join(v.of, "|"), "|") }

func (v word) Set(s string) error {
	if !slices.Contains(v.of, s) {
		return fmt.Errorf("want one of %s", strings.TrimPrefix(strings.Join(v.of, ", "), ", "))
	}
	*v.at = s
	return nil
}

// truth is a condition; of a field that says the opposite if not is set.
type truth struct {
	at  *bool
	not bool
}

func (v truth) String() string   { return strconv.FormatBool(*v.at != v.not) }
func (v truth) Type() string     { return "bool" }
func (v truth) IsBoolFlag() bool { return true }

func (v truth) Set(s string) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return errors.New("want true or false")
	}
	*v.at = b != v.not
	return nil
}

// number is a number of at least min, and at most max unless that is 0.
type number[T int | int64 | uint | uint32 | uint64] struct {
	at       *T
	min, max T
	zero     T // what 0 stands for in the field
}

func (v number[T]) String() string { return fmt.Sprint(*v.at) }
func (v number[T]) Type() string   { return "number" }

func (v number[T]) Set(s string) error {
	var n T
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil || fmt.Sprint(n) != strings.TrimPrefix(s, "+") {
		return fmt.Errorf("want a number of at least %v", v.min)
	}
	switch {
	case v.max != 0 && (n < v.min || n > v.max):
		return fmt.Errorf("want %v to %v", v.min, v.max)
	case n < v.min:
		return fmt.Errorf("want %v or more", v.min)
	}
	if *v.at = n; n == 0 {
		*v.at = v.zero
	}
	return nil
}

// span is a time. Its text is a Go duration, or a number of units if it has a unit.
type span struct {
	at   *time.Duration
	unit time.Duration
	zero time.Duration // what 0 stands for in the field
}

func (v span) String() string {
	if v.unit != 0 {
		return strconv.FormatInt(int64(*v.at/v.unit), 10)
	}
	return v.at.String()
}

func (v span) Type() string {
	switch v.unit {
	case time.Millisecond:
		return "milliseconds"
	case time.Second:
		return "seconds"
	}
	return "duration"
}

// maxUnits is more than any duration that makes sense, and less than what overflows one.
const maxUnits = 1 << 32

func (v span) Set(s string) error {
	if v.unit == 0 {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return fmt.Errorf("want a duration, such as 500ms, 10s or 5m")
		}
		if *v.at = d; d == 0 {
			*v.at = v.zero
		}
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > maxUnits {
		return fmt.Errorf("want a number of %s", v.Type())
	}
	*v.at = time.Duration(n) * v.unit
	return nil
}

// list is a list of texts with commas between. Each is there once.
type list struct {
	at   *[]string
	kind string
}

func (v list) String() string { return strings.Join(*v.at, ",") }
func (v list) Type() string   { return cmp.Or(v.kind, "list") }

func (v list) Set(s string) error {
	*v.at = nil
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" && !slices.Contains(*v.at, item) {
			*v.at = append(*v.at, item)
		}
	}
	return nil
}

// urls is a list of URLs to listen on, or to be found at.
type urls struct {
	list
	listen bool // hosts are addresses of this machine, or localhost
}

func (v urls) Set(s string) error {
	var all []string
	if err := (list{at: &all}).Set(s); err != nil {
		return err
	}
	for _, u := range all {
		if err := checkURL(u, v.listen); err != nil {
			return err
		}
	}
	*v.at = all
	return nil
}

// refused is what can't be changed: it takes the value that means no change.
type refused struct {
	usual  []string // the values that are taken
	reason string
	truth  bool
}

func (v refused) String() string   { return "" }
func (v refused) Type() string     { return "" }
func (v refused) IsBoolFlag() bool { return v.truth }

func (v refused) Set(s string) error {
	if slices.Contains(v.usual, s) {
		return nil
	}
	return fmt.Errorf("not supported: %s", v.reason)
}
