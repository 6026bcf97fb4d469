package peer

import (
	"net/url"
	"sync"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

// urls are those of a member, of which one is in use until it fails.
type urls struct {
	mu   sync.Mutex
	list []url.URL
	at   int
}

func parseURLs(texts []string) ([]url.URL, error) {
	list, err := types.NewURLs(texts)
	return list, err
}

func (u *urls) set(list []url.URL) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list, u.at = list, 0
}

// pick returns the URL in use.
func (u *urls) pick() url.URL {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.list[u.at]
}

// failed goes on to the next URL, unless another caller has done so.
func (u *urls) failed(one url.URL) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.list[u.at] == one {
		u.at = (u.at + 1) % len(u.list)
	}
}

// under returns the URL of a path at u. A path of u itself gives way.
func under(u url.URL, path string) string {
	u.Path = path
	return u.String()
}

// nth returns the URL number n, counted round.
func (u *urls) nth(n int) url.URL {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.list[n%len(u.list)]
}
