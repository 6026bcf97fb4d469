package msgcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/decode/stream/tls"
)

// wantedSources is what the commands take.
const wantedSources = "a capture of packets or a recording"

// sourceHelp says in help texts what SOURCE is.
const sourceHelp = `SOURCE is a capture of packets in pcap or pcapng, as tcpdump and Wireshark write them, perhaps compressed
with zstd, gzip, s2 or snappy; - is what comes in on standard input: tcpdump -i any -w - | raftctl message …
It may begin and end anywhere, and packets may be missing. Connections that
speak the classic binary protocol or RESP are told by their first messages; --protocol tells what a capture holds
if those are missing. Or SOURCE is a recording, as 'raftctl message record' and
'raftctl node run --record-messages' make them: a directory, one of its files, or an archive of it; of one on standard input too: ssh m1 tar -c talk | raftctl message …

Events of several SOURCEs are told in the order of time, by the clocks of whoever saw them; those of each keep their
order.`

// stdin names standard input, as a source.
const stdin = "-"

// sourceOptions says how sources are read. The flags are the same for all commands that read one.
type sourceOptions struct {
	ports    []uint   // TCP ports to look at; empty: all
	protocol string   // that connections speak
	keyLog   string   // a file with the secrets of TLS; empty: none
	dataDir  []string // of members

	follow bool // a recording doesn't end, but by the context

	members map[string]check.Membership // that recordings tell of themselves, by their names
	names   stream.Names                // of members, as far as logs, recordings and events have told them
}

// register adds the flags. dirs says what --data-dir is for.
func (o *sourceOptions) register(cmd *cobra.Command, dirs string) {
	fl := cmd.Flags()
	fl.StringSliceVar(&o.dataDir, "data-dir", nil, dirs)
	fl.UintSliceVar(&o.ports, "port", nil, "look only at TCP connections with one of these `PORTS`")
	registerProtocol(cmd, &o.protocol)
	fl.StringVar(&o.keyLog, "tls-keylog", "", "read TLS with the secrets in this `FILE`, a key log as SSLKEYLOGFILE names one")
}

// dirsForNames is what --data-dir is for where it gives names only.
const dirsForNames = "take the names of members from the log of this data `DIR`"

// check refuses flags that make no sense.
func (o *sourceOptions) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("tls-keylog") && o.keyLog == "" {
		return ui.Usagef(cmd, "--tls-keylog is empty")
	}
	if err := checkProtocol(cmd, o.protocol); err != nil {
		return err
	}
	return checkPorts(cmd, o.ports)
}

func registerProtocol(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "protocol", string(stream.ProtocolAuto),
		"take captured connections to speak this `PROTOCOL`: auto, etcd, classic or resp; auto: as their first bytes tell")
	ui.CompleteWith(cmd, "protocol", protocolNames())
}

func protocolNames() (names []string) {
	for _, p := range stream.Protocols {
		names = append(names, string(p))
	}
	return names
}

// checkProtocol refuses what is no protocol.
func checkProtocol(cmd *cobra.Command, name string) error {
	if !slices.Contains(stream.Protocols, stream.Protocol(name)) {
		return ui.Usagef(cmd, "--protocol %q, want one of %s", name, strings.Join(protocolNames(), ", "))
	}
	return nil
}

// checkPorts refuses what is no port.
func checkPorts(cmd *cobra.Command, ports []uint) error {
	for _, p := range ports {
		if p < 1 || p > 65535 {
			return ui.Usagef(cmd, "--port %d, want 1 to 65535", p)
		}
	}
	return nil
}

// portNumbers returns ports that were checked.
func portNumbers(ports []uint) (list []uint16) {
	for _, p := range ports {
		list = append(list, uint16(p))
	}
	return list
}

// wantSources checks that there is a source.
func wantSources(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return ui.Usagef(cmd, "SOURCE is missing: %s", wantedSources)
	}
	if first := slices.Index(args, stdin); first >= 0 && slices.Contains(args[first+1:], stdin) {
		return ui.Usagef(cmd, "- is standard input, which can be read but once")
	}
	return nil
}

// keys returns the secrets of TLS, nil if there are none.
func (o *sourceOptions) keys(a *ui.App) (*tls.Keys, error) {
	if o.keyLog == "" {
		return nil, nil
	}
	f, err := os.Open(a.Path(o.keyLog))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	k, err := tls.ReadKeys(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ui.Quote(o.keyLog), err)
	}
	return k, nil
}

// openSource opens a source of events, told apart by its content. The closer is to be closed when the
// events were read, or are of no use any more.
func openSource(ctx context.Context, a *ui.App, name string, o *sourceOptions) (stream.Events, io.Closer, error) {
	if name == stdin && o.follow {
		return nil, nil, notFollowed(name)
	}
	if name == stdin {
		return openStdin(ctx, a, o)
	}
	if recorded, err := looksRecorded(a, name); err != nil {
		return nil, nil, err
	} else if recorded {
		return openRecording(ctx, a, name, o)
	}
	if o.follow {
		return nil, nil, notFollowed(name)
	}
	in, err := openFile(a, name)
	if err != nil {
		return nil, nil, err
	}
	events, closer, err := openCapture(a, in, name, o)
	if err == nil {
		return events, closers{closer, in}, nil
	}
	_ = in.Close() // it was only read
	if events, closer, err := openRecording(ctx, a, name, o); err == nil {
		return events, closer, nil // a compressed one, or an archive
	}
	return nil, nil, err
}

func notFollowed(name string) error {
	return ui.UsageError{Err: fmt.Errorf(
		"%s is no recording that --follow could go on with; of a capture, pipe what tcpdump -w - hears into it", ui.Quote(name))}
}

// openCapture opens the capture that is read from in.
func openCapture(a *ui.App, in io.Reader, name string, o *sourceOptions) (stream.Events, io.Closer, error) {
	keys, err := o.keys(a)
	if err != nil {
		return nil, nil, err
	}
	c, err := capture.Open(in, capture.Options{
		Source: name, Ports: portNumbers(o.ports), Protocol: stream.Protocol(o.protocol), Keys: keys,
	})
	if err == nil {
		return c.Events(), c, nil
	}
	err = fmt.Errorf("%s: %w", ui.Quote(name), err)
	if errors.Is(err, capture.ErrNoCapture) {
		err = ui.UsageError{Err: fmt.Errorf("%w; want %s", err, wantedSources)}
	}
	return nil, nil, err
}

// open opens sources, and returns their events in the order of time. The closer is that of openSource.
func (o *sourceOptions) open(ctx context.Context, a *ui.App, names []string) (stream.Events, io.Closer, error) {
	var all []stream.Events
	var opened closers
	for _, name := range names {
		events, closer, err := openSource(ctx, a, name, o)
		if err != nil {
			return nil, nil, closing(opened, err)
		}
		all, opened = append(all, named(events, name)), append(opened, namedCloser{closer, name})
	}
	return stream.Merge(all...), opened, nil
}

// named has the error of events say which source it is of.
func named(events stream.Events, name string) stream.Events {
	return func(yield func(*stream.Event, error) bool) {
		for e, err := range events {
			if err != nil {
				err = fmt.Errorf("%s: %w", ui.Quote(name), err)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// each hands the events of sources to do, in the order of time, until that returns an error.
func (o *sourceOptions) each(ctx context.Context, a *ui.App, names []string, do func(*stream.Event) error) (err error) {
	events, closer, err := o.open(ctx, a, names)
	if err != nil {
		return err
	}
	defer func() {
		if failed := closer.Close(); err == nil {
			err = failed
		}
	}()
	return o.hand(ctx, events, do)
}

// hand hands events to do, and learns the names that they tell.
func (o *sourceOptions) hand(ctx context.Context, events stream.Events, do func(*stream.Event) error) error {
	n := 0
	for e, err := range events {
		if err != nil {
			return err
		}
		if n++; n%pollEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		o.names.Learn(e)
		if err := do(e); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// pollEvery is how many events are read before asking whether to stop.
const pollEvery = 1024

func openFile(a *ui.App, name string) (*os.File, error) {
	f, err := os.Open(a.Path(name))
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("%s: %w", ui.Quote(name), failed.Err)
	}
	return f, err
}

// closing closes c, of which nothing was used, and returns err.
func closing(c io.Closer, err error) error {
	_ = c.Close()
	return err
}

// namedCloser closes a source, and has the error say which one it is of.
type namedCloser struct {
	io.Closer
	name string
}

// Close implements io.Closer.
func (c namedCloser) Close() error {
	if err := c.Closer.Close(); err != nil {
		return fmt.Errorf("%s: %w", ui.Quote(c.name), err)
	}
	return nil
}

// closers are closed one after the other.
type closers []io.Closer

// Close returns the first error.
func (c closers) Close() (err error) {
	for _, each := range c {
		if failed := each.Close(); err == nil {
			err = failed
		}
	}
	return err
}
