package restore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
	"github.com/raftctl/raftctl/snapshot/bolt"
	"github.com/raftctl/raftctl/snapshot/database"
)

// edit makes a copy of the base the database of the new cluster, in one transaction. It changes what
// etcdutl changes, and nothing else: the leases, users and roles stay, and so does bucket meta's
// confState, which tells of the old cluster until the new one changes its members: no release reads
// it at start where the log is that of a restore.
func (p *Plan) edit(fsys vfs.FS, path string) error {
	if err := p.prepare(fsys, path); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- p.editGuarded(path) }()
	return <-done
}

// prepare reads the pages that will be edited, since bbolt doesn't get over damage in them, and then spares
// bbolt reading all others when it opens the database.
func (p *Plan) prepare(fsys vfs.FS, path string) (err error) {
	f, err := fsys.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	db, err := bolt.Open(f, info.Size())
	if err == nil {
		err = readEdited(db)
	}
	if err != nil {
		return damage(fmt.Errorf("%s: %w", p.Base.db.Name(), err))
	}
	for _, patch := range db.Meta().EmptyFreelist() {
		if _, err := f.WriteAt(patch.Bytes, patch.Off); err != nil {
			return err
		}
	}
	return nil
}

// readEdited reads the buckets that an edit changes, of bucket key its end only.
func readEdited(db *bolt.DB) error {
	for b, err := range db.Buckets() {
		if err != nil {
			return err
		}
		switch b.Name {
		case bucketMeta, bucketCluster, bucketMembers, bucketRemoved, bucketAlarm:
			for _, err := range b.Leaves(nil) {
				if err != nil {
					return err
				}
			}
		case bucketKey:
			if _, err := lastRevision(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// editGuarded turns what bbolt does on a damaged page into an error: it panics, or reads beyond the file.
func (p *Plan) editGuarded(path string) (err error) {
	debug.SetPanicOnFault(true) // of this goroutine only
	var db *bbolt.DB
	defer func() {
		if cause := recover(); cause != nil {
			err = damagef("%s: bbolt ends on it: %v", p.Base.db.Name(), cause)
		}
		if db != nil && err == nil {
			err = db.Close()
		}
	}()
	// Nothing is synced on the way: what is unfinished has no name that counts, and all is synced at its end.
	db, err = bbolt.Open(path, staging.FileMode, &bbolt.Options{NoFreelistSync: true, NoSync: true, NoGrowSync: true,
		FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	if err := db.Update(p.editTx); err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// editTx makes all changes.
func (p *Plan) editTx(tx *bbolt.Tx) error {
	for _, change := range []func(*bbolt.Tx) error{
		p.editMembers, p.editStorage, p.editBump, p.editAlarms, p.editIndex,
	} {
		if err := change(tx); err != nil {
			return err
		}
	}
	return nil
}

// editMembers puts the new members in the place of the old ones.
func (p *Plan) editMembers(tx *bbolt.Tx) error {
	if _, err := tx.CreateBucketIfNotExists([]byte(bucketCluster)); err != nil {
		return err
	}
	if _, err := emptied(tx, bucketRemoved); err != nil {
		return err
	}
	b, err := emptied(tx, bucketMembers)
	if err != nil {
		return err
	}
	for _, m := range p.Cluster.Members {
		if err := b.Put([]byte(strconv.FormatUint(m.ID, 16)), m.json()); err != nil {
			return err
		}
	}
	return nil
}

// emptied returns a bucket without its items. It is made if it isn't there.
func emptied(tx *bbolt.Tx, name string) (*bbolt.Bucket, error) {
	b, err := tx.CreateBucketIfNotExists([]byte(name))
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	if err := b.ForEach(func(k, _ []byte) error {
		keys = append(keys, append([]byte(nil), k...))
		return nil
	}); err != nil {
		return nil, err
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// editIndex says that the log's entries, all of which add a member, are applied.
func (p *Plan) editIndex(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucketIfNotExists([]byte(bucketMeta))
	if err != nil {
		return err
	}
	index := binary.BigEndian.AppendUint64(nil, p.lastIndex())
	if err := meta.Put([]byte(metaConsistentIndex), index); err != nil {
		return err
	}
	return meta.Put([]byte(metaTerm), binary.BigEndian.AppendUint64(nil, term))
}

// editStorage makes the versions those of the form.
func (p *Plan) editStorage(tx *bbolt.Tx) error {
	if p.Storage.ClusterTo != p.Storage.Cluster {
		if err := tx.Bucket([]byte(bucketCluster)).Delete([]byte(clusterVersion)); err != nil {
			return err
		}
	}
	if p.Storage.To == p.Storage.Version {
		return nil
	}
	meta, err := tx.CreateBucketIfNotExists([]byte(bucketMeta))
	if err != nil {
		return err
	}
	if p.Storage.To == "" {
		return meta.Delete([]byte(metaStorageVersion))
	}
	return meta.Put([]byte(metaStorageVersion), []byte(p.Storage.To))
}

// editBump adds a record of a later revision, without a key, and asks for compaction up to it.
func (p *Plan) editBump(tx *bbolt.Tx) error {
	if p.Bump == 0 && p.seen <= p.store {
		return nil
	}
	keys, err := tx.CreateBucketIfNotExists([]byte(bucketKey))
	if err != nil {
		return err
	}
	next := database.Revision{Main: p.Bump}
	if k, _ := keys.Cursor().Last(); k != nil {
		last, _, err := database.ParseRevision(k)
		if err != nil {
			return damagef("%s: bucket key: last key %.40q: %w", p.Base.db.Name(), k, err)
		}
		next.Main += last.Main
	}
	if p.seen > 0 {
		p.Bump, next.Main = p.seen-p.store, p.seen
	}
	meta, err := tx.CreateBucketIfNotExists([]byte(bucketMeta))
	if err != nil {
		return err
	}
	for _, mark := range []string{metaScheduled, metaFinished} {
		if at, _, err := database.ParseRevision(meta.Get([]byte(mark))); err == nil && next.Main <= at.Main {
			return refuseBump(p.Bump, next.Main-p.Bump, at.Main)
		}
	}
	p.Revision = next.Main
	if err := keys.Put(database.AppendRevision(nil, next), nil); err != nil || !p.o.MarkCompacted {
		return err
	}
	return meta.Put([]byte(metaScheduled), database.AppendRevision(nil, next))
}

// editAlarms takes back all alarms, if that was asked for: etcdutl leaves those of members that are gone.
func (p *Plan) editAlarms(tx *bbolt.Tx) error {
	if !p.o.ClearAlarms {
		return nil
	}
	_, err := emptied(tx, bucketAlarm)
	return err
}
