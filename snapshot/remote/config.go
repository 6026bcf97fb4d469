package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config says how to reach a member. The names are those of etcdctl's flags, and mean the same.
type Config struct {
	// Endpoint is host:port, or a URL: http and unix are plain, https and unixs are TLS, and host:port
	// and unix are TLS if anything about TLS is given.
	Endpoint string

	DialTimeout  time.Duration // of connecting and authenticating; 0: DefaultDialTimeout
	CallTimeout  time.Duration // of each short request; 0: DefaultCallTimeout
	StallTimeout time.Duration // a stream may be silent for so long; 0: DefaultStallTimeout

	CACert     string // file of the authorities to trust, in PEM; empty: those of the system
	Cert       string // file of the client's certificate, in PEM
	Key        string // file of its key, in PEM
	ServerName string // the name in the server's certificate; empty: the endpoint's host

	InsecureSkipVerify bool // accept any certificate of the server
	InsecureTransport  bool // host:port without anything about TLS is plain

	User     string // empty: none, and no Password
	Password string
}

// The times that a Config without others has: etcdctl's, but for the last one.
const (
	DefaultDialTimeout  = 2 * time.Second
	DefaultCallTimeout  = 5 * time.Second
	DefaultStallTimeout = time.Minute
)

// ConfigError is returned when a Config makes no sense, or a file of it can't be used.
type ConfigError struct{ Err error }

// Error says what is wrong.
func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.DialTimeout, DefaultDialTimeout},
		{&c.CallTimeout, DefaultCallTimeout},
		{&c.StallTimeout, DefaultStallTimeout},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return c
}

// CheckEndpoint returns an error, which says what is wrong, if s is not of a form that Dial takes.
func CheckEndpoint(s string) error {
	if strings.Contains(s, ",") {
		return errors.New("several endpoints, want one: a snapshot is the state of one member")
	}
	scheme, rest, isURL := strings.Cut(s, "://")
	if !isURL {
		return checkHostPort(s)
	}
	switch scheme {
	case "http", "https":
		u, err := url.Parse(s)
		if err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
			return fmt.Errorf("want %s://host:port and nothing else", scheme)
		}
		return checkHostPort(u.Host)
	case "unix", "unixs":
		if rest == "" {
			return fmt.Errorf("no path of a socket behind %s://", scheme)
		}
		return nil
	}
	return fmt.Errorf("scheme %q, want http, https, unix or unixs", scheme)
}

func checkHostPort(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if addr, ok := errors.AsType[*net.AddrError](err); ok {
			return fmt.Errorf("%s, want host:port", addr.Err)
		}
		return err
	}
	if host == "" {
		return errors.New("no host, want host:port")
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return fmt.Errorf("port %q, want a number up to 65535", port)
	}
	return nil
}

// Encrypted reports whether the connection will be TLS.
func (c *Config) Encrypted() bool {
	switch scheme, _, _ := strings.Cut(c.Endpoint, "://"); scheme {
	case "http":
		return false
	case "https", "unixs":
		return true
	}
	return c.namesTLS() || !c.InsecureTransport
}

func (c *Config) namesTLS() bool {
	return c.CACert != "" || c.Cert != "" || c.Key != "" || c.ServerName != "" || c.InsecureSkipVerify
}

// tls returns the TLS settings, or nil for a plain connection.
func (c *Config) tls() (*tls.Config, error) {
	if (c.Cert == "") != (c.Key == "") {
		return nil, errors.New("a certificate and its key go together, got only one of them")
	}
	if !c.Encrypted() {
		return nil, nil
	}
	t := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: c.ServerName, InsecureSkipVerify: c.InsecureSkipVerify,
	}
	if c.CACert != "" {
		pem, err := os.ReadFile(c.CACert)
		if err != nil {
			return nil, err
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate in PEM", c.CACert)
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", c.Cert, c.Key, err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
