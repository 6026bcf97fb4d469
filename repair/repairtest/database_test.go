package repairtest

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// database makes the database as of an entry, and returns which entry it says that it has applied: those
// without an effect may be behind that.
func (c *cluster) database(index uint64) (b []byte, applied uint64) {
	b, ok := c.dbs[index]
	if !ok {
		var err error
		if b, err = makeDatabase(c.id, c.truth[:index]); err != nil {
			panic(fmt.Sprintf("make a database: %v", err))
		}
		c.dbs[index] = b
	}
	return b, index
}

func makeDatabase(id uint64, list []proposal) (b []byte, err error) {
	dir, err := os.MkdirTemp("", "database")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := kv.Open(dir, kv.Options{Member: firstVoter, Cluster: id, NoSync: true, WaitCompaction: true})
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if _, err := store.Apply([]raftpb.Entry{{Term: p.Term, Index: p.Index, Type: p.Type, Data: p.Data}}); err != nil {
			return nil, err
		}
	}
	if err := store.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, kv.FileName))
}
