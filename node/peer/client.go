package peer

import (
	"io"
	"net/http"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
)

// NewClient returns a client for requests to the members of a cluster, for who has no Transport yet. It
// follows no redirections. The secrets of its TLS sessions go to keyLog, unless that is nil.
func NewClient(tls transport.TLSInfo, keyLog io.Writer, electionTimeout time.Duration) (*http.Client, error) {
	t, err := newClient(&Config{TLS: tls, KeyLog: keyLog, ElectionTimeout: electionTimeout})
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t, CheckRedirect: asItIs}, nil
}

// asItIs makes a client return an answer that redirects it.
func asItIs(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
