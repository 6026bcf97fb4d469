package restore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-semver/semver"

	"github.com/raftctl/raftctl/raftpb"
)

// Release is a minor release of etcd 3: 6 stands for 3.6.
type Release int64

// The releases whose form a new directory can have.
const (
	Release35 Release = 5
	Release36 Release = 6
	Release37 Release = 7
)

// Releases returns those whose form a new directory can have, the oldest first.
func Releases() []Release { return []Release{Release35, Release36, Release37} }

// String returns the release as etcd names it: "3.6".
func (r Release) String() string { return fmt.Sprintf("3.%d", int64(r)) }

// ParseRelease reads the name of one of Releases.
func ParseRelease(s string) (Release, error) {
	names := make([]string, 0, len(Releases()))
	for _, r := range Releases() {
		if s == r.String() {
			return r, nil
		}
		names = append(names, r.String())
	}
	return 0, fmt.Errorf("release %q, want one of %s", s, strings.Join(names, ", "))
}

// Flavor returns how the release encodes entries and snapshots.
func (r Release) Flavor() raftpb.Flavor {
	if r >= Release37 {
		return raftpb.FlavorPbgo
	}
	return raftpb.FlavorGogo
}

// releaseOf returns the release of a version such as "3.6.0".
func releaseOf(version string) (Release, error) {
	v, err := semver.NewVersion(version)
	if err != nil || v.Major != 3 {
		return 0, fmt.Errorf("version %.20q, want one of etcd 3", version)
	}
	return Release(v.Minor), nil
}

// newest is the last release that a new directory can be made for.
func newest() Release { return slices.Max(Releases()) }
