package raftpb

// Flavor is one of the two ways in which etcd encodes these types. Every etcd decodes both.
type Flavor uint8

const (
	// FlavorGogo is the encoding of etcd 3.4 to 3.6: every scalar is written, zero or not.
	FlavorGogo Flavor = iota
	// FlavorPbgo is the encoding of etcd 3.7 and later: a scalar is written when it was set.
	FlavorPbgo
)

// String returns "gogo" or "pbgo".
func (f Flavor) String() string {
	if f == FlavorPbgo {
		return "pbgo"
	}
	return "gogo"
}
