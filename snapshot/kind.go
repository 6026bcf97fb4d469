package snapshot

import "strings"

// Kind is what a file in the folder of snapshots is, told by its name.
type Kind string

// The kinds, in the order in which [Files] lists them.
const (
	KindSnapshot Kind = "snapshot" // a .snap file
	KindMisnamed Kind = "misnamed" // *.snap, though not as etcd names it; etcd reads it all the same
	KindReceived Kind = "received" // .snap.db: a database that a leader sent
	KindDatabase Kind = "database" // db: the member's database
	KindBroken   Kind = "broken"   // *.broken: what etcd could not read, and renamed
	KindTemp     Kind = "temp"     // tmp*: a file that was never finished; etcd removes it
	KindDefrag   Kind = "defrag"   // db.tmp*: a defragmentation that was never finished
	KindOther    Kind = "other"    // nothing of etcd's, or a folder
)

// dbName is the name of the member's database.
const dbName = "db"

// kinds tells the kind of a name: the first that fits. The order is that of the constants but for
// what etcd looks at first.
var kinds = []struct {
	kind Kind
	fits func(name string) bool
}{
	{KindDatabase, func(name string) bool { return name == dbName }},
	{KindDefrag, func(name string) bool { return strings.HasPrefix(name, "db.tmp") }},
	{KindTemp, func(name string) bool { return strings.HasPrefix(name, tempPrefix) }},
	{KindSnapshot, func(name string) bool { _, ok := ParseFileName(name); return ok }},
	{KindMisnamed, func(name string) bool { return strings.HasSuffix(name, suffix) }},
	{KindReceived, func(name string) bool { _, ok := ParseDBFileName(name); return ok }},
	{KindBroken, func(name string) bool { return strings.HasSuffix(name, ".broken") }},
	{KindOther, func(string) bool { return true }},
}

// KindOf tells what a file of this name is.
func KindOf(name string) Kind {
	for _, k := range kinds {
		if k.fits(name) {
			return k.kind
		}
	}
	return KindOther
}

// rank is the place of a kind in a listing.
var rank = map[Kind]int{
	KindSnapshot: 0, KindMisnamed: 1, KindReceived: 2, KindDatabase: 3,
	KindBroken: 4, KindTemp: 5, KindDefrag: 6, KindOther: 7,
}
