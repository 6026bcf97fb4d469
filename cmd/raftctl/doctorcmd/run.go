package doctorcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/etcdlog"
)

// visit is one run of the command.
type visit struct {
	a       *ui.App
	o       *options
	members []*repair.Member
	unread  []unread
	found   *repair.Diagnosis
	log     *etcdlog.Report // nil if none was given

	by    string  // what tells of the only path, where none was given
	other []found // the places that were found besides
}

// unread is a path that could not be read.
type unread struct {
	path string
	err  error
}

func run(ctx context.Context, a *ui.App, o *options, names []string) error {
	v := &visit{a: a, o: o}
	defer v.close()
	if o.log != "" {
		if err := v.readLog(ctx); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		var err error
		if names, err = v.search(); err != nil {
			return err
		}
	}
	if err := v.open(ctx, names); err != nil {
		return err
	}
	p := ui.NewStages(a)
	d, err := repair.Diagnose(ctx, repair.DiagnoseOptions{Progress: func(m *repair.Member, done, total int64) {
		p.Set("verify the database of "+m.Name, done, total)
	}}, v.members...)
	p.Done()
	if err != nil {
		return err
	}
	v.found = d
	for _, u := range v.unread {
		fmt.Fprintf(a.Err, "raftctl doctor: %s\n", ui.OneLine(u.err))
	}
	if err := o.output.Write(a.Out, v.json(), v.print); err != nil {
		return err
	}
	return v.status(ctx)
}

// search finds the etcd of this machine, where no path was given. With a log to read, there need be none.
func (v *visit) search() (names []string, err error) {
	f := &finder{a: v.a}
	if v.log != nil {
		f.add(v.log.DataDir, v.log.WalDir, "the log")
	}
	list := f.find()
	switch {
	case len(list) == 0 && v.log != nil:
		return nil, nil
	case len(list) == 0:
		return nil, ui.UsageError{Err: errors.New(f.notFound() + "; name a data directory")}
	}
	v.by, v.other = list[0].by, list[1:]
	v.o.source.WalDir = list[0].walDir
	return []string{list[0].dir}, nil
}

func (v *visit) close() {
	for _, m := range v.members {
		_ = m.Close() // opened for reading
	}
}

// open opens the members at all paths. A path that holds several stands for all of them; one that can't be
// read doesn't keep the others from being checked.
func (v *visit) open(ctx context.Context, names []string) error {
	for i := 0; i < len(names); i++ {
		p := ui.NewStages(v.a)
		m, err := repair.Open(ctx, names[i], repair.OpenOptions{WalDir: v.o.source.WalDir, Dir: v.a.Dir,
			Progress: func(done, total int64) { p.Set("read the log of "+names[i], done, total) },
			Unpacked: func(done, total int64) { p.Set("unpack "+names[i], done, total) },
		})
		p.Done()
		several, isSeveral := errors.AsType[*datadir.SeveralLogsError](err)
		switch {
		case isSeveral:
			names = slices.Insert(slices.Clone(names), i+1, dataDirs(several.Names)...)
		case err != nil && (ctx.Err() != nil || len(names) == 1):
			return pathErr.Error(names[i], err)
		case err != nil:
			v.unread = append(v.unread, unread{names[i], pathErr.Error(names[i], err)})
		default:
			v.members = append(v.members, m)
		}
	}
	return nil
}

// dataDirs returns the data directories of several directories of snapshot files or segments.
func dataDirs(names []string) []string {
	dirs := make([]string, len(names))
	for i, name := range names {
		dirs[i] = strings.TrimSuffix(strings.TrimSuffix(name, "/member/snap"), "/member/wal")
	}
	return dirs
}

// status returns the error that gives the exit status: a problem anywhere outweighs what could not be
// read, and that what could not be checked.
func (v *visit) status(ctx context.Context) error {
	switch {
	case v.found.Verdict == verdict.Problem || v.logVerdict() == verdict.Problem:
		return ui.ExitError{Status: ui.StatusDamage}
	case len(v.unread) > 0:
		return ui.ExitError{Status: ui.StatusOf(ctx, v.unread[0].err)}
	case v.found.Verdict == verdict.Unchecked || v.logVerdict() == verdict.Unchecked:
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}
