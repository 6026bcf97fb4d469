// Package endpoint holds what commands that ask a live etcd have in common: how an endpoint is told from a path,
// the flags of the connection, and what to do about what keeps an endpoint from being used.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/snapshot/remote"
)

// Options are the flags of a connection to a live etcd, with etcdctl's names and meaning.
type Options struct {
	config         remote.Config
	commandTimeout time.Duration
	user, password string

	used    bool // what was given is an endpoint, not a path
	bounded bool // a command timeout was asked for: it then bounds long requests as well
	a       *ui.App
}

// flagNames are the names of the flags.
var flagNames = []string{
	"cacert", "cert", "key", "insecure-skip-tls-verify", "insecure-transport", "user", "password",
	"dial-timeout", "command-timeout",
}

// Register adds the flags to a command.
func (o *Options) Register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.config.CACert, "cacert", "", "verify the server's certificate with the authorities in this `FILE`")
	f.StringVar(&o.config.Cert, "cert", "", "identify with the certificate in this `FILE`")
	f.StringVar(&o.config.Key, "key", "", "the `FILE` of the key of --cert")
	f.BoolVar(&o.config.InsecureSkipVerify, "insecure-skip-tls-verify", false,
		"accept any certificate of the server: anybody can pose as it")
	f.BoolVar(&o.config.InsecureTransport, "insecure-transport", true,
		"speak to host:port without TLS if no other flag is about TLS")
	f.StringVar(&o.user, "user", "", "`NAME[:PASSWORD]` to authenticate with; without a password it is asked for")
	f.StringVar(&o.password, "password", "", "the `PASSWORD` of --user, which then is the name only")
	f.DurationVar(&o.config.DialTimeout, "dial-timeout", remote.DefaultDialTimeout,
		"how long connecting may take")
	f.DurationVar(&o.commandTimeout, "command-timeout", remote.DefaultCallTimeout,
		"how long a short request may take; if given, also all of what follows the connection")
}

// variable returns the name of the environment variable of a flag.
func variable(flag string) string {
	return "ETCDCTL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Resolve decides whether an argument is an endpoint, and how to reach it.
func (o *Options) Resolve(cmd *cobra.Command, a *ui.App, arg string) error {
	o.a = a
	o.used = Is(a, arg)
	var given []string
	for _, name := range flagNames {
		if cmd.Flags().Changed(name) {
			given = append(given, name)
		}
	}
	if !o.used {
		if len(given) > 0 {
			return ui.Usagef(cmd, "--%s goes with an ENDPOINT, and %s is a path", given[0], ui.Quote(arg))
		}
		return nil
	}
	if err := remote.CheckEndpoint(arg); err != nil {
		return ui.Usagef(cmd, "ENDPOINT %s: %w", ui.Quote(arg), err)
	}
	o.config.Endpoint = arg
	for _, name := range given {
		if err := o.checkGiven(name); err != nil {
			return ui.Usagef(cmd, "%w", err)
		}
	}
	if err := o.fromEnvironment(cmd); err != nil {
		return err
	}
	return o.checkValues(cmd)
}

// Is tells an endpoint from a path. What exists is a path.
func Is(a *ui.App, arg string) bool {
	if strings.Contains(arg, "://") {
		return true
	}
	if _, err := os.Lstat(a.Path(arg)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if strings.ContainsAny(arg, `/\`) {
		return false
	}
	_, _, err := net.SplitHostPort(arg)
	return err == nil || strings.Contains(arg, ",")
}

// checkGiven refuses a flag that was typed and would do nothing.
func (o *Options) checkGiven(name string) error {
	switch name {
	case "cacert", "cert", "key", "insecure-skip-tls-verify":
		if !o.config.Encrypted() && strings.HasPrefix(o.config.Endpoint, "http:") {
			return fmt.Errorf("--%s is about TLS, and http:// is without; write https://", name)
		}
	case "insecure-transport":
		if !o.config.InsecureTransport && !o.config.Encrypted() {
			return errors.New("--insecure-transport=false wants TLS, and http:// is without; write https://")
		}
	case "password":
		if o.user == "" && o.a.Getenv(variable("user")) == "" {
			return errors.New("--password without --user")
		}
	}
	return nil
}

// Used reports whether what was resolved is an endpoint, not a path.
func (o *Options) Used() bool { return o.used }

// fromEnvironment takes what the command line doesn't give from etcdctl's variables.
func (o *Options) fromEnvironment(cmd *cobra.Command) error {
	f := cmd.Flags()
	for _, name := range flagNames {
		value := o.a.Getenv(variable(name))
		if value == "" || f.Changed(name) {
			continue
		}
		if name == "password" && f.Changed("user") && strings.Contains(o.user, ":") {
			continue // the command line has it
		}
		if err := f.Set(name, value); err != nil {
			text := value
			if name == "password" || name == "user" {
				text = "[redacted]"
			}
			return ui.Usagef(cmd, "%s=%s: %w", variable(name), ui.Quote(text), errors.Unwrap(err))
		}
	}
	o.bounded = f.Changed("command-timeout")
	return nil
}

func (o *Options) checkValues(cmd *cobra.Command) error {
	switch {
	case o.config.DialTimeout <= 0:
		return ui.Usagef(cmd, "--dial-timeout %v, want more than 0", o.config.DialTimeout)
	case o.commandTimeout <= 0:
		return ui.Usagef(cmd, "--command-timeout %v, want more than 0", o.commandTimeout)
	case (o.config.Cert == "") != (o.config.Key == ""):
		return ui.Usagef(cmd, "--cert and --key go together")
	}
	o.config.CallTimeout = o.commandTimeout
	return nil
}

// Dial connects, and asks for the password first if need be.
func (o *Options) Dial(ctx context.Context) (*remote.Client, error) {
	if err := o.AskPassword(ctx); err != nil {
		return nil, err
	}
	c, err := remote.Dial(ctx, o.config)
	if config, ok := errors.AsType[*remote.ConfigError](err); ok {
		return nil, config
	}
	return c, Advise(err)
}

// AskPassword asks for the password if there is a user without one, and it wasn't asked for before.
func (o *Options) AskPassword(ctx context.Context) error {
	switch {
	case o.user == "" || o.config.User != "":
		return nil
	case o.password != "":
		o.config.User, o.config.Password = o.user, o.password
		return nil
	}
	name, password, hasPassword := strings.Cut(o.user, ":")
	if !hasPassword {
		var err error
		password, err = o.a.AskSecret(ctx, "Password of "+name)
		if usage, ok := errors.AsType[ui.UsageError](err); ok {
			return fmt.Errorf("%w; --password or %s has it", usage, variable("password"))
		}
		if err != nil {
			return err
		}
	}
	o.config.User, o.config.Password = name, password
	return nil
}

// At returns options that reach another endpoint in the same way.
func (o *Options) At(endpoint string) *Options {
	other := *o
	other.config.Endpoint = endpoint
	return &other
}

// Bound returns a context for all that follows the connection.
func (o *Options) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if !o.bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, o.commandTimeout,
		fmt.Errorf("not done within the --command-timeout of %v", o.commandTimeout))
}

// advices say what to do about what keeps an endpoint from being used.
var advices = []struct {
	err  error
	text string
}{
	{remote.ErrServerCertificate, "--cacert names its authority"},
	{remote.ErrClientCertificate, "--cert and --key name one that it accepts"},
	{remote.ErrNotTLS, "write http:// if it is plain"},
	{remote.ErrNotEtcd, "write https:// if it speaks TLS"},
	{remote.ErrNoUser, "--user names one"},
	{remote.ErrPermission, "it takes a user with the role root"},
}

// Advise adds to an error what to do about it.
func Advise(err error) error {
	for _, a := range advices {
		if errors.Is(err, a.err) {
			return fmt.Errorf("%w; %s", err, a.text)
		}
	}
	return err
}
