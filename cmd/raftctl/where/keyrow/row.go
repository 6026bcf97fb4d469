// Package keyrow holds what a database holds as commands show it: keys in a state, their changes, and
// items of buckets, with the table of their fields.
package keyrow

import (
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/snapshot/database"
)

// Item is what a row shows. It aliases the reader's buffer.
type Item struct {
	Kind string
	database.KeyValue
	Revision database.Revision // of a change
	Deleted  bool              // the change is a deletion
	Unproven bool              // it may have been compacted away
	Bucket   string            // of an item
}

// Size returns how many bytes the item aliases.
func (i *Item) Size() int { return len(i.Key) + len(i.Value) }

// Keep copies them to buf.
func (i *Item) Keep(buf []byte) {
	n := copy(buf, i.Key)
	copy(buf[n:], i.Value)
	i.Key, i.Value = buf[:n:n], buf[n:]
}

// Row is an item as commands show it. It is used again for every item.
type Row struct {
	*Item
	Style decode.Style

	object  decode.Object
	decoded bool // object is that of the item
	shapes  where.Shapes[*Row, shape]
}

// Set takes an item.
func (r *Row) Set(i *Item) { r.Item, r.decoded = i, false }

// Kind names the kind of the row.
func (r *Row) Kind() string { return r.Item.Kind }

// Readable is true: what can't be read is no row.
func (r *Row) Readable() bool { return true }

// Shows reports whether the JSON of rows like this one can have the fields that only some have.
func (r *Row) Shows(o where.Only) bool { return o != Attached || r.Lease != 0 }

// Where names the row in an error.
func (r *Row) Where() string {
	if r.Item.Kind == KindItem {
		return fmt.Sprintf("bucket %s, key %s", r.Bucket, decode.AppendKey(nil, r.Key))
	}
	return fmt.Sprintf("key %s", decode.AppendKey(nil, r.Key))
}

// shape is what tells apart rows whose JSON has other fields.
type shape struct {
	kind   string
	leased bool
}

// AppendJSON appends the row as one JSON object, without a line break.
func (r *Row) AppendJSON(b []byte) []byte {
	leased, slot := r.Lease != 0, 0
	if leased {
		slot = 1
	}
	return r.shapes.Append(b, Table, r, slot, shape{r.Item.Kind, leased})
}

func revision(r *Row) (uint64, bool)       { return uint64(r.Revision.Main), true }
func subRevision(r *Row) (uint64, bool)    { return uint64(r.Revision.Sub), true }
func deleted(r *Row) bool                  { return r.Deleted }
func unproven(r *Row) bool                 { return r.Unproven }
func bucket(r *Row) (string, bool)         { return r.Bucket, true }
func key(r *Row) ([]byte, bool)            { return r.Key, true }
func createRevision(r *Row) (uint64, bool) { return uint64(r.CreateRevision), !r.Deleted }
func modRevision(r *Row) (uint64, bool)    { return uint64(r.ModRevision), !r.Deleted }
func version(r *Row) (uint64, bool)        { return uint64(r.Version), !r.Deleted }
func lease(r *Row) (uint64, bool)          { return uint64(r.Lease), r.Lease != 0 }
func valueSize(r *Row) (uint64, bool)      { return uint64(len(r.Value)), !r.Deleted }
func value(r *Row) ([]byte, bool)          { return r.Value, !r.Deleted }

func appendValue(b []byte, r *Row) []byte {
	if r.Deleted {
		return b
	}
	return decode.AppendValueJSON(b, r.Key, r.Value, &r.Style)
}

// kubernetes returns what a value that Kubernetes stored is.
func (r *Row) kubernetes() *decode.Object {
	if !r.decoded {
		r.object, _ = decode.Kubernetes(r.Value)
		r.decoded = true
	}
	return &r.object
}

func apiVersion(r *Row) ([]byte, bool) { return has(r.kubernetes().APIVersion) }
func kind(r *Row) ([]byte, bool)       { return has(r.kubernetes().Kind) }
func namespace(r *Row) ([]byte, bool)  { return has(r.kubernetes().Namespace) }
func name(r *Row) ([]byte, bool)       { return has(r.kubernetes().Name) }

func has(b []byte) ([]byte, bool) { return b, b != nil }
