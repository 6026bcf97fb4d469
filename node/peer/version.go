package peer

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// minClusterVersion is the oldest cluster that etcd 3.4 to 3.7 work in, and so this member.
const minClusterVersion = "3.0.0"

// release is the major and the minor number of a version.
type release struct{ major, minor uint64 }

func (r release) before(other release) bool {
	return r.major < other.major || r.major == other.major && r.minor < other.minor
}

// parseVersion parses a version in the form 3.6.14, of which the last number may be followed by a
// suffix such as -rc.1 or +git.
func parseVersion(text string) (release, error) {
	number, _, _ := strings.Cut(text, "+")
	number, _, _ = strings.Cut(number, "-")
	parts := strings.Split(number, ".")
	if len(parts) != 3 {
		return release{}, fmt.Errorf("version %q, want the form 3.6.0", text)
	}
	var n [3]uint64
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return release{}, fmt.Errorf("version %q, want the form 3.6.0", text)
		}
		n[i] = v
	}
	return release{major: n[0], minor: n[1]}, nil
}

// checkOwnVersion refuses a version that isn't three numbers: some etcds die of it.
func checkOwnVersion(text string) error {
	if _, err := parseVersion(text); err != nil {
		return err
	}
	if strings.ContainsAny(text, "-+") {
		return fmt.Errorf("version %q, want three numbers only", text)
	}
	return nil
}

// version returns the one that others are told. A bad one is not: they keep hearing the last good one.
func (t *Etcd) version() string {
	text := t.cfg.Version()
	if err := checkOwnVersion(text); err != nil {
		t.warn("the version is no good", "error", err)
		return *t.told.Load()
	}
	if text != *t.told.Load() {
		t.told.Store(&text)
	}
	return text
}

// headerVersion returns the version that a header tells; that of etcd 2.0, which told none, if there is
// none.
func headerVersion(h http.Header, name string) (release, error) {
	text := h.Get(name)
	if text == "" {
		return release{major: 2}, nil
	}
	return parseVersion(text)
}

// compatible says whether the two members may talk to each other.
func compatible(h http.Header, own string) bool {
	server, err1 := headerVersion(h, headerServerVersion)
	least, err2 := headerVersion(h, headerMinClusterVersion)
	mine, err3 := parseVersion(own)
	oldest, err4 := parseVersion(minClusterVersion)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return false
	}
	return !server.before(oldest) && !mine.before(least)
}

// hasStreams says whether who answers has the two streams. etcd has since 2.1, and doesn't read those of
// a member that tells no version.
func hasStreams(h http.Header) bool {
	server, err := headerVersion(h, headerServerVersion)
	return err == nil && !server.before(release{major: 2, minor: 1})
}
