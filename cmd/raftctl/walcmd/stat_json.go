package walcmd

// stat is the result of `wal stat`, and its JSON: see docs/json.md.
type stat struct {
	Path        string       `json:"path"`
	MetadataErr string       `json:"metadata_error,omitempty"` // the IDs are then empty
	NodeID      string       `json:"node_id"`
	ClusterID   string       `json:"cluster_id"`
	FirstIndex  uint64       `json:"first_index"`
	LastIndex   uint64       `json:"last_index"`
	LastTerm    uint64       `json:"last_term"`
	Term        uint64       `json:"term"`
	Vote        string       `json:"vote"`
	Commit      uint64       `json:"commit"`
	Members     []memberStat `json:"members"`

	Time timeStat `json:"time"`

	// MembersComplete is false where the log doesn't hold all that the membership depends on.
	MembersComplete bool `json:"members_complete"`

	Segments   []*segmentStat `json:"segments"`
	Terms      []termStat     `json:"terms"`
	Snapshots  []snapshotStat `json:"snapshots"`
	Operations []opStat       `json:"operations"`
	Sizes      []sizeClass    `json:"sizes"`
	Largest    []largeEntry   `json:"largest"`
	Prefixes   []prefixStat   `json:"prefixes"`
	Estimated  bool           `json:"prefixes_estimated,omitempty"`
	Damage     int            `json:"damage"`
}

// memberStat is a member as of the last committed entry.
type memberStat struct {
	ID         string   `json:"id"`
	Role       string   `json:"role"`
	Name       string   `json:"name,omitempty"`
	PeerURLs   []string `json:"peer_urls,omitempty"`
	ClientURLs []string `json:"client_urls,omitempty"`
}

type segmentStat struct {
	Segment string `json:"segment"`
	Size    int64  `json:"size"`
	Used    int64  `json:"used"` // up to the end of the last record
	Records int64  `json:"records"`
	Entries int64  `json:"entries"`
	First   uint64 `json:"first_index"`
	Last    uint64 `json:"last_index"`
}

type termStat struct {
	Term    uint64 `json:"term"`
	First   uint64 `json:"first_index"`
	Entries uint64 `json:"entries"`
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
}

type snapshotStat struct {
	Index   uint64 `json:"index"`
	Term    uint64 `json:"term"`
	Valid   bool   `json:"valid"` // committed by the last hard state
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
}

type opStat struct {
	Op      string `json:"op"`
	Entries int64  `json:"entries"`
	Bytes   int64  `json:"bytes"`
}

type largeEntry struct {
	Index   uint64 `json:"index"`
	Term    uint64 `json:"term"`
	Size    int64  `json:"size"`
	Op      string `json:"op"`
	Summary string `json:"summary"`
}

type prefixStat struct {
	Prefix string `json:"prefix"`
	Writes int64  `json:"writes"`
	Bytes  int64  `json:"bytes"` // of the values written
}

// sizeClass counts the entries of From bytes or more, but less than Below.
type sizeClass struct {
	From    int64 `json:"from"`
	Below   int64 `json:"below"`
	Entries int64 `json:"entries"`
}
