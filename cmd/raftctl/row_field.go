package main

import (
	"bytes"
	"encoding/json"
	"math"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/raftctl/raftctl/wal"
)

// field returns a field of the record's JSON for --where. Only what the expression asks for is
// computed.
func (r *row) field(name string) (ref.Val, bool) {
	switch name {
	case "kind":
		return types.String(r.rec.Kind.String()), true
	case "segment":
		return types.String(r.rec.Pos.Segment), true
	case "offset":
		return types.Int(r.rec.Pos.Off), true
	case "length":
		return types.Int(r.rec.Len), true
	case "pad":
		return types.Int(r.rec.Pad), r.physical
	case "crc":
		return types.String(appendCRC(nil, r.rec.CRC)), r.physical || r.rec.Kind == wal.KindCRC
	case "crc_computed":
		return types.String(appendCRC(nil, r.rec.Sum)), r.physical
	case "term":
		n, ok := r.term()
		return celInt(n), ok
	case "index":
		n, ok := r.index()
		return celInt(n), ok
	}
	if r.bad != nil {
		return nil, false
	}
	switch r.rec.Kind {
	case wal.KindEntry:
		return r.entryField(name)
	case wal.KindDamage:
		return r.damageField(name)
	case wal.KindState, wal.KindSnapshot, wal.KindMetadata:
		return r.headField(name)
	}
	return nil, false
}

func (r *row) entryField(name string) (ref.Val, bool) {
	switch name {
	case "type":
		return types.String(entryType(r.entry.Type)), true
	case "size":
		return types.Int(len(r.entry.Data)), true
	case "live":
		return types.Bool(r.live), r.physical
	}
	if r.raw {
		return nil, false
	}
	switch name {
	case "op":
		return types.String(r.request().Op), true
	case "key":
		key := r.request().Key
		return celText(key), utf8.Valid(key)
	case "range_end":
		end := r.request().RangeEnd
		return celText(end), utf8.Valid(end)
	case "summary":
		return types.String(r.summary()), true
	case "request":
		return celJSON(r.request().AppendJSON(nil, r.style)), true
	}
	return nil, false
}

func (r *row) headField(name string) (ref.Val, bool) {
	kind := r.rec.Kind
	switch {
	case name == "vote" && kind == wal.KindState:
		return celID(r.state.Vote), true
	case name == "commit" && kind == wal.KindState:
		return celInt(r.state.Commit), true
	case name == "conf_state" && kind == wal.KindSnapshot && r.snapshot.ConfState != nil:
		return celJSON(appendConfState(nil, r.snapshot.ConfState)), true
	case name == "node_id" && kind == wal.KindMetadata:
		return celID(r.metadata.NodeID), true
	case name == "cluster_id" && kind == wal.KindMetadata:
		return celID(r.metadata.ClusterID), true
	}
	return nil, false
}

func (r *row) damageField(name string) (ref.Val, bool) {
	d := r.rec.Damage
	switch name {
	case "class":
		return types.String(d.Class), true
	case "damaged":
		return types.Int(d.Len), true
	case "index_before":
		return celInt(d.Before.Index), true
	case "index_after":
		return celInt(d.After.Index), true
	case "evidence":
		return types.String(d.Evidence), true
	}
	return nil, false
}

// celInt returns an unsigned number as CEL's int, so that expressions need no suffix. What doesn't
// fit is as large as can be.
func celInt(n uint64) ref.Val { return types.Int(min(n, math.MaxInt64)) }

func celID(id uint64) ref.Val { return celText(appendID(nil, id)) }

func celText(b []byte) ref.Val { return types.String(b) }

// celJSON returns JSON as CEL's maps and lists, with whole numbers as int.
func celJSON(b []byte) ref.Val {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return emptyMap // what we append is JSON
	}
	return types.DefaultTypeAdapter.NativeToValue(wholeNumbers(v))
}

func wholeNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // out of range: infinite
		return f
	case map[string]any:
		for k, e := range v {
			v[k] = wholeNumbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = wholeNumbers(e)
		}
	}
	return v
}
