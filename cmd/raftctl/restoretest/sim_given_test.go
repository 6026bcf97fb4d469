package restoretest

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/wal"
)

// settle gives a member a database, as of an entry from its last snapshot on, and takes away the head of its log.
func (s *simRun) settle(m *simMember) {
	low := max(m.start.Index, uint64(len(s.members)))
	index := low + s.rng.Uint64N(max(m.state.Commit, low)-low+1)
	db := s.database(index)
	b, err := os.ReadFile(db.path)
	s.must(err)
	s.must(os.WriteFile(filepath.Join(m.snapDir(), "db"), b, 0o600))
	m.applied = db.applied
	names, err := filepath.Glob(m.path("member", "wal", "*.wal"))
	s.must(err)
	for i, name := range names {
		at, _ := wal.ParseSegmentName(filepath.Base(name))
		if i > 0 && at.Index <= m.start.Index && s.rng.IntN(2) == 0 {
			s.must(os.Remove(names[i-1]))
			for index := range m.held {
				if index < at.Index {
					delete(m.held, index)
				}
			}
			continue
		}
		if i > 0 {
			break
		}
	}
}

// simGiven is what a restore is given.
type simGiven struct {
	args  []string
	base  simDB
	logs  []*simMember
	reach uint64 // entries up to here have to be taken
	known uint64 // up to here they may be known to be committed

	until       string
	uncommitted bool
}

// give picks a base and logs, some of them damaged.
func (s *simRun) give(dir string) *simGiven {
	g := &simGiven{}
	order := s.rng.Perm(len(s.members))
	for _, i := range order[:s.rng.IntN(len(order)+1)] {
		g.logs = append(g.logs, s.members[i])
	}
	if len(g.logs) == 0 || s.rng.IntN(2) == 0 {
		m := s.any()
		g.base = simDB{applied: m.applied}
		g.logs = append(slices.DeleteFunc(g.logs, func(x *simMember) bool { return x == m }), m)
		g.args = append(g.args, "--from-member", m.path())
	} else {
		g.base = s.database(uint64(len(s.members)) + s.rng.Uint64N(uint64(len(s.truth)-len(s.members)+1)))
		g.args = append(g.args, s.backup(dir, g.base))
	}
	for i, m := range g.logs {
		g.known = max(g.known, m.saved.Commit, m.applied)
		if g.args[0] == "--from-member" && i == len(g.logs)-1 {
			break
		}
		path := m.path()
		if s.rng.IntN(4) == 0 {
			m = &simMember{simCluster: s.simCluster, name: m.name, damaged: true}
			g.logs[i] = m
			path = s.damaged(dir, path)
		}
		g.args = append(g.args, "--wal", path)
	}
	for g.reach = g.base.applied; g.has(g.reach + 1); g.reach++ {
	}
	return g
}

// has reports whether a log surely has an entry, and knows that it is committed.
func (g *simGiven) has(index uint64) bool {
	return slices.ContainsFunc(g.logs, func(m *simMember) bool {
		_, held := m.held[index]
		return held && index <= m.saved.Commit
	})
}

func (g *simGiven) hasDamage() bool {
	return slices.ContainsFunc(g.logs, func(m *simMember) bool { return m.damaged })
}

// backup writes a file of snapshot save.
func (s *simRun) backup(dir string, db simDB) string {
	b, err := os.ReadFile(db.path)
	s.must(err)
	sum := sha256.Sum256(b)
	name := filepath.Join(dir, "backup.db")
	s.must(os.WriteFile(name, append(b, sum[:]...), 0o600))
	return name
}

// damaged copies a member and changes its log.
func (s *simRun) damaged(dir, member string) string {
	to := filepath.Join(dir, "damaged "+filepath.Base(member))
	s.must(os.CopyFS(to, os.DirFS(member)))
	names, err := filepath.Glob(filepath.Join(to, "member", "wal", "*.wal"))
	s.must(err)
	name := names[s.rng.IntN(len(names))]
	b, err := os.ReadFile(name)
	s.must(err)
	end := len(strings.TrimRight(string(b), "\x00"))
	off := s.rng.IntN(max(end, 1))
	switch s.rng.IntN(5) {
	case 0:
		b = b[:off]
	case 1:
		clear(b[off:min(off+s.rng.IntN(600), len(b))])
	case 2: // what lay somewhere else
		copy(b[off:], slices.Clone(b[s.rng.IntN(off+1):end]))
	case 3:
		if len(names) > 1 {
			s.must(os.Remove(name))
			return to
		}
		fallthrough
	default:
		b[off] ^= 1 << s.rng.IntN(8)
	}
	s.must(os.WriteFile(name, b, 0o600))
	return to
}
