package decode

import (
	"bytes"
	"strconv"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// AppendLines appends what differs for people, a line each, with an indent before and a line break behind
// it. Nothing in it can act on a terminal.
func (d *ValueDiff) AppendLines(dst []byte, indent string, s *Style) []byte {
	for i := range d.Changes {
		dst = append(d.Changes[i].appendLine(append(dst, indent...), s), '\n')
	}
	if d.LeftOut > 0 {
		dst = strconv.AppendInt(append(append(dst, indent...), "and "...), int64(d.LeftOut), 10)
		dst = append(dst, " more changes\n"...)
	}
	if len(d.Changes) > 0 {
		return dst
	}
	start := len(dst) + len(indent)
	dst = d.appendSummary(append(dst, indent...), s)
	return append(cut(dst, start, s.Width), '\n')
}

// appendSummary says in one line what differs between values that are not both in JSON.
func (d *ValueDiff) appendSummary(dst []byte, s *Style) []byte {
	switch d.Form {
	case DiffJSON:
		return append(dst, "only white space, escapes or the order of members differ"...)
	case DiffText:
		if s.Values != ValuesNone {
			return d.appendText(dst)
		}
		dst = strconv.AppendInt(append(dst, "line "...), int64(d.Line), 10)
		return append(dst, " differs"...)
	case DiffKubernetes:
		dst = append(d.Object.appendSummary(dst), ' ')
	}
	dst = appendSize(dst, d.SizeBefore)
	dst = appendSize(append(dst, " → "...), d.SizeAfter)
	switch {
	case d.Form == DiffRedacted:
		dst = append(append(dst, ' '), redacted...)
	case d.Form == DiffBinary:
		dst = strconv.AppendInt(append(dst, ", differs from byte "...), int64(d.Offset), 10)
		dst = append(dst, " on"...)
	case d.MetadataOnly:
		dst = append(dst, ", only metadata differs"...)
	}
	return dst
}

func (d *ValueDiff) appendText(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, "line "...), int64(d.Line), 10)
	dst = appendQuoted(append(dst, ": "...), d.Before)
	if d.Hidden && bytes.Equal(d.Before, d.After) {
		return append(dst, ", a secret in it differs"...)
	}
	return appendQuoted(append(dst, " → "...), d.After)
}

// appendQuoted appends text between quotes.
func appendQuoted(dst, text []byte) []byte {
	return append(appendVisible(append(dst, '"'), text, 2*summaryValue), '"')
}

func (c *Change) appendLine(dst []byte, s *Style) []byte {
	start := len(dst)
	dst = append(dst, c.Path...)
	switch {
	case c.Before == nil:
		dst = appendSide(append(dst, " added"...), c.After, s)
	case c.After == nil:
		dst = appendSide(append(dst, " removed"...), c.Before, s)
	case s.Values == ValuesNone:
		dst = append(dst, " changed"...)
	case c.Hidden && bytes.Equal(c.Before, c.After):
		dst = append(appendSide(dst, c.After, s), ", a secret in it changed"...)
	default:
		dst = appendSide(dst, c.Before, s)
		dst = appendSide(append(dst, " →"...), c.After, s)
	}
	return cut(dst, start, s.Width)
}

// appendSide appends a space and as much of a value as the style asks for.
func appendSide(dst, text []byte, s *Style) []byte {
	if s.Values == ValuesNone {
		return dst
	}
	return appendCompact(append(dst, ' '), text, limitOf(s))
}

// AppendJSON appends what differs as one JSON object: form, before_size, after_size, and by form
//
//   - json: changes, a list of objects of path, before and after, and redacted: true where a secret is
//     left out of those. before and after are JSON; where they are longer than 256 bytes, and not all of
//     values is asked for, they come as before_size and before_prefix. changes_left_out has how many more
//     there are.
//   - kubernetes: metadata_only.
//   - text: offset, line, before, after and redacted.
//   - binary: offset.
//
// What Kubernetes says that the value after is stands under kubernetes.
func (d *ValueDiff) AppendJSON(dst []byte, s *Style) []byte {
	dst = jsontext.AppendString(jsontext.AppendName(append(dst, '{'), "form"), string(d.Form))
	dst = appendInt(dst, "before_size", d.SizeBefore)
	dst = appendInt(dst, "after_size", d.SizeAfter)
	if d.Object.Kind != nil || d.Object.Encrypted != nil {
		dst = d.Object.appendJSON(jsontext.AppendName(dst, "kubernetes"))
	}
	switch d.Form {
	case DiffJSON:
		dst = d.appendChanges(dst, s)
	case DiffKubernetes:
		dst = strconv.AppendBool(jsontext.AppendName(dst, "metadata_only"), d.MetadataOnly)
	case DiffText:
		dst = appendInt(appendInt(dst, "offset", d.Offset), "line", d.Line)
		if s.Values != ValuesNone {
			dst = jsontext.AppendBytes(dst, "before", d.Before)
			dst = jsontext.AppendBytes(dst, "after", d.After)
			dst = appendHiddenFlag(dst, d.Hidden)
		}
	case DiffBinary:
		dst = appendInt(dst, "offset", d.Offset)
	}
	return append(dst, '}')
}

func appendInt(dst []byte, name string, n int) []byte {
	return strconv.AppendInt(jsontext.AppendName(dst, name), int64(n), 10)
}

func appendHiddenFlag(dst []byte, hidden bool) []byte {
	if !hidden {
		return dst
	}
	return append(jsontext.AppendName(dst, "redacted"), "true"...)
}

func (d *ValueDiff) appendChanges(dst []byte, s *Style) []byte {
	dst = append(jsontext.AppendName(dst, "changes"), '[')
	for i := range d.Changes {
		c := &d.Changes[i]
		dst = append(jsontext.AppendComma(dst), '{')
		dst = jsontext.AppendString(jsontext.AppendName(dst, "path"), c.Path)
		dst = appendSideJSON(dst, "before", c.Before, s)
		dst = appendSideJSON(dst, "after", c.After, s)
		dst = append(appendHiddenFlag(dst, c.Hidden), '}')
	}
	dst = append(dst, ']')
	if d.LeftOut > 0 {
		dst = appendInt(dst, "changes_left_out", d.LeftOut)
	}
	return dst
}

func appendSideJSON(dst []byte, name string, text []byte, s *Style) []byte {
	switch {
	case text == nil:
		return dst
	case s.Values == ValuesNone:
		return appendSizeOf(dst, name, text)
	case s.Values == ValuesShort && len(text) > jsonValue:
		return appendPrefixJSON(appendSizeOf(dst, name, text), name, text)
	}
	return appendEmbedded(jsontext.AppendName(dst, name), text)
}
