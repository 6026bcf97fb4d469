package raftpb

// Flavor is one of the two ways in which etcd encodes these types. Every etcd decodes both.
type Flavor uint8

const (
	// FlavorGogo is the encoding of etcd 3.4 to 3.6: every scalar is written, zero or not. It is the
	// one to take for a new log; the package comment says why.
	FlavorGogo Flavor = iota
	// FlavorPbgo is the encoding of etcd 3.7 and later: a scalar is written when it was set. What its
	// Raft sets to zero varies from field to field; the comment at each type says what is left out.
	FlavorPbgo
)

// String returns "gogo" or "pbgo".
func (f Flavor) String() string {
	if f == FlavorPbgo {
		return "pbgo"
	}
	return "gogo"
}

// DetectFlavor tells in which flavour an encoded entry was written. It reports false if the entry
// fits both: one without data that begins with an explicit type 0 is the first entry of a new
// leader in FlavorGogo, or a refused membership change in either.
func DetectFlavor(entry []byte) (Flavor, bool) {
	var e Entry
	if len(entry) == 0 || e.UnmarshalAlias(entry) != nil {
		return FlavorGogo, false
	}
	switch {
	case entry[0] == tagEntryTerm:
		return FlavorPbgo, true
	case entry[0] != tagEntryType:
		return FlavorGogo, false
	case e.Type == EntryNormal:
		return FlavorGogo, len(e.Data) > 0
	case e.Type == EntryConfChange && len(e.Data) > 0 && e.Data[0] == tagConfChangeType:
		return FlavorPbgo, true
	case e.Type == EntryConfChange && len(e.Data) > 1 && e.Data[0] == tagConfChangeID:
		return FlavorGogo, e.Data[1] == 0
	}
	return FlavorGogo, false
}
