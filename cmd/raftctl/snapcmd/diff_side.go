package snapcmd

import (
	"context"
	"errors"
	"iter"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/endpoint"
	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/snapshot/remote"
)

// side is one of the two states that are compared.
type side struct {
	name     string // as given, without the revision
	revision int64  // 0 for the newest

	isEndpoint bool
	endpoint   *endpoint.Options
	client     *remote.Client

	source paths.Options
	member *datadir.Member
	db     *database.DB
	shared bool // db is that of the other side

	damage damageTold

	done, total int64  // bytes read, and of how many
	progress    func() // is told when they change; it may be nil
}

// newSide takes an argument apart.
func newSide(cmd *cobra.Command, a *ui.App, arg string) (*side, error) {
	s := &side{name: arg}
	if at := strings.LastIndexByte(arg, '@'); at > 0 && !exists(a, arg) {
		n, err := strconv.ParseInt(arg[at+1:], 10, 64)
		if err != nil || n < 1 {
			return nil, ui.Usagef(cmd, "%s: %q is no revision, and no file has that name", ui.Quote(arg), arg[at+1:])
		}
		s.name, s.revision = arg[:at], n
	}
	s.isEndpoint = endpoint.Is(a, s.name)
	return s, nil
}

// exists reports whether a path, which may lead on into an archive, is there as it is.
func exists(a *ui.App, name string) bool {
	_, err := os.Lstat(a.Path(name))
	if err == nil || !errors.Is(err, syscall.ENOTDIR) {
		return err == nil
	}
	m, err := datadir.FindPath(name, datadir.Options{Dir: a.Dir, State: true})
	if err != nil {
		return false
	}
	_ = m.Close() // opened for reading
	return true
}

// keys opens the state and yields its keys. What is damaged is noted, and passed over. A path that the
// other side has open is not opened twice.
func (s *side) keys(
	ctx context.Context, a *ui.App, prefix string, other *side,
) (iter.Seq2[*database.KeyValue, error], error) {
	if s.isEndpoint {
		return s.remoteKeys(ctx, prefix)
	}
	if other != nil && other.db != nil && other.name == s.name {
		s.db, s.shared = other.db, true
	} else if err := s.open(ctx, a); err != nil {
		return nil, err
	}
	q := database.Query{Revision: s.revision, Prefix: []byte(prefix), Progress: func(done, total int64) {
		s.done, s.total = done, total
		if s.progress != nil {
			s.progress()
		}
	}}
	return func(yield func(*database.KeyValue, error) bool) {
		for kv, err := range s.db.Keys(ctx, q) {
			if err != nil {
				if err = s.damage.take(ctx, err); err == nil {
					continue
				}
				kv, err = nil, failure{revisionError(s.name, err)}
			}
			if !yield(kv, err) {
				return
			}
		}
	}, nil
}

// failure is an error that ends a diff.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func (s *side) open(ctx context.Context, a *ui.App) (err error) {
	if s.member, err = find(a, &s.source, s.name, false); err != nil {
		return err
	}
	if s.db, err = openDatabase(ctx, a, s.member, s.name, false); err != nil {
		return err
	}
	sayCopied(a, "diff", s.name, s.db)
	return nil
}

func (s *side) remoteKeys(ctx context.Context, prefix string) (iter.Seq2[*database.KeyValue, error], error) {
	c, err := s.endpoint.Dial(ctx)
	if err != nil {
		return nil, err
	}
	s.client = c
	return func(yield func(*database.KeyValue, error) bool) {
		ctx, cancel := s.endpoint.Bound(ctx)
		defer cancel()
		for kv, err := range c.Keys(ctx, remote.Query{Prefix: prefix, Revision: s.revision}) {
			if err != nil {
				err = failure{endpoint.Advise(err)}
			}
			if !yield(kv, err) {
				return
			}
		}
	}, nil
}

// close closes what was opened.
func (s *side) close() error {
	if s == nil {
		return nil
	}
	if s.client != nil {
		_ = s.client.Close() // nothing was written to it
	}
	if s.db != nil && !s.shared {
		_ = s.db.Close() // opened for reading
	}
	if s.member != nil {
		_ = s.member.Close() // likewise
	}
	return nil
}
