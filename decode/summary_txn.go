package decode

import "strconv"

// maxSummaryDepth is how many transactions within each other a summary spells out.
const maxSummaryDepth = 2

// txn appends a transaction: " if version(k) = 0 then put k 5 B else range k".
func (w *summaryWriter) txn(dst, b []byte, depth int) []byte {
	if depth > maxSummaryDepth {
		return append(dst, " …"...)
	}
	for i, word := range [...]string{" if ", " then ", " else "} {
		dst = w.txnPart(dst, b, txnPart{&msgTxn.lookup().fields[i], word, depth})
	}
	return dst
}

// txnPart is one of the three lists of a transaction, and what precedes it if it isn't empty.
type txnPart struct {
	field *field
	word  string
	depth int
}

func (w *summaryWriter) txnPart(dst, b []byte, p txnPart) []byte {
	n := 0
	for v := range msgTxn.lookup().known(b) {
		if v.field != p.field {
			continue
		}
		switch n++; {
		case n > summaryList:
			continue
		case n == 1:
			dst = append(dst, p.word...)
		case p.field.msg == msgCompare:
			dst = append(dst, " and "...)
		default:
			dst = append(dst, ", "...)
		}
		if p.field.msg == msgCompare {
			dst = w.compare(dst, v.data)
		} else {
			dst = w.txnOp(dst, v.data, p.depth)
		}
	}
	return appendMore(dst, n-summaryList)
}

// txnOp appends one operation of a branch.
func (w *summaryWriter) txnOp(dst, b []byte, depth int) []byte {
	base := len(w.values)
	defer func() { w.values = w.values[:base] }()
	w.values = msgRequestOp.lookup().collect(w.values, b)
	for i := range w.values[base:] {
		v := &w.values[base+i]
		if v.field == nil {
			continue
		}
		const prefix = len("request_")
		dst = append(dst, v.field.name[prefix:]...)
		if v.field.msg != msgTxn {
			return w.request(dst, v, depth+1)
		}
		return append(w.nested(append(dst, ' '), v, depth+1), ')')
	}
	return append(dst, "nothing"...)
}

// nested appends a transaction within one, from the opening parenthesis on, which takes the place
// of the space that a transaction begins with.
func (w *summaryWriter) nested(dst []byte, v *value, depth int) []byte {
	start := len(dst)
	if dst = w.request(dst, v, depth); len(dst) == start {
		return append(dst, '(')
	}
	dst[start] = '('
	return dst
}

var (
	compareSigns = [...]string{"=", ">", "<", "!="}
	compareWords = [...]string{"version", "create", "mod", "value", "lease"}
)

// compare appends a condition: version(k) = 0.
func (w *summaryWriter) compare(dst, b []byte) []byte {
	base := len(w.values)
	defer func() { w.values = w.values[:base] }()
	w.values = msgCompare.lookup().collect(w.values, b)
	fields := w.values[base:]
	dst = appendOneOf(dst, compareWords[:], number(fields, "target"))
	dst = appendRange(append(dst, '('), content(fields, "key"), content(fields, "range_end"))
	dst = appendOneOf(append(dst, ") "...), compareSigns[:], number(fields, "result"))
	return w.comparand(append(dst, ' '), fields)
}

// comparand appends what a key is compared with: 0 if the request doesn't say.
func (w *summaryWriter) comparand(dst []byte, fields []value) []byte {
	for _, v := range fields {
		if v.field != nil && v.field.one != 0 {
			return w.scalar(dst, v, keyOf(fields))
		}
	}
	if compareTargets[min(number(fields, "target"), uint64(len(compareTargets)-1))] == "VALUE" {
		return w.scalar(dst, value{field: msgCompare.lookup().named("value")}, nil)
	}
	return append(dst, '0')
}

func appendOneOf(dst []byte, words []string, n uint64) []byte {
	if n < uint64(len(words)) {
		return append(dst, words[n]...)
	}
	return strconv.AppendUint(dst, n, 10)
}
