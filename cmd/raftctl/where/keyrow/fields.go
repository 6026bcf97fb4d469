package keyrow

import (
	"github.com/raftctl/raftctl/cmd/raftctl/where"
)

// Attached are the rows of keys that are attached to a lease.
const Attached where.Only = 1

const always = where.Always

// The kinds of values.
type (
	number = where.Number[*Row]
	id     = where.ID[*Row]
	prose  = where.Prose[*Row]
	text   = where.Text[*Row]
	flag   = where.Flag[*Row]
	shown  = where.Shown[*Row]
)

func silent(v where.Value[*Row]) where.Value[*Row] { return where.Silent[*Row]{Value: v} }

// The kinds of rows.
const (
	KindKey    = "key"    // a key in a state
	KindChange = "change" // a revision of a key
	KindItem   = "item"   // of a bucket, as it is
)

var (
	keys    = []string{KindKey, KindChange}
	changes = []string{KindChange}
	items   = []string{KindItem}
)

// field is a row of the table.
type field where.Field[*Row]

// Table has all fields there are, in the order of the JSON; docs/json.md is the contract.
var Table = where.NewTable[*Row](where.TableOptions{Example: `version > 1`}, []field{
	{"revision", changes, always, "revision of the change", number(revision)},
	{"sub_revision", changes, always, "its place among those of one transaction, from 0", number(subRevision)},
	{"deleted", changes, always, "the change deletes the key", flag(deleted)},
	{"unproven", changes, always, "with --scan: it may have been compacted away", flag(unproven)},
	{"bucket", items, always, "name of the bucket", prose(bucket)},
	{"key", nil, always, "the key", text(key)},
	{"create_revision", keys, always, "revision at which the key came into being", number(createRevision)},
	{"mod_revision", keys, always, "revision of this value", number(modRevision)},
	{"version", keys, always, "how often it was written since it came into being", number(version)},
	{"lease", keys, Attached, "ID of the lease that the key is attached to, in hex", id(lease)},
	{"value_size", nil, always, "bytes of the value", silent(number(valueSize))},
	{"value", nil, always, "the value; in JSON as far as --values says", shown{Append: appendValue, Bytes: value}},
	{"api_version", keys, always, "of a Kubernetes object; in JSON within value_kubernetes", silent(text(apiVersion))},
	{"kind", keys, always, "of a Kubernetes object, such as Pod; likewise", silent(text(kind))},
	{"ns", keys, always, "namespace of a Kubernetes object (that word is reserved by CEL); likewise", silent(text(namespace))},
	{"name", keys, always, "of a Kubernetes object; likewise", silent(text(name))},
})
