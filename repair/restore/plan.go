package restore

import (
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/vfs"
)

// Options say what is restored, and to where.
type Options struct {
	FS      vfs.FS // what is written to; its names are paths of the machine
	Base    *Base
	Cluster *Cluster
	Targets []Target
	As      Release // whose form the new directories have; 0: that of the base

	// Bump is by how much the revision grows, so that no client has seen a later one; 0 leaves it.
	// MarkCompacted goes with it: what came before can't be watched any more.
	Bump          int64
	MarkCompacted bool

	ClearAlarms bool
	SkipVerify  bool // take a database that is damaged, too

	// Replay, if it isn't nil, is given the folder with the copy of the base before it is edited, and may
	// change the database in it. ReplayBytes is how much it may add, in bytes.
	Replay      func(ctx context.Context, dir string) (Replayed, error)
	ReplayBytes int64

	// BumpSeen lets the revision grow to the last one that a client may have seen, as Replay tells it.
	BumpSeen bool

	// Rehearse boots a copy of each result, and reads all of it, before it gets its name.
	Rehearse bool

	// Progress is told how far a step that takes long is, in bytes: see [Step]. It may be nil.
	Progress func(step Step, done, total int64)
}

// Replayed is what a replay made of the database.
type Replayed struct {
	Revision int64 // of the store
	Seen     int64 // the last revision that a client of the old cluster may have seen, as far as that is known
}

// Target is a data directory that is to be made.
type Target struct {
	Name    string // of the member
	DataDir string
	WalDir  string // empty: in the data directory
}

// Step is a part of a restore.
type Step string

// The steps that take long, in their order. The copy is edited before it is spread; then come the
// logs, a check of what was written, the rehearsal, and the new names.
const (
	StepCopy   Step = "copy"   // the base, into a folder beside the result
	StepVerify Step = "verify" // the base, unless its sha256 has shown that it is what was saved
	StepReplay Step = "replay" // of logs, onto the copy
	StepSpread Step = "spread" // copies of the edited database for the other members
	StepHash   Step = "hash"   // of the keys, to compare a rehearsal with

	StepBootCopy Step = "copy for rehearsal"
	StepBoot     Step = "rehearse" // reading all keys of a member
)

// Plan is a restore that was checked as far as that is possible without writing.
type Plan struct {
	Base     *Base
	Cluster  *Cluster
	As       Release
	Bump     int64
	Need     int64 // bytes of disk space
	Members  []Planned
	Storage  StorageChange
	Left     []LeftOut
	Revision int64 // after the restore, if nothing is replayed

	o     Options
	store int64 // the revision of the database before it is edited
	seen  int64 // where the bump leads to, if it is BumpSeen
}

// Planned is a member whose directory is to be made.
type Planned struct {
	Member
	DataDir string
	WalDir  string // empty: in the data directory
}

// NewPlan checks everything that can be checked without writing, and says what a restore would do. The
// error is a *RefusedError, a *DamageError, or that of the file system.
func NewPlan(o Options) (*Plan, error) {
	if o.As == 0 {
		o.As = max(o.Base.Release, Release35)
	}
	p := &Plan{Base: o.Base, Cluster: o.Cluster, As: o.As, Bump: o.Bump, o: o,
		Revision: o.Base.Revision + o.Bump, store: o.Base.Revision}
	for _, t := range o.Targets {
		m := o.Cluster.Member(t.Name)
		if m == nil {
			return nil, fmt.Errorf("member %s is not in the cluster %s", t.Name, o.Cluster.Initial())
		}
		p.Members = append(p.Members, Planned{*m, t.DataDir, t.WalDir})
	}
	var err error
	if p.Storage, err = storageChange(o.Base, o.As); err != nil {
		return nil, err
	}
	if err := p.checkBump(); err != nil {
		return nil, err
	}
	if err := p.checkApart(); err != nil {
		return nil, err
	}
	if err := p.checkVacant(); err != nil {
		return nil, err
	}
	p.Left = leftOut(p)
	return p, p.checkSpace()
}

// checkBump refuses a bump after which the store would be compacted up to a later revision than it has:
// as in etcdutl, it counts from the last record of the keys, which may be older than the compaction.
func (p *Plan) checkBump() error {
	if p.o.Bump == 0 {
		return nil
	}
	last := p.Base.LastKey.Main
	p.Revision = last + p.o.Bump
	if p.Revision <= p.Base.Revision && p.o.Replay == nil {
		return refuseBump(p.o.Bump, last, p.Base.Revision)
	}
	return nil
}

func refuseBump(bump, last, now int64) error {
	return refusef("--bump-revision %d counts from revision %d, that of the last key, and the store is at %d; "+
		"give %d at least", bump, last, now, now-last+1)
}

// lastIndex is that of the last entry of the new log, which has one a member.
func (p *Plan) lastIndex() uint64 { return uint64(len(p.Cluster.Members)) }

// term is that of all entries in the new log.
const term = 1

// vote is for the member of the smallest ID, as etcdutl has it.
func (p *Plan) vote() uint64 { return slices.Min(p.Cluster.ids()) }
