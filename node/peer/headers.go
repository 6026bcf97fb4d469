package peer

import (
	"net/http"
	"strconv"
	"strings"
)

// Headers of requests between members; of responses the version and the cluster's ID.
const (
	headerFrom              = "X-Server-From"
	headerServerVersion     = "X-Server-Version"
	headerMinClusterVersion = "X-Min-Cluster-Version"
	headerClusterID         = "X-Etcd-Cluster-ID"
	headerTo                = "X-Raft-To"
	headerPeerURLs          = "X-PeerURLs"
)

// hex formats an ID as members write it in paths, headers and logs.
func hex(id uint64) string { return strconv.FormatUint(id, 16) }

func parseID(text string) (id uint64, err error) { return strconv.ParseUint(text, 16, 64) }

// setHeaders tells the other end of a request who this member is.
func (t *Etcd) setHeaders(h http.Header) {
	h.Set(headerFrom, hex(t.cfg.ID))
	h.Set(headerServerVersion, t.version())
	h.Set(headerMinClusterVersion, minClusterVersion)
	h.Set(headerClusterID, hex(t.cfg.ClusterID))
	if urls := t.cfg.URLs(); len(urls) > 0 {
		h.Set(headerPeerURLs, strings.Join(urls, ","))
	}
}

// checkHeaders returns why a request is refused, errVersion or errCluster.
func (t *Etcd) checkHeaders(h http.Header) error {
	if !compatible(h, t.version()) {
		return errVersion
	}
	if h.Get(headerClusterID) != hex(t.cfg.ClusterID) {
		return errCluster
	}
	return nil
}

// toldURLs returns the URLs that the sender of a request tells for itself.
func toldURLs(h http.Header) []string {
	text := h.Get(headerPeerURLs)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
