package restore

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// StartArgs are the arguments with which etcd starts on a member's new directory, as far as they are known
// here. The log is there, so that etcd doesn't look at --initial-cluster any more. Clients are served at
// etcd's usual port, on the host that the peers know.
func (m *Planned) StartArgs() []string {
	args := []string{"--name", m.Name, "--data-dir", m.DataDir}
	if m.WalDir != "" {
		args = append(args, "--wal-dir", m.WalDir)
	}
	clients := clientURLs(m.PeerURLs)
	return append(args,
		"--listen-peer-urls", strings.Join(listenURLs(m.PeerURLs), ","),
		"--initial-advertise-peer-urls", strings.Join(m.PeerURLs, ","),
		"--listen-client-urls", strings.Join(listenURLs(clients), ","),
		"--advertise-client-urls", strings.Join(clients, ","))
}

// NeedsCertificates reports whether etcd needs flags for certificates as well.
func (m *Planned) NeedsCertificates() bool {
	return slices.ContainsFunc(m.PeerURLs, func(u string) bool {
		return strings.HasPrefix(u, "https:") || strings.HasPrefix(u, "unixs:")
	})
}

const (
	clientPort = "2379"
	localhost  = "localhost"
)

// clientURLs are those of the hosts of peer URLs.
func clientURLs(peers []string) (urls []string) {
	for _, peer := range peers {
		u, err := url.Parse(peer)
		if err != nil || u.Hostname() == "" {
			continue // a socket
		}
		u.Host = net.JoinHostPort(u.Hostname(), clientPort)
		urls = append(urls, u.String())
	}
	if len(urls) == 0 {
		return []string{"http://" + net.JoinHostPort(localhost, clientPort)}
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}

// listenURLs are URLs to listen at: etcd binds to addresses and to localhost, and to no other name.
func listenURLs(urls []string) (list []string) {
	for _, text := range urls {
		u, err := url.Parse(text)
		if err == nil && u.Hostname() != "" && u.Hostname() != localhost && net.ParseIP(u.Hostname()) == nil {
			u.Host = net.JoinHostPort("0.0.0.0", u.Port())
			text = u.String()
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
