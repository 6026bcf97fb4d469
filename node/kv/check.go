package kv

import (
	"errors"
	"fmt"

	"github.com/coreos/go-semver/semver"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/raftpb"
)

// Check refuses an entry that no member writes and that etcd 3.7 can't apply: one that has it in its log ends when it is
// committed, and then at each start. What depends on the members that there are, only [Store.Apply] tells: attributes
// of one that is unknown, the removal of the last voter. What clients of the v2 store asked for is refused unless v2, as
// 3.5 takes it; what the members of a cluster wrote in that form is not: their logs begin with it.
func Check(e *raftpb.Entry, v2 bool) error {
	if err := checkEntry(e, v2); err != nil {
		return &EntryError{e.ID(), err}
	}
	return nil
}

var errV2 = errors.New("a request of the v2 store, which 3.6 and later don't take")

func checkEntry(e *raftpb.Entry, v2 bool) error {
	switch e.Type {
	case raftpb.EntryNormal:
		if len(e.Data) == 0 {
			return nil
		}
		switch req, err := parseRequest(e.Data); {
		case err != nil:
			return err
		case req != nil:
			return checkRequest(req)
		case !v2:
			return errV2
		}
		return nil
	case raftpb.EntryConfChange:
		return checkConfChange(e.Data)
	}
	return fmt.Errorf("%w of type %d", errUnknown, e.Type)
}

// checkRequest refuses what etcd's membership panics on, now or when it is opened the next time, whatever members there
// are.
func checkRequest(req *etcdserverpb.InternalRaftRequest) error {
	if set := req.ClusterVersionSet; set != nil {
		return checkVersion("the cluster", set.Ver)
	}
	if set := req.ClusterMemberAttrSet; set != nil && set.MemberAttributes == nil {
		return fmt.Errorf("attributes of member %x: there are none", set.Member_ID)
	}
	if set := req.DowngradeInfoSet; set != nil && set.Enabled {
		if _, err := semver.NewVersion(set.Ver); err != nil {
			return fmt.Errorf("version of a downgrade: %w", err)
		}
	}
	return nil
}

func checkConfChange(data []byte) error {
	var cc raftpb.ConfChange
	if err := cc.Unmarshal(data); err != nil {
		return fmt.Errorf("no change of the membership: %w", err)
	}
	if cc.Type == raftpb.ConfChangeRemoveNode {
		return nil
	}
	m, err := parseContext(&cc)
	if err != nil {
		return err
	}
	return checkContext(&cc, m)
}
