package decode

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// differ compares two values in JSON. Both are valid.
type differ struct {
	diff          *ValueDiff
	before, after *diffSide
	depth         int
}

// compare notes what differs between two values at a path.
func (w *differ) compare(path, before, after []byte) {
	switch {
	case bytes.Equal(before, after):
		return
	case w.before.isHidden(before) || w.after.isHidden(after):
		w.note(path, before, after)
		return
	case before[0] == '"' && after[0] == '"':
		if unquoted(before) != unquoted(after) {
			w.note(path, before, after)
		}
		return
	}
	w.depth++
	if w.depth > diffDepth || before[0] != after[0] || !w.within(path, before, after) {
		if !sameJSON(before, after) {
			w.note(path, before, after)
		}
	}
	w.depth--
}

// within compares what two objects or two lists have in them; false if they are none, or have too much.
func (w *differ) within(path, before, after []byte) bool {
	switch before[0] {
	case '{':
		a, okA := newMembers(before)
		b, okB := newMembers(after)
		if okA && okB {
			w.members(path, a, b)
		}
		return okA && okB
	case '[':
		a, okA := newElements(before)
		b, okB := newElements(after)
		if okA && okB {
			w.elements(path, a, b)
		}
		return okA && okB
	}
	return false
}

// sameJSON reports whether two values differ in white space only.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func unquoted(text []byte) string {
	var s string
	if json.Unmarshal(text, &s) != nil {
		return string(text) // can't be: it is valid
	}
	return s
}

// objectMembers is an object: its members by name. Of several with one name the last counts.
type objectMembers struct {
	list   []objectMember
	byName map[string]int
}

type objectMember struct {
	name  string
	raw   []byte // the name as it is written
	value []byte
}

func newMembers(object []byte) (m objectMembers, ok bool) {
	m.byName = make(map[string]int)
	for raw, value := range jsonMembers(object) {
		name := string(raw)
		if bytes.IndexByte(raw, '\\') >= 0 {
			name = unquoted(append(append([]byte{'"'}, raw...), '"'))
		}
		if i, ok := m.byName[name]; ok {
			m.list[i].raw, m.list[i].value = raw, value
			continue
		}
		if len(m.list) == diffMembers {
			return m, false
		}
		m.byName[name] = len(m.list)
		m.list = append(m.list, objectMember{name, raw, value})
	}
	return m, true
}

func newElements(list []byte) (elements [][]byte, ok bool) {
	for value := range jsonElements(list) {
		if len(elements) == diffMembers {
			return nil, false
		}
		elements = append(elements, value)
	}
	return elements, true
}

func (w *differ) members(path []byte, before, after objectMembers) {
	for i := range before.list {
		a := &before.list[i]
		at := w.before.appendMember(path, a)
		if j, ok := after.byName[a.name]; ok {
			w.compare(at, a.value, after.list[j].value)
		} else {
			w.note(at, a.value, nil)
		}
	}
	for i := range after.list {
		b := &after.list[i]
		if _, ok := before.byName[b.name]; !ok {
			w.note(w.after.appendMember(path, b), nil, b.value)
		}
	}
}

// elements compares two lists: what they have in common at their beginnings and ends, of lists that
// differ in length, is left aside, and the rest compared in order.
func (w *differ) elements(path []byte, before, after [][]byte) {
	first, behind := 0, 0
	n := min(len(before), len(after))
	for first < n && bytes.Equal(before[first], after[first]) {
		first++
	}
	if len(before) != len(after) {
		for behind < n-first && bytes.Equal(before[len(before)-1-behind], after[len(after)-1-behind]) {
			behind++
		}
	}
	before, after = before[:len(before)-behind], after[:len(after)-behind]
	for i := first; i < max(len(before), len(after)); i++ {
		at := appendElement(path, i)
		switch {
		case i >= len(before):
			w.note(at, nil, after[i])
		case i >= len(after):
			w.note(at, before[i], nil)
		default:
			w.compare(at, before[i], after[i])
		}
	}
}

// note notes a change.
func (w *differ) note(path, before, after []byte) {
	if len(w.diff.Changes) == diffChanges {
		w.diff.LeftOut++
		return
	}
	if len(path) == 0 {
		path = []byte{'.'}
	}
	c := Change{Path: string(path)}
	var hiddenA, hiddenB bool
	if before != nil {
		c.Before, hiddenA = w.before.shownJSON(before)
	}
	if after != nil {
		c.After, hiddenB = w.after.shownJSON(after)
	}
	c.Hidden = hiddenA || hiddenB
	w.diff.Changes = append(w.diff.Changes, c)
}

// shownJSON returns a value without secrets. It is valid JSON.
func (d *diffSide) shownJSON(value []byte) (text []byte, hidden bool) {
	lo := d.offset(value)
	text, hidden = d.shown(lo, lo+len(value))
	if hidden && !validJSON(text) {
		text = []byte(`"` + redacted + `"`)
	}
	return text, hidden
}

// appendMember appends a member to a path, as jq writes it.
func (d *diffSide) appendMember(path []byte, m *objectMember) []byte {
	const maxName = 256
	name := []byte(m.name)
	lo := d.offset(m.raw)
	if shown, hidden := d.shown(lo, lo+len(m.raw)); hidden {
		name = shown
	}
	path = path[:len(path):len(path)]
	if isIdentifier(name) && len(name) <= maxName {
		return append(append(path, '.'), name...)
	}
	if len(name) > maxName {
		name = append(bytes.Clone(prefix(name, maxName)), "…"...)
	}
	return append(jsontext.AppendString(append(rooted(path), '['), name), ']')
}

// appendElement appends an index to a path.
func appendElement(path []byte, i int) []byte {
	path = append(rooted(path[:len(path):len(path)]), '[')
	return append(strconv.AppendInt(path, int64(i), 10), ']')
}

// rooted returns a path that a bracket can follow.
func rooted(path []byte) []byte {
	if len(path) == 0 {
		return append(path, '.')
	}
	return path
}

// isIdentifier reports whether a name needs no quotes in a path.
func isIdentifier(name []byte) bool {
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0
}
