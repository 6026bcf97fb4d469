package decode

import (
	"bytes"
	"sort"

	"github.com/raftctl/raftctl/internal/secret"
	"github.com/raftctl/raftctl/internal/wirefield"
)

// ValueDiff is what differs between two values of one key. It holds no secrets, unless they were asked
// for. It points into the values.
type ValueDiff struct {
	Form                  DiffForm
	SizeBefore, SizeAfter int
	Object                Object // what Kubernetes says that the value after is; of DiffKubernetes and DiffJSON
	MetadataOnly          bool   // of DiffKubernetes: nothing but the object's metadata differs

	Changes []Change // of DiffJSON, in the order of the value before, what was added behind it; 100 at most
	LeftOut int      // how many more there are

	Offset        int    // of DiffText and DiffBinary: the first byte that differs
	Line          int    // of DiffText: the line that it is in, from 1
	Before, After []byte // of DiffText: what is around it
	Hidden        bool   // of DiffText: a secret is left out of those
}

// DiffForm tells in which form two values could be compared.
type DiffForm string

// The forms.
const (
	DiffJSON       DiffForm = "json"       // both are a list or an object
	DiffKubernetes DiffForm = "kubernetes" // Kubernetes stored both in protobuf, or encrypted
	DiffText       DiffForm = "text"
	DiffBinary     DiffForm = "binary"   // by bytes, as are values of more than 8 MiB
	DiffRedacted   DiffForm = "redacted" // one of them is a secret altogether
)

// Change is one difference between two values in JSON.
type Change struct {
	// Path says where, as jq does: .spec.replicas, .items[3].name, .labels["a/b"]. What was removed has
	// its place in the value before, all else that in the value after.
	Path string
	// Before and After are JSON; nil where there is nothing.
	Before, After []byte
	// Hidden tells that a secret is left out of them, which may be what differs.
	Hidden bool
}

// Limits of a comparison.
const (
	diffSize    = 8 << 20 // bytes of a value that is looked into
	diffChanges = 100     // changes that are listed
	diffDepth   = 64      // objects within each other that are looked into
	diffMembers = 1 << 16 // members of an object, or elements of a list, that are compared one by one
	diffAround  = 24      // bytes of text that are shown before a difference
	diffExcerpt = 64      // bytes of text that are shown in all
)

// DiffValues compares two values of a key, which may be nil.
func DiffValues(key, before, after []byte, s *Style) ValueDiff {
	d := ValueDiff{Form: DiffBinary, SizeBefore: len(before), SizeAfter: len(after)}
	d.Offset = firstDifference(before, after)
	if max(len(before), len(after)) > diffSize {
		return d
	}
	a, b := newDiffSide(stored{key, before}, s), newDiffSide(stored{key, after}, s)
	d.Object = b.object
	switch {
	case a.redacted || b.redacted:
		d.Form, d.Offset = DiffRedacted, 0
	case a.opaque() && b.opaque():
		d.Form, d.MetadataOnly = DiffKubernetes, isMetadataOnly(before, after)
	case isJSON(before) && isJSON(after) && validJSON(before) && validJSON(after):
		d.Form = DiffJSON
		w := differ{diff: &d, before: &a, after: &b}
		w.compare(nil, bytes.TrimSpace(before), bytes.TrimSpace(after))
	case isText(before) && isText(after):
		d.Form = DiffText
		d.readText(&a, &b)
	}
	return d
}

// diffSide is one of the values, and what is secret in it.
type diffSide struct {
	value    []byte
	object   Object
	isObject bool
	redacted bool // all of it
	spans    []secret.Span
}

func newDiffSide(v stored, s *Style) diffSide {
	side := diffSide{value: v.value}
	var o *Object
	if side.object, side.isObject = Kubernetes(v.value); side.isObject {
		o = &side.object
	}
	if s.ShowSecrets {
		return side
	}
	side.redacted = v.isSecret(o)
	if side.redacted || side.isObject && o.protobuf() {
		return side // of the latter nothing is shown
	}
	side.spans = secret.Find(v.value, true)
	side.redacted = side.spans != nil && !isText(v.value)
	return side
}

// opaque reports whether the value is an object that can't be looked into.
func (d *diffSide) opaque() bool { return d.isObject && !d.object.json }

// firstDifference returns the offset of the first byte that differs.
func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// isMetadataOnly reports whether two objects in protobuf differ in nothing but their metadata, which is
// the case where someone did no more than touch them.
func isMetadataOnly(before, after []byte) bool {
	a, okA := withoutMetadata(before)
	b, okB := withoutMetadata(after)
	return okA && okB && bytes.Equal(a, b)
}

// withoutMetadata returns what follows an object's metadata, with which every object begins.
func withoutMetadata(value []byte) (rest []byte, ok bool) {
	unknown, ok := bytes.CutPrefix(value, kubernetesMagic)
	if !ok {
		return nil, false
	}
	raw := wirefield.Bytes(unknown, unknownRaw)
	for f, err := range wirefield.All(raw) {
		if err != nil || f.Num != objectMetadata {
			return nil, false
		}
		return raw[f.Value+len(f.Bytes):], true
	}
	return nil, false
}

// readText looks for the first difference between two texts.
func (d *ValueDiff) readText(a, b *diffSide) {
	start := bytes.LastIndexByte(a.value[:d.Offset], '\n') + 1
	d.Line = 1 + bytes.Count(a.value[:start], []byte{'\n'})
	start = max(start, d.Offset-diffAround)
	var hiddenA, hiddenB bool
	d.Before, hiddenA = a.excerpt(start)
	d.After, hiddenB = b.excerpt(start)
	d.Hidden = hiddenA || hiddenB
}

// excerpt returns the text from an offset on, up to the end of a line, without secrets.
func (d *diffSide) excerpt(start int) (text []byte, hidden bool) {
	end := min(len(d.value), start+diffExcerpt)
	if n := bytes.IndexByte(d.value[start:end], '\n'); n >= 0 {
		end = start + max(n, 1)
	}
	return d.shown(start, end)
}

// shown returns the bytes [lo, hi) without secrets, and whether any was left out.
func (d *diffSide) shown(lo, hi int) (text []byte, hidden bool) {
	var spans []secret.Span
	for _, span := range d.spans[d.firstSpan(lo):] {
		if span.Lo >= hi {
			break
		}
		span.Lo, span.Hi = max(span.Lo, lo)-lo, min(span.Hi, hi)-lo
		spans = append(spans, span)
	}
	if spans == nil {
		return d.value[lo:hi], false
	}
	return secret.AppendHidden(nil, d.value[lo:hi], spans), true
}

// isHidden reports whether a value in JSON, or what is between the quotes of a string, is a secret.
func (d *diffSide) isHidden(value []byte) bool {
	lo := d.offset(value)
	hi := lo + len(value)
	if len(value) > 1 && value[0] == '"' {
		lo, hi = lo+1, hi-1
	}
	i := d.firstSpan(lo)
	return i < len(d.spans) && lo < hi && d.spans[i].Lo <= lo && d.spans[i].Hi >= hi
}

// firstSpan returns the first secret that doesn't end before an offset.
func (d *diffSide) firstSpan(off int) int {
	return sort.Search(len(d.spans), func(i int) bool { return d.spans[i].Hi > off })
}

// offset returns where a part of the value begins in it.
func (d *diffSide) offset(part []byte) int { return cap(d.value) - cap(part) }
