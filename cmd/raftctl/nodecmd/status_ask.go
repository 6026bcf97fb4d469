package nodecmd

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/raftctl/raftctl/cmd/raftctl/endpoint"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/remote"
)

// ask asks all members at once. The error is about how they are asked, such as a wrong certificate of ours.
func (o *statusOptions) ask(ctx context.Context) ([]*memberStatus, error) {
	if err := o.endpoint.AskPassword(ctx); err != nil {
		return nil, err
	}
	members, err := o.askAll(ctx, o.names)
	if err != nil || !o.cluster {
		return members, err
	}
	more, err := o.askAll(ctx, o.others(members))
	return append(members, more...), err
}

// mostAtOnce bounds how many members are asked at the same time.
const mostAtOnce = 16

func (o *statusOptions) askAll(ctx context.Context, names []string) ([]*memberStatus, error) {
	members := make([]*memberStatus, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	room := make(chan struct{}, mostAtOnce)
	for i := range names {
		wg.Go(func() {
			room <- struct{}{}
			members[i], errs[i] = askOne(ctx, names[i], o.endpoint.At(names[i]))
			<-room
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return members, errors.Join(errs...)
}

// askOne asks one member.
func askOne(ctx context.Context, name string, e *endpoint.Options) (*memberStatus, error) {
	m := &memberStatus{
		Endpoint: name, Verdict: verdict.OK, Problems: []string{}, Alarms: []alarm{}, Members: []knownMember{},
	}
	ctx, cancel := e.Bound(ctx)
	defer cancel()
	c, err := e.Dial(ctx)
	if config, ok := errors.AsType[*remote.ConfigError](err); ok {
		return nil, config
	}
	if err != nil {
		m.unasked(err)
		return m, nil
	}
	defer func() { _ = c.Close() }() // nothing was written to it
	status, err := c.Status(ctx)
	if err != nil {
		m.unasked(endpoint.Advise(err))
		return m, nil
	}
	m.take(status)
	known, err := c.Members(ctx)
	if err != nil {
		m.unasked(fmt.Errorf("members: %w", endpoint.Advise(err)))
		return m, nil
	}
	m.know(known)
	return m, nil
}

// unasked says that the member could not be asked, or not all.
func (m *memberStatus) unasked(err error) {
	m.Verdict, m.Error = verdict.Unchecked, ui.OneLine(err)
}

func (m *memberStatus) take(s *remote.Status) {
	m.ClusterID, m.MemberID = hexID(s.ClusterID), hexID(s.MemberID)
	m.Term, m.Index, m.Applied = s.RaftTerm, s.RaftIndex, s.RaftApplied
	m.Revision, m.Size, m.SizeInUse = s.Revision, s.Size, s.SizeInUse
	m.Version, m.StorageVersion, m.DowngradeTarget = s.Version, s.StorageVersion, s.DowngradeTarget
	switch {
	case s.Learner:
		m.Role = "learner"
	case s.Leader == 0:
		m.Role = "candidate"
	case s.Leader == s.MemberID:
		m.Role = "leader"
	default:
		m.Role = "follower"
	}
	if s.Leader != 0 {
		m.LeaderID = hexID(s.Leader)
	}
	for _, text := range s.Errors {
		if a, ok := parseAlarm(text); ok {
			m.Alarms = append(m.Alarms, a)
		} else if s.Leader != 0 || !strings.Contains(text, "no leader") {
			m.problem("%s", text)
		}
	}
}

func (m *memberStatus) know(members []remote.Member) {
	for _, k := range members {
		if hexID(k.ID) == m.MemberID {
			m.Name = k.Name
		}
		m.Members = append(m.Members, knownMember{
			ID: hexID(k.ID), Name: k.Name, Learner: k.Learner,
			PeerURLs: append([]string{}, k.PeerURLs...), ClientURLs: append([]string{}, k.ClientURLs...),
		})
	}
	slices.SortFunc(m.Members, func(a, b knownMember) int { return strings.Compare(a.ID, b.ID) })
}

// alarmText is how etcd tells an alarm among the errors of a status.
var alarmText = regexp.MustCompile(`^memberID:(\d+)\s+alarm:(\w+)\s*$`)

// parseAlarm reads an alarm. To ask for alarms would put an entry into the log.
func parseAlarm(text string) (alarm, bool) {
	found := alarmText.FindStringSubmatch(text)
	if found == nil {
		return alarm{}, false
	}
	id, err := strconv.ParseUint(found[1], 10, 64)
	return alarm{MemberID: hexID(id), Kind: found[2]}, err == nil
}

func hexID(id uint64) string { return strconv.FormatUint(id, 16) }

// others returns the members that those who were asked know and that were not asked, at the first URL that
// is told of each.
func (o *statusOptions) others(asked []*memberStatus) (names []string) {
	seen := map[string]bool{}
	for _, m := range asked {
		seen[m.MemberID] = true
	}
	for _, m := range asked {
		for _, k := range m.Members {
			if seen[k.ID] || len(k.ClientURLs) == 0 || slices.Contains(o.names, k.ClientURLs[0]) {
				continue
			}
			seen[k.ID] = true
			names = append(names, k.ClientURLs[0])
		}
	}
	return names
}
