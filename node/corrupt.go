package node

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// peerHash is what another member says of its keys.
type peerHash struct {
	member uint64
	answer *etcdserverpb.HashKVResponse // nil: err says why
	err    error
}

// checkAtStart compares the keys with those of the other members, if that is asked for: a member whose keys differ
// from another's doesn't start. Members that can't be asked, or are at another revision, say nothing.
func (n *Node) checkAtStart(ctx context.Context) error {
	if !n.cfg.InitialCorruptCheck {
		return nil
	}
	own, _, err := n.store.HashKV(0)
	if err != nil {
		return fmt.Errorf("hash of the keys: %w", err)
	}
	var differ []string
	for _, p := range n.hashesOfPeers(ctx, own.Revision) {
		switch {
		case p.err != nil:
			n.log.Warn("the keys weren't compared with a member's", "member", hex(p.member), "error", p.err)
		case p.answer.Hash == own.Hash:
		case p.answer.CompactRevision != own.CompactRevision:
			n.log.Warn("a member is compacted up to another revision", "member", hex(p.member),
				"revision", p.answer.CompactRevision, "own", own.CompactRevision)
		default:
			differ = append(differ, hex(p.member))
		}
	}
	if len(differ) > 0 {
		return withDoctor(n.cfg.DataDir, fmt.Errorf("at revision %d, the keys differ from those of member %s",
			own.Revision, strings.Join(differ, ", ")))
	}
	return nil
}

// checkPeriodically compares the keys of all members, while this one leads, and raises an alarm about one whose
// keys are others.
func (n *Node) checkPeriodically() {
	for n.cfg.CorruptCheckInterval > 0 && n.pause(n.cfg.CorruptCheckInterval, nil) {
		if !n.standing.leads() {
			continue
		}
		if err := n.checkAll(n.ctx); err != nil && n.ctx.Err() == nil {
			n.log.Warn("the keys of the members weren't compared", "error", err)
		}
	}
}

func (n *Node) checkAll(ctx context.Context) error {
	first, _, err := n.store.HashKV(0)
	if err != nil {
		return err
	}
	peers := n.hashesOfPeers(ctx, first.Revision)
	if err := n.Read(ctx); err != nil {
		return err
	}
	second, revision, err := n.store.HashKV(0)
	if err != nil {
		return err
	}
	wrong, why := findCorrupt(n.standing.id, ownHashes{first, second, revision}, peers)
	if why != "" {
		n.foundCorrupt(ctx, wrong, why)
	}
	return nil
}

// ownHashes are the hashes of the leader's keys before and after the others were asked.
type ownHashes struct {
	before, after mvcc.KeyValueHash
	revision      int64 // at the end
}

// findCorrupt returns the first member whose keys can't be right, and why; "" if there is none. Nobody can be
// ahead of a leader that has read since.
func findCorrupt(self uint64, own ownHashes, peers []peerHash) (member uint64, why string) {
	a, b := own.before, own.after
	if a.Revision == b.Revision && a.CompactRevision == b.CompactRevision && a.Hash != b.Hash {
		return self, fmt.Sprintf("hash %d, then %d, at revision %d", a.Hash, b.Hash, a.Revision)
	}
	for _, p := range peers {
		if p.answer == nil {
			continue
		}
		switch r := p.answer; {
		case r.Header.Revision > own.revision:
			return p.member, fmt.Sprintf("it is at revision %d, the leader at %d", r.Header.Revision, own.revision)
		case r.CompactRevision > b.CompactRevision:
			return p.member, fmt.Sprintf("it is compacted up to %d, the leader up to %d", r.CompactRevision, b.CompactRevision)
		case r.CompactRevision == a.CompactRevision && r.Hash != a.Hash:
			return p.member, fmt.Sprintf("hash %d, the leader has %d, at revision %d", r.Hash, a.Hash, a.Revision)
		}
	}
	return 0, ""
}

// checkCompactions compares what all members had after the same compactions, while this member leads.
func (n *Node) checkCompactions() {
	interval := cmp.Or(n.cfg.CompactHashInterval, time.Minute)
	var checked int64 // the latest revision at which all members agreed
	for !n.cfg.NoCompactHashCheck && n.pause(interval, nil) {
		if n.standing.leads() {
			checked = max(checked, n.checkHashes(n.ctx, checked))
			n.log.Info("finished compaction hash check", "revision", checked)
		}
	}
}

// checkHashes compares the hashes of compactions, the latest first, until all members could be compared at
// one, and returns its revision; 0 if there is none behind the one that was checked.
func (n *Node) checkHashes(ctx context.Context, checked int64) int64 {
	hashes := n.store.KV().HashStorage().Hashes()
	slices.SortFunc(hashes, func(a, b mvcc.KeyValueHash) int { return cmp.Compare(b.Revision, a.Revision) })
	for _, own := range hashes {
		if own.Revision <= checked || ctx.Err() != nil {
			return 0
		}
		peers := n.hashesOfPeers(ctx, own.Revision)
		if len(peers) == 0 {
			return 0
		}
		wrong, all := findMinority(n.standing.id, own, peers)
		for _, id := range wrong {
			n.foundCorrupt(ctx, id, fmt.Sprintf("another hash than most at revision %d, after a compaction", own.Revision))
		}
		switch {
		case len(wrong) > 0: // the next round tries again
			return 0
		case all:
			return own.Revision
		}
	}
	return 0
}

// findMinority returns the members whose hash isn't the majority's, member 0, which stands for all, if there is
// no majority for any; and whether all could be compared.
func findMinority(self uint64, own mvcc.KeyValueHash, peers []peerHash) (wrong []uint64, all bool) {
	with := map[uint32][]uint64{own.Hash: {self}}
	compared := 0
	for _, p := range peers {
		if p.answer != nil && p.answer.CompactRevision == own.CompactRevision {
			with[p.answer.Hash] = append(with[p.answer.Hash], p.member)
			compared++
		}
	}
	if len(with) == 1 {
		return nil, compared == len(peers)
	}
	majority := false
	for _, members := range with {
		if len(members) > (len(peers)+1)/2 {
			majority = true
			continue
		}
		wrong = append(wrong, members...)
	}
	if !majority {
		return []uint64{0}, true
	}
	slices.Sort(wrong)
	return wrong, true
}

// foundCorrupt raises the alarm about a member, unless it is raised.
func (n *Node) foundCorrupt(ctx context.Context, member uint64, why string) {
	n.log.Error("the keys of a member are others", "member", hex(member), "why", why)
	for _, a := range n.store.Alarms() {
		if a.Alarm == etcdserverpb.AlarmType_CORRUPT && a.MemberID == member {
			return
		}
	}
	n.raiseAlarm(ctx, member, etcdserverpb.AlarmType_CORRUPT)
}

// hashesOfPeers asks all other members at once for the hash of their keys at a revision.
func (n *Node) hashesOfPeers(ctx context.Context, revision int64) []peerHash {
	ctx, cancel := context.WithTimeout(ctx, n.RequestTimeout())
	defer cancel()
	var peers []peerHash
	urls := map[uint64][]string{}
	for _, m := range n.store.Cluster().Members() {
		if uint64(m.ID) != n.standing.id && len(m.PeerURLs) > 0 {
			peers = append(peers, peerHash{member: uint64(m.ID)})
			urls[uint64(m.ID)] = m.PeerURLs
		}
	}
	var all sync.WaitGroup
	for i := range peers {
		p := &peers[i]
		all.Go(func() { p.answer, p.err = n.askHash(ctx, urls[p.member], revision) })
	}
	all.Wait()
	return peers
}

// askHash asks a member for the hash of its keys, at each of its URLs until one answers.
func (n *Node) askHash(ctx context.Context, urls []string, revision int64) (*etcdserverpb.HashKVResponse, error) {
	var errs []error
	for _, url := range urls {
		h, err := n.askHashAt(ctx, url, revision)
		if err == nil {
			return h, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (n *Node) askHashAt(ctx context.Context, url string, revision int64) (*etcdserverpb.HashKVResponse, error) {
	body, err := json.Marshal(&etcdserverpb.HashKVRequest{Revision: revision})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+hashPath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(clusterHeader, hex(n.cluster))
	a, err := ask(n.transport.Client(), req)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, hashError(a)
	}
	h := new(etcdserverpb.HashKVResponse)
	if err := json.Unmarshal(a.body, h); err != nil {
		return nil, fmt.Errorf("%s%s: %w", url, hashPath, err)
	}
	if h.Header == nil {
		return nil, fmt.Errorf("%s%s: an answer without a header", url, hashPath)
	}
	return h, nil
}

// hashError is what an answer says that isn't a hash.
func hashError(a *answer) error {
	text := string(a.body)
	for _, known := range []struct {
		status int
		says   error
		err    error
	}{
		{http.StatusBadRequest, mvcc.ErrCompacted, rpctypes.ErrCompacted},
		{http.StatusBadRequest, mvcc.ErrFutureRev, rpctypes.ErrFutureRev},
		{http.StatusPreconditionFailed, errors.New("cluster ID mismatch"), rpctypes.ErrClusterIDMismatch},
	} {
		if a.status == known.status && strings.Contains(text, known.says.Error()) {
			return known.err
		}
	}
	return fmt.Errorf("status %d: %.200q", a.status, text)
}
