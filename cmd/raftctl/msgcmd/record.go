package msgcmd

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

type recordOptions struct {
	listen, to []string
	iface      string
	ports      []uint
	protocol   string
	output     string
	keep       int
	duration   time.Duration
	tls        peerTLS
}

func newRecord(a *ui.App) *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record --output DIR (--listen ADDRESS --to ADDRESS | --interface NAME)",
		Short: "Record what members say to each other, from between them or from the wire",
		Long: `Records the messages that members exchange, until Ctrl-C or SIGTERM ends it. The recording, DIR, is what all other
verbs of 'raftctl message' take; if DIR is a recording already, it is gone on with.

With --listen and --to it stands between members: it passes what is sent to the one address on to the other, and back. Have
the other members dial --listen in the place of a member, by --initial-advertise-peer-urls of that member, or
by 'etcdctl member update'. Both flags may be given several times, in pairs. Members may start and stop meanwhile; and
they never wait for the recording: what can't be recorded in time is passed on, and is a gap.

Where members speak TLS, to stand between them means to be one end of it on either side: give --peer-cert-file, and what else
the members are given, with etcd's flags. --peer-cert-file has to be for the host that the others dial. The member at --to is
shown it too, or --peer-client-cert-file, which has to be for the address that the relay dials from. On a member's own
machine, its own files are both. They are read again for each connection. Who is refused, and why, is told here.

With --interface it hears packets, as tcpdump does, and is in nobody's way. It takes Linux, and root or CAP_NET_RAW. What
TLS hides there is a gap.

A member of raftctl's own records what it says and hears itself, with TLS too: 'raftctl node run --record-messages DIR'. DIR
can be read by its owner only: messages hold what clients wrote.`,
		Example: `  raftctl message record --listen 127.0.0.1:12380 --to 127.0.0.1:2380 -o talk
  raftctl message record --listen :12380 --to m1:2380 --listen :12381 --to m2:2380 -o talk
  raftctl message record --listen :12380 --to m1:2380 --peer-cert-file peer.crt --peer-key-file peer.key \
    --peer-trusted-ca-file ca.crt -o talk
  sudo raftctl message record --interface eth0 --port 2380 -o talk
  raftctl message dump talk`,
		Args:    cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRecord(cmd.Context(), a, &o)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&o.listen, "listen", nil, "listen at this `ADDRESS`, host:port")
	fl.StringArrayVar(&o.to, "to", nil, "pass on to the member at this `ADDRESS`, host:port")
	fl.StringVar(&o.iface, "interface", "", "hear the packets of this interface, such as lo or eth0")
	fl.UintSliceVar(&o.ports, "port", []uint{2380}, "hear only TCP connections with one of these `PORTS`")
	registerProtocol(cmd, &o.protocol)
	o.tls.register(cmd)
	fl.StringVarP(&o.output, "output", "o", "", "record into this `DIR`")
	fl.IntVar(&o.keep, "keep", 0, "keep the last `N` files of 64 MB only; 0: all")
	fl.DurationVar(&o.duration, "for", 0, "end after this time; 0: when told to")
	return cmd
}

// check refuses flags that make no sense.
func (o *recordOptions) check(cmd *cobra.Command) error {
	relays := len(o.listen)+len(o.to) > 0
	switch {
	case o.output == "":
		return ui.Usagef(cmd, "--output DIR is missing: where to record")
	case relays == (o.iface != ""):
		return ui.Usagef(cmd, "want either --listen and --to, or --interface")
	case len(o.listen) != len(o.to):
		return ui.Usagef(cmd, "%d of --listen and %d of --to, want pairs of them", len(o.listen), len(o.to))
	case relays && cmd.Flags().Changed("port"):
		return ui.Usagef(cmd, "--port goes with --interface; --listen and --to have ports of their own")
	case o.keep < 0:
		return ui.Usagef(cmd, "--keep %d, want 0 or more", o.keep)
	case o.duration < 0:
		return ui.Usagef(cmd, "--for %v, want 0 or more", o.duration)
	}
	for i := range o.listen {
		if _, _, err := net.SplitHostPort(o.listen[i]); err != nil {
			return ui.Usagef(cmd, "--listen %q, want host:port", o.listen[i])
		}
		if host, port, err := net.SplitHostPort(o.to[i]); err != nil || host == "" || port == "" {
			return ui.Usagef(cmd, "--to %q, want host:port", o.to[i])
		}
	}
	if err := checkProtocol(cmd, o.protocol); err != nil {
		return err
	}
	if err := o.tls.check(cmd, relays); err != nil {
		return err
	}
	return checkPorts(cmd, o.ports)
}

// runRecord records until ctx ends, which is how it is meant to end.
func runRecord(ctx context.Context, a *ui.App, o *recordOptions) (err error) {
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	hear := o.hearRelays
	if o.iface != "" {
		hear = o.hearInterface
	}
	source, err := hear(a)
	if err != nil {
		return err
	}
	r, err := newRecorder(a, o)
	if err != nil {
		return errors.Join(err, source.close())
	}
	r.say(source)
	return r.run(ctx, source)
}
