package snapcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/endpoint"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

type saveOptions struct {
	endpoint   endpoint.Options
	compress   compression
	overwrite  bool
	skipVerify bool
	output     ui.Output
}

func newSave(a *ui.App) *cobra.Command {
	var o saveOptions
	cmd := &cobra.Command{
		Use:   "save ENDPOINT|DIR OUT",
		Short: "Save the state of a live etcd, or of a data directory, to a file",
		Long: `Saves the state of one member to a file that 'etcdutl snapshot restore' takes: its database, with the
sha256 behind it. Nothing is changed at the source.

ENDPOINT is a live etcd: host:port, http://host:port, https://host:port, or unix:///path of a socket.
The flags of the connection are etcdctl's, and like there, each may come from the environment:
ETCDCTL_CACERT for --cacert, and so on. A flag on the command line outweighs its variable. host:port is
spoken to in TLS if anything about TLS is given. Where etcd has users, it takes one with the role root.

DIR is a data directory, or a database file; an etcd may run on it. A path that exists is never taken
for an ENDPOINT. With a DIR, the state is what is in the database: the end of the log, which etcd would
apply when it starts, is not in it.

OUT appears under its name only when it is whole: everything came, its sha256 is right, and 'raftctl
snapshot verify' finds no error in the database. Until then it is OUT.part-… in the same folder, and so is the uncompressed
file with --compress. These are removed however it ends, short of kill -9 or a power cut.

A compressed file is unpacked with zstd -d, gzip -d, s2d or snzip -d; etcdutl wants it unpacked.`,
		Example: `  raftctl snapshot save 127.0.0.1:2379 backup.db
  raftctl snapshot save https://10.0.0.1:2379 backup.db.zst \
      --cacert /etc/kubernetes/pki/etcd/ca.crt \
      --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key
  raftctl snapshot save https://10.0.0.1:2379 backup.db --user root   # asks for the password
  raftctl snapshot save /var/lib/etcd backup.db                        # etcd doesn't run, or won't`,
		Args:    wantSourceAndOut,
		PreRunE: func(cmd *cobra.Command, args []string) error { return o.check(cmd, a, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSave(cmd.Context(), a, &o, args)
		},
	}
	o.endpoint.Register(cmd)
	o.compress.register(cmd)
	o.output.Register(cmd)
	cmd.Flags().BoolVar(&o.overwrite, "overwrite", false, "replace OUT if it exists")
	cmd.Flags().BoolVar(&o.skipVerify, "skip-verify", false, "save a database that is damaged, too: only its sha256 is checked")
	return cmd
}

func wantSourceAndOut(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return ui.Usagef(cmd, "ENDPOINT or DIR is missing: where the state is saved from")
	case len(args) == 1 || args[1] == "":
		return ui.Usagef(cmd, "OUT is missing: the file to save to")
	case len(args) > 2:
		return ui.Usagef(cmd, "unexpected argument %q", args[2])
	}
	return nil
}

// check decides what the arguments mean. Nothing is opened yet.
func (o *saveOptions) check(cmd *cobra.Command, a *ui.App, args []string) error {
	from, out := args[0], args[1]
	if err := o.compress.resolve(out); err != nil {
		return ui.Usagef(cmd, "%w", err)
	}
	if err := o.endpoint.Resolve(cmd, a, from); err != nil {
		return err
	}
	return o.checkOut(cmd, a, out)
}

// checkOut refuses an OUT that is there already.
func (o *saveOptions) checkOut(cmd *cobra.Command, a *ui.App, out string) error {
	info, err := a.FS.Stat(a.Path(out))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return ui.Usagef(cmd, "%s is a directory, name a file in it", ui.Quote(out))
	case !info.Mode().IsRegular():
		return ui.Usagef(cmd, "%s is not a file (%v)", ui.Quote(out), info.Mode().Type())
	case !o.overwrite:
		return ui.Usagef(cmd, "%s exists, name another file or add --overwrite", ui.Quote(out))
	}
	return nil
}

func runSave(ctx context.Context, a *ui.App, o *saveOptions, args []string) (err error) {
	start := a.Now()
	s, err := o.save(ctx, a, args[0], args[1])
	if damage, ok := errors.AsType[*damageError](err); ok {
		fmt.Fprintf(a.Err, "raftctl snapshot save: %s; nothing was saved\n", ui.OneLine(damage))
		return ui.ExitError{Status: ui.StatusDamage}
	}
	if err != nil {
		return err
	}
	s.Seconds = a.Now().Sub(start).Seconds()
	return o.output.Write(a.Out, s, func() error { return s.print(a) })
}

// save makes the file and returns what is in it.
func (o *saveOptions) save(ctx context.Context, a *ui.App, from, out string) (s *saved, err error) {
	s = &saved{Path: out, Source: from, Compression: o.compress.name()}
	parts := newParts(a.FS, a.Path(out))
	defer func() { err = errors.Join(err, parts.remove()) }()
	plain, err := parts.create()
	if err != nil {
		return nil, err
	}
	var src source = endpointSource{a, &o.endpoint}
	if !o.endpoint.Used() {
		src = dirSource{a, from, out}
	}
	if err := src.fetch(ctx, plain, s); err != nil {
		return nil, err
	}
	if err := verifySaved(ctx, a, plain, s, o.skipVerify); err != nil {
		return nil, err
	}
	result := plain
	if o.compress.compresses() {
		if result, err = parts.create(); err != nil {
			return nil, err
		}
		if err := o.compress.write(ctx, a, result, plain, s); err != nil {
			return nil, err
		}
	} else {
		s.FileSize, s.FileSHA256 = s.Size, s.plainSHA256
	}
	return s, parts.commit(result, o.overwrite)
}

// source is where a state comes from.
type source interface {
	// fetch writes the database and its sha256 to an empty file, and says in s what it is.
	fetch(ctx context.Context, to partFile, s *saved) error
}
