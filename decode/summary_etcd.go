package decode

import (
	"bytes"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

func (internalRequest) appendSummary(dst []byte, r *Request, s *Style) []byte {
	w := summaryWriter{style: s, values: r.values}
	if r.main.field != nil {
		dst = w.describe(append(dst, r.Op...), &r.main, part{r.values[r.top:], 0})
	} else {
		dst = append(append(dst, r.Op...), " request of a later etcd"...)
	}
	r.keep(w.values)
	if len(r.username) > 0 {
		dst = appendWord(append(dst, " by user "...), r.username, summaryKey)
	}
	return dst
}

func (v2Request) appendSummary(dst []byte, r *Request, s *Style) []byte {
	w := summaryWriter{style: s}
	return w.v2(append(dst, r.Op...), r.values)
}

// summaryWriter writes messages of the schema for people. Its stack of values works as that of
// messageWriter does.
type summaryWriter struct {
	style  *Style
	values []value
}

// part is a message, by its fields, and how many transactions are around it.
type part struct {
	fields []value
	depth  int
}

// request appends what follows the name of the operation, of one within a transaction.
func (w *summaryWriter) request(dst []byte, v *value, depth int) []byte {
	if v.field.msg == msgTxn {
		return w.txn(dst, v.data, depth)
	}
	base := len(w.values)
	w.values = v.field.msg.lookup().collect(w.values, v.data)
	dst = w.describe(dst, v, part{w.values[base:], depth})
	w.values = w.values[:base]
	return dst
}

// describe appends what follows the name of the operation.
func (w *summaryWriter) describe(dst []byte, v *value, p part) []byte {
	m, b, fields := v.field.msg, v.data, p.fields
	switch m {
	case msgTxn:
		return w.txn(dst, b, p.depth)
	case msgPut:
		return w.put(dst, fields)
	case msgRange, msgDeleteRange:
		return w.keyRange(dst, fields)
	case msgCompaction:
		return w.compaction(dst, fields)
	case msgLeaseGrant:
		return w.leaseGrant(dst, fields)
	case msgLeaseRevoke:
		return appendHexWord(dst, number(fields, "id"))
	case msgLeaseCheckpoints:
		return w.checkpoints(dst, b)
	case msgAlarm:
		return w.alarm(dst, fields)
	case msgV2:
		return w.v2(dst, fields)
	}
	return w.generic(dst, m.lookup(), b, p.depth)
}

// number returns the value of a field of varints, 0 if it is absent.
func number(fields []value, name string) uint64 {
	if v := find(fields, name); v != nil {
		return v.n
	}
	return 0
}

// content returns the value of a field of bytes, nil if it is absent.
func content(fields []value, name string) []byte {
	if v := find(fields, name); v != nil {
		return v.data
	}
	return nil
}

// keyOf returns the key among the fields of a message that has a value: the path in the v2 store.
func keyOf(fields []value) []byte {
	if v := find(fields, "key"); v != nil {
		return v.data
	}
	return content(fields, "path")
}

func appendHexWord(dst []byte, id uint64) []byte {
	return strconv.AppendUint(append(dst, ' '), id, 16)
}

func (w *summaryWriter) put(dst []byte, fields []value) []byte {
	var under stored
	var lease, keepValue, keepLease uint64
	for i := range fields {
		v := &fields[i]
		if v.field == nil {
			continue
		}
		switch v.field.name {
		case "key":
			under.key = v.data
		case "value":
			under.value = v.data
		case "lease":
			lease = v.n
		case "ignore_value":
			keepValue = v.n
		case "ignore_lease":
			keepLease = v.n
		}
	}
	dst = appendWord(append(dst, ' '), under.key, summaryKey)
	if keepValue != 0 {
		dst = append(dst, " value kept"...)
	} else {
		dst = appendValue(append(dst, ' '), under, w.style)
	}
	switch {
	case keepLease != 0:
		dst = append(dst, " lease kept"...)
	case lease != 0:
		dst = appendHexWord(append(dst, " lease"...), lease)
	}
	return dst
}

func (w *summaryWriter) keyRange(dst []byte, fields []value) []byte {
	dst = appendRange(append(dst, ' '), content(fields, "key"), content(fields, "range_end"))
	for _, v := range fields {
		if v.field == nil || v.n == 0 || v.field.name == "prev_kv" {
			continue
		}
		switch v.field.kind {
		case kindBool:
			dst = append(append(dst, ' '), v.field.name...)
		case kindInt:
			dst = append(append(dst, ' '), v.field.name...)
			dst = strconv.AppendInt(append(dst, ' '), int64(v.n), 10)
		}
	}
	return dst
}

// appendRange appends a key, a prefix followed by an asterisk, or the two ends of a range.
func appendRange(dst, key, end []byte) []byte {
	switch {
	case len(end) == 0:
		return appendWord(dst, key, summaryKey)
	case isFromOn(end) && (len(key) == 0 || len(key) == 1 && key[0] == 0):
		return append(dst, "all keys"...)
	case isFromOn(end):
		return append(appendWord(dst, key, summaryKey), " and after"...)
	case isPrefixRange(key, end):
		return appendWord(append(dst, "prefix "...), key, summaryKey)
	}
	dst = append(appendWord(dst, key, summaryKey), " to "...)
	return appendWord(dst, end, summaryKey)
}

// isPrefixRange reports whether [key, end) holds the keys that begin with key: then end is key with
// its last byte that is not 0xff counted up, and what follows that byte left out.
func isPrefixRange(key, end []byte) bool {
	n := len(end) - 1
	return n < len(key) && bytes.Equal(key[:n], end[:n]) && key[n] != 0xff && end[n] == key[n]+1 &&
		len(bytes.Trim(key[n+1:], "\xff")) == 0
}

func (w *summaryWriter) compaction(dst []byte, fields []value) []byte {
	dst = append(dst, " up to revision "...)
	dst = strconv.AppendInt(dst, int64(number(fields, "revision")), 10)
	if number(fields, "physical") != 0 {
		dst = append(dst, " physical"...)
	}
	return dst
}

func (w *summaryWriter) leaseGrant(dst []byte, fields []value) []byte {
	dst = append(appendHexWord(dst, number(fields, "id")), " ttl "...)
	return append(strconv.AppendInt(dst, int64(number(fields, "ttl")), 10), 's')
}

func (w *summaryWriter) checkpoints(dst []byte, b []byte) []byte {
	n := 0
	for v := range msgLeaseCheckpoints.lookup().known(b) {
		if n++; n > summaryList {
			continue
		}
		if n > 1 {
			dst = append(dst, ',')
		}
		id, ttl := checkpointOf(v.data)
		dst = append(appendHexWord(dst, id), ' ')
		dst = append(strconv.AppendInt(dst, ttl, 10), "s left"...)
	}
	return appendMore(dst, n-summaryList)
}

func checkpointOf(b []byte) (id uint64, ttl int64) {
	for v := range msgLeaseCheckpoint.lookup().known(b) {
		if v.field.kind == kindID {
			id = v.n
		} else {
			ttl = int64(v.n)
		}
	}
	return id, ttl
}

// appendMore says how many elements of a list were left out, if any were.
func appendMore(dst []byte, n int) []byte {
	if n <= 0 {
		return dst
	}
	return append(strconv.AppendInt(append(dst, ", and "...), int64(n), 10), " more"...)
}

func (w *summaryWriter) alarm(dst []byte, fields []value) []byte {
	m := msgAlarm.lookup()
	dst = appendEnumWord(append(dst, ' '), m.named("action"), number(fields, "action"))
	if alarm := number(fields, "alarm"); alarm != 0 {
		dst = appendEnumWord(append(dst, ' '), m.named("alarm"), alarm)
	}
	if id := number(fields, "member_id"); id != 0 {
		dst = appendHexWord(append(dst, " member"...), id)
	}
	return dst
}

// appendEnumWord is appendEnum without quotes.
func appendEnumWord(dst []byte, f *field, n uint64) []byte {
	if v := int32(n); v >= 0 && int(v) < len(f.enum) {
		return append(dst, f.enum[v]...)
	}
	return strconv.AppendInt(dst, int64(int32(n)), 10)
}

func (w *summaryWriter) v2(dst []byte, fields []value) []byte {
	if path := content(fields, "path"); len(path) > 0 {
		dst = appendWord(append(dst, ' '), path, summaryKey)
	}
	switch val := content(fields, "val"); {
	case len(val) == 0:
	case holdsPasswords(fields) && !w.style.ShowSecrets:
		dst = append(append(dst, ' '), redacted...)
	default:
		dst = appendValue(append(dst, ' '), stored{keyOf(fields), val}, w.style)
	}
	for _, v := range fields {
		if v.field != nil && v.field.kind == kindBool && v.n != 0 {
			dst = append(append(dst, ' '), v.field.name...)
		}
	}
	return dst
}

// generic appends the fields of a message as name=value, those of messages within it too. It leaves
// out all but the first ones of many.
func (w *summaryWriter) generic(dst []byte, m *message, b []byte, depth int) []byte {
	n := 0
	for v := range m.known(b) {
		if n++; n > len(m.fields)+summaryList {
			dst = append(dst, " …"...)
			break
		}
		if v.field.kind != kindMessage {
			dst = w.pair(dst, v)
		} else if depth < maxDepth {
			dst = w.generic(dst, v.field.msg.lookup(), v.data, depth+1)
		}
	}
	for _, f := range m.defaults {
		if !m.has(b, f) {
			dst = w.pair(dst, value{field: f})
		}
	}
	return dst
}

func (w *summaryWriter) pair(dst []byte, v value) []byte {
	dst = append(append(append(dst, ' '), v.field.name...), '=')
	return w.scalar(dst, v, nil)
}

// scalar appends a field that is no message. A value stands under the key.
func (w *summaryWriter) scalar(dst []byte, v value, key []byte) []byte {
	switch v.field.kind {
	case kindSecret:
		if !w.style.ShowSecrets {
			return append(dst, redacted...)
		}
		return appendWord(dst, v.data, summaryKey)
	case kindString, kindBytes:
		return appendWord(dst, v.data, summaryKey)
	case kindValue:
		return appendArgument(dst, stored{key, v.data}, w.style)
	case kindBool:
		return strconv.AppendBool(dst, protowire.DecodeBool(v.n))
	case kindEnum:
		return appendEnumWord(dst, v.field, v.n)
	case kindID, kindRequestID:
		return strconv.AppendUint(dst, v.n, 16)
	}
	return strconv.AppendInt(dst, int64(v.n), 10)
}
