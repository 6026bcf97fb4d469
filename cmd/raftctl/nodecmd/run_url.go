package nodecmd

import (
	"fmt"
	"net"
	"net/url"
	"slices"
)

// schemes are those of the URLs that a member listens on or is found at.
var schemes = []string{"http", "https", "unix", "unixs"}

// checkURL refuses a URL that can't be listened on, or can't be reached.
func checkURL(text string, listen bool) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("%q is no URL", text)
	}
	if !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("%q: want http://, https://, unix:// or unixs://", text)
	}
	if local(u) {
		if u.Host+u.Path == "" {
			return fmt.Errorf("%q: the path of the socket is missing", text)
		}
		return nil
	}
	if u.Path != "" {
		return fmt.Errorf("%q has a path, want none", text)
	}
	host, port, err := net.SplitHostPort(u.Host)
	switch {
	case err != nil || port == "":
		return fmt.Errorf("%q: the port is missing", text)
	case listen && host != "localhost" && net.ParseIP(host) == nil:
		return fmt.Errorf("%q: want an address to listen on, not a name", text)
	case !listen && host == "":
		return fmt.Errorf("%q: the host is missing", text)
	}
	return nil
}

// local reports whether a URL is that of a socket in the file system.
func local(u *url.URL) bool { return u.Scheme == "unix" || u.Scheme == "unixs" }

// encrypted reports whether TLS is spoken at a URL.
func encrypted(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "unixs")
}

// anywhere reports whether a URL to listen on stands for all addresses of the machine.
func anywhere(text string) bool {
	u, err := url.Parse(text)
	if err != nil || local(u) {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "" || ip != nil && ip.IsUnspecified()
}

// hostPort returns the host and port of a URL.
func hostPort(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}
