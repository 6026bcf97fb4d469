package outlook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/etcdwire"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// judge plays through what one group of releases does in applying the entries that it reads.
type judge struct {
	o       *Outlook
	self    uint64 // the member's ID
	minor   version
	newest  version // the newest that a cluster is known to have run
	members decode.Members
	target  *version // of the downgrade that is under way from the beginning; nil if none is
	first   uint64   // the first entry that is known
	last    uint64   // the last entry that is known as they read it
	fresh   bool     // there is no database: every entry is applied to an empty one
	whole   bool     // applied from the beginning: every member that ever was is known
	commits bool     // beyond the last commit, as the only voter
	ended   bool     // at a stop, or where nothing more is applied for certain
}

// version is a minor version of etcd.
type version struct{ major, minor int }

// parseVersion parses the first two numbers of a version. ok is false for what isn't one.
func parseVersion(s string) (v version, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 {
		return v, false
	}
	var errMajor, errMinor error
	v.major, errMajor = strconv.Atoi(parts[0])
	v.minor, errMinor = strconv.Atoi(parts[1])
	return v, errMajor == nil && errMinor == nil
}

func (v version) less(w version) bool {
	return v.major < w.major || v.major == w.major && v.minor < w.minor
}

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

// newJudge returns a judge of the releases of an outlook, which start from a snapshot with the
// given membership: nil if it isn't known.
func newJudge(o *Outlook, self uint64, conf *raftpb.ConfState) *judge {
	j := &judge{o: o, self: self, whole: o.Read.Start.Index == 0, last: o.Read.Last.Index}
	j.minor, _ = parseVersion(o.Read.From)
	for _, strange := range [][]wal.IndexRange{o.Read.Ghosts, o.Read.Unexplained} {
		if len(strange) > 0 && strange[0].First <= j.last {
			j.last = strange[0].First - 1
			o.Unjudged = joinText(o.Unjudged, fmt.Sprintf("nor what applying entry %d and those behind "+
				"it comes to", strange[0].First))
		}
	}
	if !j.whole {
		// A membership that there can't be is as good as an unknown one.
		_ = j.members.Restore(o.Read.Start.Index, conf)
	}
	return j
}

// again returns the judge as it was before it applied anything, for a database in which a downgrade
// is under way.
func (j *judge) again(target version, conf *raftpb.ConfState) *judge {
	*j.o = Outlook{Read: j.o.Read, Action: j.o.Read.Action, Unjudged: notLookedAt}
	k := newJudge(j.o, j.self, conf)
	k.fresh, k.newest, k.first = j.fresh, j.newest, j.first
	k.target = &target
	return k
}

// soleVoter reports whether the member is the only one that votes, so that what it has is
// committed.
func (j *judge) soleVoter() bool {
	conf, ok := j.members.ConfState()
	return ok && slices.Equal(conf.Voters, []uint64{j.self}) && len(conf.VotersOutgoing) == 0
}

// step is an entry that is applied, as etcd's decoders see it.
type step struct {
	entry   *raftpb.Entry
	pos     wal.Position
	asked   *decode.Request
	request [2]request // by decoder, of a normal entry with data
}

// newStep returns the step of an entry. It is valid as long as the entry and the request are.
func newStep(e *raftpb.Entry, pos wal.Position, asked *decode.Request) *step {
	s := &step{entry: e, pos: pos, asked: asked}
	// What the decoder can't make out is judged by etcd's own rules.
	_ = decode.Payload(asked, e)
	if e.Type == raftpb.EntryNormal && len(e.Data) > 0 {
		for _, d := range []etcdwire.Decoder{etcdwire.Gogo, etcdwire.Google} {
			s.request[d] = readRequest(e.Data, d)
		}
	}
	return s
}

// pass takes in that the entries up to an index, behind the last one that was applied, end nothing.
func (j *judge) pass(to uint64) {
	next := max(j.o.Applied, j.o.Read.Start.Index) + 1
	if to = min(to, j.last); j.ended || to < next {
		return
	}
	if next >= j.first { // else the membership lacks what was before
		j.members.Pass(to)
	}
	commit := j.o.Read.State.Commit
	if to > commit && !j.commits && !j.soleVoter() {
		j.o.Applied = max(j.o.Applied, min(commit, to))
		j.end(max(next, commit+1))
		return
	}
	j.commits = to > commit
	j.o.Applied = to
}

// end takes in that nothing is applied for certain from an entry on.
func (j *judge) end(index uint64) {
	j.ended = true
	j.o.Unjudged = joinText(j.o.Unjudged, fmt.Sprintf("applying %s is up to the other members",
		wal.IndexRange{First: index, Last: j.o.Read.Last.Index}))
}

// apply takes in the next entry.
func (j *judge) apply(s *step) {
	index := s.entry.Index
	if j.ended || index <= j.o.Read.Start.Index || index > j.last {
		return
	}
	if index > j.o.Read.State.Commit && !j.commits && !j.soleVoter() {
		j.end(index)
		return
	}
	// What it commits as the only voter it does before it applies any of that.
	j.commits = index > j.o.Read.State.Commit
	t, detail := j.trigger(s)
	if rule := ruleFor(t, &j.o.Read); rule != nil {
		j.stop(rule.stop(detail), s)
		return
	}
	j.o.Applied = index
}

func (j *judge) stop(stop *Stop, s *step) {
	stop.Entry, stop.Pos = s.entry.ID(), s.pos
	j.o.Stop, j.o.Action, j.ended = stop, stop.Action, true
}

// decoder returns what the releases decode with.
func (j *judge) decoder() etcdwire.Decoder {
	if j.minor.less(version{3, 7}) {
		return etcdwire.Gogo
	}
	return etcdwire.Google
}

// trigger returns what about an entry may end a release, and a detail for its words. It follows the
// membership on the way.
func (j *judge) trigger(s *step) (t trigger, detail string) {
	_, err := j.members.Apply(s.entry.Index, s.asked)
	panics := errors.Is(err, decode.ErrPanics)
	switch {
	case s.entry.Type == raftpb.EntryConfChange:
		return j.confChange(s.entry.Data, err)
	case s.entry.Type != raftpb.EntryNormal:
		return triggerEntryType, ""
	case len(s.entry.Data) == 0:
		return "", ""
	}
	r := &s.request[j.decoder()]
	switch {
	case r.fault != "" && s.request[etcdwire.Gogo].v2 != nil:
		return triggerV2Request, r.fault
	case r.fault != "":
		return triggerUndecodable, r.fault
	case r.v2 != nil:
		return j.v2Request(r.v2, s.entry.Index, panics)
	case !r.named && (!j.minor.less(version{3, 5}) || !j.inDatabase(s.entry.Index)):
		return triggerNoHeader, ""
	}
	return j.request(r, s.entry.Index, panics)
}

// inDatabase reports whether the database holds what an entry did: it is taken to be up to date
// with the last commit.
func (j *judge) inDatabase(index uint64) bool { return !j.fresh && index <= j.o.Read.State.Commit }

// confChange looks at a change of the membership, and at what applying it came to.
func (j *judge) confChange(data []byte, err error) (t trigger, detail string) {
	if fault := decode.WireConfChange().Check(data, j.decoder()); fault != nil {
		return triggerUndecodable, fault.Text
	}
	var cc raftpb.ConfChange
	if cc.UnmarshalAlias(data) != nil || errors.Is(err, decode.ErrRefused) {
		return "", ""
	}
	var context struct {
		ID        uint64
		PeerURLs  []string
		IsPromote bool
	}
	switch panics := errors.Is(err, decode.ErrPanics); {
	case panics && cc.Type == raftpb.ConfChangeRemoveNode:
		return triggerNoVoters, ""
	case panics && json.Unmarshal(cc.Context, &context) != nil:
		return triggerContext, ""
	case panics && context.ID != cc.NodeID:
		return triggerMemberID, ""
	case cc.Type == raftpb.ConfChangeRemoveNode && cc.NodeID == j.self:
		return triggerRemoved, ""
	case panics, cc.Type == raftpb.ConfChangeRemoveNode, cc.NodeID == j.self, json.Unmarshal(cc.Context, &context) != nil, context.IsPromote:
		return "", ""
	}
	if _, err := types.NewURLs(context.PeerURLs); err != nil {
		return triggerPeerURLs, ""
	}
	return "", ""
}

// request looks at the requests of releases from 3.5 on that can end a server. 3.4 doesn't know
// them, and passes over those that its database has.
func (j *judge) request(r *request, index uint64, panics bool) (t trigger, detail string) {
	switch {
	case j.minor.less(r.since) && !j.inDatabase(index):
		return triggerNotKnown, ""
	case j.minor.less(version{3, 5}):
	case r.setsVer:
		return j.setVersion(r.version, index)
	case r.setsAttr && panics && j.whole:
		return triggerAttr, strconv.FormatUint(r.member, 16)
	}
	return "", ""
}

func (j *judge) v2Request(r *v2Request, index uint64, panics bool) (t trigger, detail string) {
	if member, ok := r.attrOf(); ok {
		if panics && j.whole && json.Valid([]byte(r.value)) {
			return triggerAttr, member
		}
		return "", ""
	}
	if v, ok := r.versionSet(); ok {
		return j.setVersion(v, index)
	}
	return triggerV2Custom, ""
}

// setVersion is about a cluster version. 3.5 takes one that is higher than its own, if that is what
// a downgrade starts from. From 3.6 on, the database of a cluster has a version that goes with it
// and is looked at before anything is applied.
func (j *judge) setVersion(s string, index uint64) (t trigger, detail string) {
	if target := j.downgrade(); target != nil && j.minor == (version{3, 5}) {
		if *target != j.minor {
			return triggerDowngrade, ""
		}
		return "", ""
	}
	v, ok := parseVersion(s)
	switch {
	case !ok || !j.minor.less(v):
		return "", ""
	case !j.minor.less(version{3, 6}) && j.inDatabase(index) && !j.newest.less(v):
		return triggerStorage, v.String()
	}
	return triggerVersion, v.String()
}

// downgrade returns the version that the downgrade under way goes to; nil if none is.
func (j *judge) downgrade() *version {
	s, lowering := j.members.Downgrade()
	if v, ok := parseVersion(s); ok && lowering {
		return &v
	}
	return j.target
}

// notLookedAt is what every outlook on applying leaves open.
const notLookedAt = "the database was not looked at"

// joinText joins two remarks.
func joinText(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
