package bolt

import "encoding/binary"

// Patch is bytes that belong at an offset of a file.
type Patch struct {
	Off   int64
	Bytes []byte
}

// EmptyFreelist returns what makes bbolt open a copy of a database for writing without reading all of
// it: one that has no list of free pages is given an empty one, behind its last page. bbolt then takes
// new pages at the end of the file only, and finds the free ones again when the list is left out, as
// etcd on Linux leaves it. The patches are to be written in their order. The meta pages both say the
// same, of a transaction after the one that counts.
func (m Meta) EmptyFreelist() []Patch {
	list := make([]byte, m.PageSize)
	binary.LittleEndian.PutUint64(list, m.HighWater)
	binary.LittleEndian.PutUint16(list[8:], flagFreelist)
	at := int64(m.HighWater) * m.PageSize
	m.Freelist = m.HighWater
	m.HighWater++
	return []Patch{{at, list}, {0, m.SavedPages((m.TxID + 2) &^ 1)}} // the first page has even transactions
}
