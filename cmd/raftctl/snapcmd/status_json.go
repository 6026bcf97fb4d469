package snapcmd

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot/database"
)

// dbStatus is the result of `snapshot status` on a database, and its JSON: see docs/json.md. The first
// five names are those of etcdutl.
type dbStatus struct {
	Hash      uint32 `json:"hash"`
	Revision  int64  `json:"revision"`
	TotalKey  int64  `json:"totalKey"`
	TotalSize int64  `json:"totalSize"`
	Version   string `json:"version"`

	Path       string `json:"path"`
	File       string `json:"file"`
	FileSize   int64  `json:"file_size"`
	Compressed bool   `json:"compressed"`
	Copied     string `json:"copied,omitempty"`
	Trailer    bool   `json:"trailer"`

	CurrentRevision int64 `json:"current_revision"`
	Compacted       int64 `json:"compacted_revision"`
	CompactFinished int64 `json:"compaction_finished_revision"`
	Keys            int64 `json:"keys"`
	LeasedKeys      int64 `json:"leased_keys"`
	Revisions       int64 `json:"revisions"`
	Deletions       int64 `json:"deletions"`
	KeyBytes        int64 `json:"key_bytes"`
	Items           int64 `json:"items"`

	PageSize int64  `json:"page_size"`
	InUse    int64  `json:"in_use"`
	Free     int64  `json:"free"`
	TxID     uint64 `json:"txid"`

	ConsistentIndex uint64 `json:"consistent_index"`
	Term            uint64 `json:"term"`
	ClusterVersion  string `json:"cluster_version"`
	StorageVersion  string `json:"storage_version"`
	Downgrade       string `json:"downgrade_target,omitempty"`

	ConfState *confStateJSON    `json:"conf_state"`
	Members   []stateMemberJSON `json:"members"`
	Removed   []string          `json:"removed"`
	Leases    []leaseJSON       `json:"leases"`
	Alarms    []alarmJSON       `json:"alarms"`
	Auth      authJSON          `json:"auth"`

	Hashes   *hashesJSON `json:"hashes"`
	HashKVAt *hashKVJSON `json:"hashkv_at,omitempty"`
	Top      *topJSON    `json:"top,omitempty"`

	MissingBuckets []string `json:"missing_buckets"`
	UnknownBuckets []string `json:"unknown_buckets"`
	Damaged        []string `json:"damaged"`
	DamagedMore    int64    `json:"damaged_more,omitempty"`
}

type confStateJSON struct {
	Voters         []string `json:"voters"`
	Learners       []string `json:"learners"`
	VotersOutgoing []string `json:"voters_outgoing"`
	LearnersNext   []string `json:"learners_next"`
	AutoLeave      bool     `json:"auto_leave"`
}

type stateMemberJSON struct {
	ID         string   `json:"id"`
	Name       string   `json:"name,omitempty"`
	Learner    bool     `json:"learner,omitempty"`
	PeerURLs   []string `json:"peer_urls,omitempty"`
	ClientURLs []string `json:"client_urls,omitempty"`
}

type leaseJSON struct {
	ID        string `json:"id"`
	TTL       int64  `json:"ttl"`
	Remaining int64  `json:"remaining_ttl,omitempty"`
}

type alarmJSON struct {
	Member string `json:"member_id"`
	Alarm  string `json:"alarm"`
}

type authJSON struct {
	Enabled  bool       `json:"enabled"`
	Revision uint64     `json:"revision"`
	Users    []userJSON `json:"users"`
	Roles    []string   `json:"roles"`
}

type userJSON struct {
	Name       string   `json:"name"`
	Roles      []string `json:"roles"`
	NoPassword bool     `json:"no_password,omitempty"`
}

type hashesJSON struct {
	Status  uint32     `json:"status"`
	State34 uint32     `json:"dump_db_3_4"`
	State35 uint32     `json:"dump_db_3_5"`
	State36 uint32     `json:"dump_db_3_6"`
	KV      hashKVJSON `json:"hashkv"`
}

type hashKVJSON struct {
	Hash      uint32 `json:"hash"`
	Revision  int64  `json:"revision"`
	Compacted int64  `json:"compact_revision"`
}

func newHashKVJSON(h *database.HashKV) *hashKVJSON {
	return &hashKVJSON{h.Hash, h.Revision, h.Compacted}
}

func newDBStatus(path string, db *database.DB, st *database.Status) *dbStatus {
	origin := db.Origin()
	s := &dbStatus{
		Revision: st.Last.Main, TotalKey: st.TotalKey(), TotalSize: st.Size, Version: st.StorageVersion,
		Path: path, FileSize: origin.Size, Compressed: origin.Compressed, Copied: origin.Copied,
		Trailer: origin.HasTrailer, CurrentRevision: st.Revision, Compacted: st.Compacted,
		CompactFinished: st.Finished, Keys: st.Live, LeasedKeys: st.Leased, Revisions: st.Revisions,
		Deletions: st.Deletions, KeyBytes: st.KeyBytes, Items: st.Items, PageSize: st.PageSize,
		InUse: st.InUse, Free: st.Free, TxID: st.TxID, ConsistentIndex: st.ConsistentIndex, Term: st.Term,
		ClusterVersion: st.ClusterVersion, StorageVersion: st.StorageVersion,
		ConfState: newConfStateJSON(st.ConfState), Members: []stateMemberJSON{}, Removed: hexIDs(st.Members.Removed),
		Leases: []leaseJSON{}, Alarms: []alarmJSON{}, UnknownBuckets: append([]string{}, st.Unknown...),
		MissingBuckets: []string{}, Damaged: []string{}, DamagedMore: st.DamagedMore,
	}
	if st.Downgrade != nil && st.Downgrade.Enabled {
		s.Downgrade = st.Downgrade.Target
	}
	if h := st.Hashes; h != nil {
		s.Hash = h.Status
		s.Hashes = &hashesJSON{h.Status, h.State34, h.State35, h.State36, *newHashKVJSON(&h.KV)}
	}
	for _, m := range st.Members.Members {
		s.Members = append(s.Members, stateMemberJSON{hexID(m.ID), m.Name, m.Learner, m.PeerURLs, m.ClientURLs})
	}
	for _, name := range database.BucketNames() {
		if !st.HasBucket[name] && !st.BucketsLost {
			s.MissingBuckets = append(s.MissingBuckets, name)
		}
	}
	s.addSmall(st)
	return s
}

// addSmall adds leases, alarms, auth and damage.
func (s *dbStatus) addSmall(st *database.Status) {
	for _, l := range st.Leases {
		s.Leases = append(s.Leases, leaseJSON{hexID(uint64(l.ID)), l.TTL, l.Remaining})
	}
	for _, al := range st.Alarms {
		s.Alarms = append(s.Alarms, alarmJSON{hexID(al.Member), al.Kind.String()})
	}
	s.Auth = authJSON{Enabled: st.Auth.Enabled, Revision: st.Auth.Revision, Users: []userJSON{}, Roles: []string{}}
	for _, u := range st.Auth.Users {
		s.Auth.Users = append(s.Auth.Users, userJSON{u.Name, slices.Concat([]string{}, u.Roles), u.NoPassword})
	}
	for _, r := range st.Auth.Roles {
		s.Auth.Roles = append(s.Auth.Roles, r.Name)
	}
	for _, err := range st.Damaged {
		s.Damaged = append(s.Damaged, err.Error())
	}
}

func newConfStateJSON(c *raftpb.ConfState) *confStateJSON {
	if c == nil {
		return nil
	}
	return &confStateJSON{hexIDs(c.Voters), hexIDs(c.Learners), hexIDs(c.VotersOutgoing), hexIDs(c.LearnersNext), c.AutoLeave}
}

func hexIDs(ids []uint64) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = hexID(id)
	}
	return list
}

func hexID(id uint64) string { return strconv.FormatUint(id, 16) }

// hex32 formats a hash as etcd's tables do.
func hex32(h uint32) string { return fmt.Sprintf("%x", h) }
