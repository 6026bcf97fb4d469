package node

import (
	"bytes"
	"context"
	"encoding/json"
	stderrors "errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/lease/leasehttp"
	"go.etcd.io/etcd/server/v3/lease/leasepb"
)

// What etcd has on the peers' port besides the transport.
const (
	raftPath      = "/raft"
	membersPath   = "/members"
	promotePath   = "/members/promote/"
	hashPath      = "/members/hashkv"
	versionPath   = "/version"
	downgradePath = "/downgrade/enabled"

	clusterHeader = "X-Etcd-Cluster-ID"
)

// PeerHandler returns what is served on the peers' port: the transport's paths, and those on which members ask
// each other for what isn't a message of Raft. The answers are etcd's.
func (n *Node) PeerHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", http.NotFound)
	mux.Handle(raftPath, n.transport.HTTP())
	mux.Handle(raftPath+"/", n.transport.HTTP())
	leases := leasehttp.NewHandler(n.store.Lessor(), func() <-chan struct{} {
		return n.AppliedWait(n.standing.committed.Load())
	})
	mux.HandleFunc(leasehttp.LeasePrefix, n.whileLeading(leases))
	mux.HandleFunc(leasehttp.LeaseInternalPrefix, withLease(leases))
	mux.HandleFunc(membersPath, only(http.MethodGet, n.serveMembers))
	mux.HandleFunc(promotePath, only(http.MethodPost, n.servePromotion))
	mux.HandleFunc(hashPath, only(http.MethodGet, n.serveHash))
	mux.HandleFunc(versionPath, only(http.MethodGet, n.serveVersion))
	mux.HandleFunc(downgradePath, only(http.MethodGet, n.serveDowngrade))
	return mux
}

// only lets one method through.
func only(method string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		h(w, r)
	}
}

// whileLeading refuses what only a leader can answer where this member doesn't surely lead: etcd's handler believes what was
// true when it last heard of it.
func (n *Node) whileLeading(h http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n.standing.leads() && !n.surelyLeads(r.Context()) {
			http.Error(w, lease.ErrNotPrimary.Error(), http.StatusBadRequest)
			return
		}
		h.ServeHTTP(w, r)
	}
}

// maxLeaseRequest bounds what is read of a request about a lease. It is larger than etcd's handler takes.
const maxLeaseRequest = 128 << 10

// withLease refuses a request for the time that a lease has left which names no lease: etcd's handler panics.
func withLease(h http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxLeaseRequest))
		var req leasepb.LeaseInternalRequest
		if err == nil && r.Method == http.MethodPost && proto.Unmarshal(body, &req) == nil &&
			req.LeaseTimeToLiveRequest == nil {
			http.Error(w, "error unmarshalling request", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	}
}

func (n *Node) serveMembers(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(clusterHeader, hex(n.cluster))
	n.answerJSON(w, n.store.Cluster().Members(), "\n")
}

// answerJSON answers with JSON, and with the end of a line where etcd has one.
func (n *Node) answerJSON(w http.ResponseWriter, v any, end string) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	n.write(w, string(text)+end)
}

func (n *Node) write(w io.Writer, text string) {
	if _, err := io.WriteString(w, text); err != nil {
		n.log.Debug("an answer wasn't sent", "error", err)
	}
}

// ServeVersion answers with the versions of the member, as etcd does on the clients' port too.
func (n *Node) ServeVersion(w http.ResponseWriter, r *http.Request) {
	only(http.MethodGet, n.serveVersion)(w, r)
}

func (n *Node) serveVersion(w http.ResponseWriter, _ *http.Request) {
	v := n.Versions()
	if n.cfg.As == "3.5" {
		n.answerJSON(w, struct {
			Server  string `json:"etcdserver"`
			Cluster string `json:"etcdcluster"`
		}{v.Server, v.Cluster}, "")
		return
	}
	n.answerJSON(w, v, "")
}

func (n *Node) serveDowngrade(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(clusterHeader, hex(n.cluster))
	ctx, cancel := context.WithTimeout(r.Context(), n.RequestTimeout())
	defer cancel()
	if err := n.Read(ctx); err != nil {
		http.Error(w, fmt.Sprintf("failed linearized read: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	n.write(w, strconv.FormatBool(n.store.Cluster().DowngradeInfo().Enabled))
}

func (n *Node) serveHash(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get(clusterHeader); id != "" && id != hex(n.cluster) {
		http.Error(w, "cluster ID mismatch", http.StatusPreconditionFailed)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if err != nil {
		http.Error(w, "error reading body", http.StatusBadRequest)
		return
	}
	var req etcdserverpb.HashKVRequest
	if err := json.Unmarshal(body, &req); err != nil {
		http.Error(w, "error unmarshalling request", http.StatusBadRequest)
		return
	}
	hash, revision, err := n.store.HashKV(req.Revision)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := &etcdserverpb.HashKVResponse{
		Header: &etcdserverpb.ResponseHeader{Revision: revision},
		Hash:   hash.Hash, CompactRevision: hash.CompactRevision,
	}
	if n.cfg.As != "3.5" {
		answer.HashRevision = hash.Revision
	}
	w.Header().Set(clusterHeader, hex(n.cluster))
	n.answerJSON(w, answer, "")
}

func (n *Node) servePromotion(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(clusterHeader, hex(n.cluster))
	name := strings.TrimPrefix(r.URL.Path, promotePath)
	id, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		http.Error(w, fmt.Sprintf("member %s not found in cluster", name), http.StatusNotFound)
		return
	}
	ctx := r.Context()
	if token := r.Header.Get("Authorization"); token != "" {
		ctx = metadata.NewIncomingContext(ctx, metadata.Pairs(rpctypes.TokenFieldNameGRPC, token))
	}
	members, err := n.promoteFor(ctx, id)
	switch {
	case err == nil:
		n.answerJSON(w, members, "\n")
	case stderrors.Is(err, membership.ErrIDNotFound):
		http.Error(w, err.Error(), http.StatusNotFound)
	case stderrors.Is(err, membership.ErrMemberNotLearner), stderrors.Is(err, errors.ErrLearnerNotReady):
		http.Error(w, err.Error(), http.StatusPreconditionFailed)
	default:
		n.log.Warn("a member wasn't promoted", "member", hex(id), "error", err)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		n.write(w, `{"message":"Internal Server Error"}`)
	}
}

// promoteFor promotes a member for a caller that another member passed on.
func (n *Node) promoteFor(ctx context.Context, id uint64) ([]*membership.Member, error) {
	if n.store.Auth().IsAuthEnabled() {
		who, err := n.Caller(ctx)
		if err != nil {
			return nil, err
		}
		if err := n.store.Auth().IsAdminPermitted(who); err != nil {
			return nil, err
		}
	}
	return n.PromoteMember(ctx, id)
}
