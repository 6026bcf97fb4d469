package outlook

import (
	"fmt"
	"strconv"
	"strings"

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
	cluster *cluster
	ended   bool // at a stop, or where nothing more is applied for certain
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

// newJudge returns a judge of the releases of an outlook, which start from a snapshot with the given
// membership.
func newJudge(o *Outlook, self uint64, conf *raftpb.ConfState) *judge {
	j := &judge{o: o, self: self, cluster: newCluster(conf, o.Read.Start.Index == 0)}
	j.minor, _ = parseVersion(o.Read.From)
	return j
}

// step is an entry that is applied, as both of etcd's decoders see it.
type step struct {
	entry   *raftpb.Entry
	pos     wal.Position
	request [2]request // by decoder, of a normal entry with data
}

func newStep(e *raftpb.Entry, pos wal.Position) *step {
	s := &step{entry: e, pos: pos}
	if e.Type == raftpb.EntryNormal && len(e.Data) > 0 {
		for _, d := range []etcdwire.Decoder{etcdwire.Gogo, etcdwire.Google} {
			s.request[d] = readRequest(e.Data, d)
		}
	}
	return s
}

// apply takes in the next entry.
func (j *judge) apply(s *step) {
	index := s.entry.Index
	if j.ended || index <= j.o.Read.Start.Index || index > j.o.Read.Last.Index {
		return
	}
	if index > j.o.Read.State.Commit && !j.cluster.soleVoter(j.self) {
		j.ended = true
		j.o.Unjudged = joinText(j.o.Unjudged, fmt.Sprintf(
			"whether %s are applied is up to the other members",
			wal.IndexRange{First: index, Last: j.o.Read.Last.Index}))
		return
	}
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
	switch {
	case s.entry.Type == raftpb.EntryConfChange:
		return j.confChange(s.entry.Data)
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
		return j.v2Request(r.v2)
	case !r.named:
		return triggerNoHeader, ""
	}
	return j.request(r)
}

func (j *judge) confChange(data []byte) (t trigger, detail string) {
	if fault := decode.WireConfChange().Check(data, j.decoder()); fault != nil {
		return triggerUndecodable, fault.Text
	}
	var cc raftpb.ConfChange
	if err := cc.UnmarshalAlias(data); err != nil {
		return "", "" // etcd takes it, but nothing more is known
	}
	return j.cluster.change(&cc, j.self), ""
}

// request looks at the requests of releases from 3.5 on that can end a server. 3.4 doesn't know them,
// and passes over them.
func (j *judge) request(r *request) (t trigger, detail string) {
	switch {
	case j.minor.less(version{3, 5}):
	case r.setsVer:
		return j.setVersion(r.version)
	case r.setsAttr && !j.cluster.mayBe(r.member):
		return triggerAttr, strconv.FormatUint(r.member, 16)
	case r.downgrade != nil:
		j.cluster.downgrade = r.downgrade
	}
	return "", ""
}

func (j *judge) v2Request(r *v2Request) (t trigger, detail string) {
	if member, ok := r.attrOf(); ok {
		id, err := strconv.ParseUint(member, 16, 64)
		if err == nil && !j.cluster.mayBe(id) {
			return triggerAttr, member
		}
		return "", ""
	}
	if v, ok := r.versionSet(); ok {
		return j.setVersion(v)
	}
	return triggerV2Custom, ""
}

// setVersion is about a cluster version. 3.5 takes one that is higher than its own, if that is what a
// downgrade starts from.
func (j *judge) setVersion(s string) (t trigger, detail string) {
	v, ok := parseVersion(s)
	if d := j.cluster.downgrade; d != nil && d.enabled && j.minor == (version{3, 5}) {
		if target, ok := parseVersion(d.target); ok && target != j.minor {
			return triggerDowngrade, ""
		}
		return "", ""
	}
	if ok && j.minor.less(v) {
		return triggerVersion, v.String()
	}
	return "", ""
}

// joinText joins two remarks.
func joinText(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
