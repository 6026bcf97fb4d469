package decode

import "fmt"

// Values tells how much of the values that users stored is shown. Keys are always shown.
type Values uint8

// The amounts.
const (
	ValuesShort Values = iota // the beginning, and the size
	ValuesNone                // the size
	ValuesFull                // all bytes
)

var valuesNames = [...]string{ValuesShort: "short", ValuesNone: "none", ValuesFull: "full"}

// String returns the amount's name: none, short or full.
func (v Values) String() string {
	if int(v) < len(valuesNames) {
		return valuesNames[v]
	}
	return fmt.Sprintf("values %d", uint8(v))
}

// ParseValues is the inverse of [Values.String].
func ParseValues(name string) (Values, error) {
	for v, n := range valuesNames {
		if n == name {
			return Values(v), nil
		}
	}
	return 0, fmt.Errorf("values %q, want none, short or full", name)
}

// Style tells how a request is shown. The zero Style shows the beginning of values, hides secrets,
// and sets no limit to the width.
type Style struct {
	Values      Values
	ShowSecrets bool // passwords, tokens and keys, also those in values: see the package comment
	Width       int  // of a summary, in terminal columns; 0 = unlimited
}

// Limits of what is shown of one thing. They keep a line readable, and a summary of 900 kB small.
const (
	summaryValue = 64   // columns of a value in a summary, with ValuesShort
	summaryKey   = 512  // columns of a key in a summary
	summaryList  = 3    // elements of a list in a summary
	jsonValue    = 256  // bytes of a value in JSON, with ValuesShort: longer ones are cut
	jsonPrefix   = 64   // bytes that are left of one that is cut
	jsonWhole    = 4096 // bytes of a payload that is JSON itself, with ValuesShort
	jsonUnknown  = 16   // fields unknown to the schema that JSON describes one by one
)
