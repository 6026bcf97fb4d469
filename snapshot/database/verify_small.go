package database

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coreos/go-semver/semver"
)

// newest is the last release whose databases this package knows.
const newest = "3.8.0"

// checkBuckets checks which buckets there are, and reports whether it is a database of etcd at all. Where
// not all of them could be read, none is missing.
func (v *verification) checkBuckets(names []string, all bool) bool {
	known := 0
	var unknown []string
	for _, n := range names {
		if isBucket(n) {
			known++
		} else {
			unknown = append(unknown, fmt.Sprintf("%.40q", n))
		}
	}
	switch {
	case len(names) == 0 && !all:
		return false
	case len(names) == 0:
		v.found.addf(ClassNoBuckets, "no bucket at all: etcd died before it had stored anything")
		return false
	case known == 0:
		v.found.addf(ClassNotEtcd, "buckets %s, want %s", list(unknown), strings.Join(BucketNames(), ", "))
		return false
	}
	for _, b := range buckets {
		if all && b.required && !slices.Contains(names, b.name) {
			v.found.add(Finding{Class: ClassBucketMissing, Bucket: b.name, Evidence: "not there"})
		}
	}
	if len(unknown) > 0 {
		v.found.addf(ClassBucketUnknown, "%s", list(unknown))
	}
	return true
}

// list joins names, not too many of them.
func list(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d others", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// checkMeta checks what the buckets meta and cluster say.
func (v *verification) checkMeta(m *Meta) {
	for _, ver := range []struct{ what, version string }{
		{"storage version", m.StorageVersion}, {"cluster version", m.ClusterVersion},
	} {
		if ver.version != "" && semver.New(ver.version).Compare(*semver.New(newest)) > 0 {
			v.found.addf(ClassFuture, "%s %s, and raftctl knows them up to %s", ver.what, ver.version, newest)
		}
	}
	switch {
	case !v.metaRead: // one of the marks may be there
	case m.Compacted > m.Finished:
		v.found.addf(ClassUnfinished, "asked for up to %d, done up to %d", m.Compacted, m.Finished)
	case m.Scheduled < m.Finished:
		v.found.addf(ClassCompactionMark, "done up to %d, but asked for up to %d only", m.Finished, m.Scheduled)
	}
}

// checkIndex checks that a database with revisions says how far the log was applied.
func (v *verification) checkIndex(m *Meta, revisions int64) {
	if m.ConsistentIndex == 0 && revisions > 0 {
		v.found.add(Finding{Class: ClassNoIndex, Bucket: bucketMeta, Evidence: fmt.Sprintf(
			"no consistent_index, but %d revisions: a member would apply its whole log once more", revisions)})
	}
}

// checkLeases checks that the leases to which keys are attached exist.
func (v *verification) checkLeases(keys map[int64]int64, leases []Lease) {
	for _, l := range leases {
		delete(keys, l.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		v.found.add(Finding{Class: ClassLeaseMissing, Bucket: bucketLease,
			Evidence: fmt.Sprintf("lease %x, to which %d keys are attached", uint64(id), keys[id])})
	}
}

// checkMembers checks that the members are those of raft's configuration, and none was removed.
func (v *verification) checkMembers(m *Members, meta *Meta) {
	for _, member := range m.Members {
		if _, ok := slices.BinarySearch(m.Removed, member.ID); ok {
			v.found.add(Finding{Class: ClassMemberRemoved, Bucket: bucketMembers,
				Evidence: fmt.Sprintf("member %x is also in %s", member.ID, bucketRemoved)})
		}
	}
	if meta.ConfState == nil || len(m.Members) == 0 {
		return
	}
	var voters, learners []uint64
	for _, member := range m.Members {
		if member.Learner {
			learners = append(learners, member.ID)
		} else {
			voters = append(voters, member.ID)
		}
	}
	c := meta.ConfState
	raftVoters := slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.Voters, c.VotersOutgoing))))
	raftLearners := slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.Learners, c.LearnersNext))))
	if !slices.Equal(voters, raftVoters) || !slices.Equal(learners, raftLearners) {
		v.found.add(Finding{Class: ClassMembers, Bucket: bucketMembers, Evidence: fmt.Sprintf(
			"members %s; raft has %s, which a restore leaves behind until the next change of members",
			idList(voters, learners), idList(raftVoters, raftLearners))})
	}
}

// idList lists IDs for people.
func idList(voters, learners []uint64) string {
	names := make([]string, 0, len(voters)+len(learners))
	for _, id := range voters {
		names = append(names, fmt.Sprintf("%x", id))
	}
	for _, id := range learners {
		names = append(names, fmt.Sprintf("%x (learner)", id))
	}
	if len(names) == 0 {
		return "none"
	}
	return list(names)
}

// checkAuth checks that users' roles exist, and that somebody can manage auth.
func (v *verification) checkAuth(a *Auth) {
	root := false
	for _, u := range a.Users {
		for _, role := range u.Roles {
			root = root || u.Name == "root" && role == "root"
			if _, ok := slices.BinarySearchFunc(a.Roles, role, func(r Role, name string) int {
				return cmp.Compare(r.Name, name)
			}); !ok {
				v.found.add(Finding{Class: ClassRoleMissing, Bucket: bucketUsers,
					Evidence: fmt.Sprintf("user %.80q has role %.80q, which doesn't exist", u.Name, role)})
			}
		}
	}
	if a.Enabled && !root {
		v.found.add(Finding{Class: ClassNoRoot, Bucket: bucketUsers, Evidence: "no user root with role root"})
	}
}

// checkAlarms reports alarms that are raised.
func (v *verification) checkAlarms(alarms []Alarm, m *Members) {
	for _, a := range alarms {
		if a.Kind == AlarmNone {
			continue
		}
		of := ""
		if !slices.ContainsFunc(m.Members, func(x Member) bool { return x.ID == a.Member }) && len(m.Members) > 0 {
			of = ", which is no member any more: it stays until somebody takes it back"
		}
		v.found.add(Finding{Class: ClassAlarm, Bucket: bucketAlarm,
			Evidence: fmt.Sprintf("%v of member %x%s", a.Kind, a.Member, of)})
	}
}
