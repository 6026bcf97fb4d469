package nodecmd

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
)

// farBehind is how many entries behind a member is when etcd's members refuse writes.
const farBehind = 5000

func (m *memberStatus) problem(format string, args ...any) {
	m.Verdict = verdict.Problem
	m.Problems = append(m.Problems, fmt.Sprintf(format, args...))
}

// judge finds the problems that members have, by themselves and with each other.
func judge(members []*memberStatus) {
	var answered []*memberStatus
	for _, m := range members {
		if m.MemberID != "" {
			answered = append(answered, m)
		}
	}
	highest := uint64(0)
	for _, m := range answered {
		highest = max(highest, m.Index)
	}
	for _, m := range answered {
		m.Lag = highest - min(m.Applied, highest)
		if m.LeaderID == "" {
			m.problem("it knows no leader")
		}
		for _, a := range m.Alarms {
			m.problem("alarm %s of member %s", a.Kind, a.MemberID)
		}
		if m.Lag >= farBehind {
			m.problem("its state is %d entries behind", m.Lag)
		}
	}
	if len(answered) > 0 {
		compare(answered)
	}
}

// compare finds what members don't agree on, by the first of them.
func compare(members []*memberStatus) {
	first := members[0]
	leaders := map[uint64]*memberStatus{} // by term, the first who knows one
	ids := map[string]*memberStatus{}
	for _, m := range members {
		if other := ids[m.MemberID]; other != nil {
			m.problem("it is the same member as %s", other.Endpoint)
		}
		ids[m.MemberID] = m
		if m.ClusterID != first.ClusterID {
			m.problem("it is of cluster %s, and %s is of %s", m.ClusterID, first.Endpoint, first.ClusterID)
			continue
		}
		if m.LeaderID != "" {
			if other := leaders[m.Term]; other == nil {
				leaders[m.Term] = m
			} else if other.LeaderID != m.LeaderID {
				m.problem("its leader of term %d is %s, and that of %s is %s", m.Term, m.LeaderID, other.Endpoint, other.LeaderID)
			}
		}
		compareMembers(m, first)
	}
}

// compareMembers finds whether two members know the same members. One that lags may not know of the last change.
func compareMembers(m, first *memberStatus) {
	if len(m.Members) == 0 || len(first.Members) == 0 || m.Lag > 0 || first.Lag > 0 {
		return
	}
	same := slices.EqualFunc(m.Members, first.Members, func(a, b knownMember) bool {
		return a.ID == b.ID && a.Learner == b.Learner
	})
	if !same {
		m.problem("it knows other members than %s", first.Endpoint)
	}
	if !slices.ContainsFunc(m.Members, func(k knownMember) bool { return k.ID == m.MemberID }) {
		m.problem("it is not among the members that it knows")
	}
}
