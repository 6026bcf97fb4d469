package nodecmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// logLevels are etcd's levels of the log. Panic and fatal are above all that is logged.
var logLevels = []struct {
	name  string
	level slog.Level
}{
	{"debug", slog.LevelDebug},
	{"info", slog.LevelInfo},
	{"warn", slog.LevelWarn},
	{"error", slog.LevelError},
	{"dpanic", slog.LevelError + 4},
	{"panic", slog.LevelError + 8},
	{"fatal", slog.LevelError + 12},
}

func levelNames() []string {
	var names []string
	for _, l := range logLevels {
		names = append(names, l.name)
	}
	return names
}

// levelOf returns the level of a name.
func levelOf(name string) slog.Level {
	for _, l := range logLevels {
		if l.name == name {
			return l.level
		}
	}
	return slog.LevelInfo
}

// levelName returns etcd's name of a level: that of the highest that is not above it.
func levelName(level slog.Level) string {
	name := logLevels[0].name
	for _, l := range logLevels {
		if level >= l.level {
			name = l.name
		}
	}
	return name
}

// openLog returns the logger of a member, and what closes its files.
func openLog(a *ui.App, s *logSettings) (*slog.Logger, io.Closer, error) {
	var files closers
	var outputs []io.Writer
	for _, name := range s.outputs {
		switch name {
		case "default", "stderr":
			outputs = append(outputs, a.Err)
		case "stdout":
			outputs = append(outputs, a.Out)
		case "systemd/journal":
			return nil, nil, errors.Join(ui.UsageError{Err: errors.New(
				"--log-outputs systemd/journal: not supported: under systemd, stderr goes to the journal")}, files.Close())
		default:
			f, err := os.OpenFile(a.Path(name), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
			if err != nil {
				return nil, nil, errors.Join(err, files.Close())
			}
			outputs, files = append(outputs, f), append(files, f)
		}
	}
	return slog.New(newLogHandler(io.MultiWriter(outputs...), s)), files, nil
}

// etcdTime is the form of the time in etcd's log.
const etcdTime = "2006-01-02T15:04:05.000000Z0700"

// newLogHandler returns a handler that writes lines with etcd's keys.
func newLogHandler(w io.Writer, s *logSettings) slog.Handler {
	o := &slog.HandlerOptions{AddSource: true, Level: levelOf(s.level), ReplaceAttr: likeEtcd}
	if s.format == "console" {
		return slog.NewTextHandler(w, o)
	}
	return slog.NewJSONHandler(w, o)
}

// likeEtcd gives what is on every line the key and the form that it has in etcd's log.
func likeEtcd(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.TimeKey:
		return slog.String("ts", attr.Value.Time().Format(etcdTime))
	case slog.LevelKey:
		level, _ := attr.Value.Any().(slog.Level)
		return slog.String("level", levelName(level))
	case slog.SourceKey:
		source, ok := attr.Value.Any().(*slog.Source)
		if !ok || source.File == "" {
			return slog.Attr{}
		}
		dir, file := filepath.Split(source.File)
		return slog.String("caller", filepath.Base(dir)+"/"+file+":"+strconv.Itoa(source.Line))
	}
	if attr.Value.Kind() == slog.KindDuration {
		return slog.String(attr.Key, attr.Value.Duration().String())
	}
	if err, ok := attr.Value.Any().(error); ok {
		return slog.String(attr.Key, fmt.Sprint(err))
	}
	return attr
}

// logRejected logs connections of peers that don't get through the TLS handshake. One that says nothing is no news.
func logRejected(log *slog.Logger) func(*tls.Conn, error) {
	return func(c *tls.Conn, err error) {
		level := slog.LevelWarn
		if errors.Is(err, io.EOF) {
			level = slog.LevelDebug
		}
		state := c.ConnectionState()
		attrs := []slog.Attr{
			slog.String("remote-addr", c.RemoteAddr().String()), slog.String("server-name", state.ServerName),
		}
		if len(state.PeerCertificates) > 0 {
			cert := state.PeerCertificates[0]
			attrs = append(attrs, slog.Any("ip-addresses", cert.IPAddresses), slog.Any("dns-names", cert.DNSNames))
		}
		attrs = append(attrs, slog.String("error", err.Error()))
		log.LogAttrs(context.Background(), level, "rejected connection on peer endpoint", attrs...)
	}
}

// closers closes several things.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for _, f := range c {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
