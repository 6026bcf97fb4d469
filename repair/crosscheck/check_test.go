package crosscheck

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// healthy is a member whose log has entries 11..40, of term 3 from 21 on, which starts from a snapshot of
// entry 20, and has applied entries up to 30.
func healthy() *Input {
	return &Input{
		View: &wal.View{
			Metadata: wal.Metadata{NodeID: 1, ClusterID: 9},
			State:    raftpb.HardState{Term: 3, Commit: 35},
			First:    raftpb.EntryID{Term: 2, Index: 11}, Last: raftpb.EntryID{Term: 3, Index: 40},
			Terms: []wal.TermStart{
				{EntryID: raftpb.EntryID{Term: 2, Index: 11}, N: 10},
				{EntryID: raftpb.EntryID{Term: 3, Index: 21}, N: 20},
			},
		},
		Starts: []Start{{Releases: "3.6", Entry: raftpb.EntryID{Term: 2, Index: 20}}},
		Files: []snapshot.File{
			{Name: "0000000000000002-0000000000000014.snap", Kind: snapshot.KindSnapshot, ID: raftpb.EntryID{Term: 2, Index: 20}},
			{Name: "db", Kind: snapshot.KindDatabase},
		},
		Database: &Database{
			Meta:    database.Meta{ConsistentIndex: 30, Term: 3},
			Members: database.Members{Members: []database.Member{{ID: 1}, {ID: 2}}},
		},
		Replay: &raftpb.ConfState{Voters: []uint64{2}, Learners: []uint64{1}},
	}
}

// begunAnew makes the log one that was begun anew, with the members of the cluster and nothing more.
func begunAnew(in *Input) {
	in.View = &wal.View{
		Metadata: in.View.Metadata, State: raftpb.HardState{Term: 1, Commit: 2},
		First: raftpb.EntryID{Term: 1, Index: 1}, Last: raftpb.EntryID{Term: 1, Index: 2},
		Terms: []wal.TermStart{{EntryID: raftpb.EntryID{Term: 1, Index: 1}, N: 2}},
	}
	in.Starts, in.Replay = []Start{{Releases: "3.6"}}, nil
}

// store sets what the newest .snap file says of the members.
func store(in *Input, removed []uint64, members ...snapshot.Member) {
	in.Store = &snapshot.Membership{Members: members, Removed: removed}
	in.Conf = &raftpb.ConfState{Voters: []uint64{2}, Learners: []uint64{1}}
}

func received(index uint64) snapshot.File {
	return snapshot.File{Name: snapshot.DBFileName(index), Kind: snapshot.KindReceived, ID: raftpb.EntryID{Index: index}}
}

func TestCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(in *Input)
		want   []Class
	}{
		"healthy":                {func(*Input) {}, nil},
		"no log":                 {func(in *Input) { in.View, in.Starts, in.Replay = nil, nil, nil }, nil},
		"an unreadable database": {func(in *Input) { in.Database = nil }, nil},
		"at the snapshot":        {func(in *Input) { in.Database.Meta.ConsistentIndex, in.Database.Meta.Term = 20, 2 }, nil},
		"at the end of the log":  {func(in *Input) { in.Database.Meta.ConsistentIndex, in.View.State.Commit = 40, 40 }, nil},
		"before the snapshot": {func(in *Input) {
			in.Database.Meta.ConsistentIndex, in.Database.Meta.Term = 19, 2
		}, []Class{ClassBehind}},
		"before the snapshot, whose database is there": {func(in *Input) {
			in.Database.Meta.ConsistentIndex, in.Database.Meta.Term = 19, 2
			in.Files = append(in.Files, received(20))
		}, []Class{ClassReceived}},
		"nothing applied yet": {func(in *Input) {
			in.Database.Meta = database.Meta{}
		}, []Class{ClassBehind}},
		"no database":                     {func(in *Input) { in.Database, in.Missing = nil, true }, []Class{ClassMissing}},
		"no database, and none is needed": {func(in *Input) { in.Database, in.Missing, in.Starts = nil, true, nil }, nil},
		"beyond the log":                  {func(in *Input) { in.Database.Meta.ConsistentIndex = 41 }, []Class{ClassAhead}},
		"beyond the commit":               {func(in *Input) { in.Database.Meta.ConsistentIndex = 36 }, []Class{ClassBeyond}},
		"another term":                    {func(in *Input) { in.Database.Meta.Term = 2 }, []Class{ClassTerm}},
		"a term that the log never saw":   {func(in *Input) { in.Database.Meta.Term = 4 }, []Class{ClassTerm}},
		"the term that 3.4 doesn't store": {func(in *Input) { in.Database.Meta.Term = 0 }, nil},
		"another member": {func(in *Input) {
			in.View.Metadata.NodeID, in.Database.Meta.ConsistentIndex, in.View.State.Commit = 7, 35, 35
		}, []Class{ClassForeign}},
		"a member that is yet to be added": {func(in *Input) { in.View.Metadata.NodeID = 7 }, nil},
		"a member that was removed": {func(in *Input) {
			in.View.Metadata.NodeID, in.Database.Meta.ConsistentIndex = 7, 35
			in.Database.Members.Removed = []uint64{7}
		}, []Class{ClassRemoved}},
		"begun anew under a database that has come far": {func(in *Input) { begunAnew(in) },
			[]Class{ClassRestarted}},
		"begun anew, and led since": {func(in *Input) {
			begunAnew(in)
			in.View.Last.Term, in.View.State.Term, in.View.Terms[0].Term = 3, 3, 3
		}, []Class{ClassAhead}},
		"begun anew, and the database too": {func(in *Input) {
			begunAnew(in)
			in.Database.Meta = database.Meta{}
		}, []Class{ClassRestarted}},
		"begun anew, with nothing that was there before": {func(in *Input) {
			begunAnew(in)
			in.Database.Meta, in.Files = database.Meta{}, nil
		}, nil},
		"two snapshots that a log from the beginning doesn't know": {func(in *Input) {
			in.View.First, in.View.Terms[0] = raftpb.EntryID{Term: 2, Index: 1}, wal.TermStart{
				EntryID: raftpb.EntryID{Term: 2, Index: 1}, N: 20}
			in.Files = append(in.Files, snapshot.File{Name: "0000000000000002-000000000000000a.snap",
				Kind: snapshot.KindSnapshot, ID: raftpb.EntryID{Term: 2, Index: 10}})
		}, []Class{ClassRestarted}},
		"one snapshot that a log from the beginning doesn't know": {func(in *Input) {
			in.View.First, in.View.Terms[0] = raftpb.EntryID{Term: 2, Index: 1}, wal.TermStart{
				EntryID: raftpb.EntryID{Term: 2, Index: 1}, N: 20}
		}, nil},
		"a store with raft's members": {func(in *Input) {
			store(in, []uint64{9}, snapshot.Member{ID: 1, Learner: true}, snapshot.Member{ID: 2})
		}, nil},
		"a store without members": {func(in *Input) { store(in, nil) }, nil},
		"a store with other members": {func(in *Input) {
			store(in, nil, snapshot.Member{ID: 1, Learner: true}, snapshot.Member{ID: 3})
		}, []Class{ClassStore}},
		"a store in which a learner votes": {func(in *Input) {
			store(in, nil, snapshot.Member{ID: 1}, snapshot.Member{ID: 2})
		}, []Class{ClassStore}},
		"a member that the store has removed": {func(in *Input) {
			store(in, []uint64{2}, snapshot.Member{ID: 1, Learner: true}, snapshot.Member{ID: 2})
		}, []Class{ClassStore}},
		"other members": {func(in *Input) { in.Replay.Voters = []uint64{3} }, []Class{ClassMembers}},
		"members that 3.4 has changed ahead of its index": {func(in *Input) {
			in.Database.Meta.Term, in.Later, in.Replay = 0, in.Replay, &raftpb.ConfState{Voters: []uint64{3}}
		}, nil},
		"members that 3.5 changes with its index": {func(in *Input) {
			in.Later, in.Replay = in.Replay, &raftpb.ConfState{Voters: []uint64{3}}
		}, []Class{ClassMembers}},
		"members that are leaving": {func(in *Input) { in.Replay = &raftpb.ConfState{Voters: []uint64{1}, VotersOutgoing: []uint64{1, 2}} }, nil},
		"a snapshot that nobody starts from": {func(in *Input) {
			in.Files = append(in.Files, snapshot.File{Name: "x.snap", Kind: snapshot.KindSnapshot, ID: raftpb.EntryID{Term: 3, Index: 31}})
		}, []Class{ClassSnapAhead}},
		"leftovers": {func(in *Input) {
			in.Files = append(in.Files, received(20), received(50), snapshot.File{Name: "x.broken", Kind: snapshot.KindBroken},
				snapshot.File{Name: "tmp1", Kind: snapshot.KindTemp}, snapshot.File{Name: "db.tmp.1", Kind: snapshot.KindDefrag})
		}, []Class{ClassReceived, ClassReceived, ClassLeftover, ClassLeftover, ClassLeftover}},
	} {
		t.Run(name, func(t *testing.T) {
			in := healthy()
			tc.change(in)
			var got []Class
			for _, f := range Check(in) {
				got = append(got, f.Class)
				if f.Evidence == "" || f.File == "" && f.Class != ClassRestarted || f.Severity != severityOf(f.Class) {
					t.Errorf("%+v", f)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
