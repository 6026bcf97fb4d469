package remote

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Member is one of the members that a member knows.
type Member struct {
	ID         uint64
	Name       string // empty: it was added, and has never run
	PeerURLs   []string
	ClientURLs []string // empty: it has never run
	Learner    bool
}

// Members asks which members the member knows, by what it has applied. It doesn't need a leader.
func (c *Client) Members(ctx context.Context) ([]Member, error) {
	ctx, cancel := withTimeout(ctx, c.config.CallTimeout)
	defer cancel()
	var r *pb.MemberListResponse
	err := c.authenticated(ctx, func() (err error) {
		r, err = pb.NewClusterClient(c.conn).MemberList(ctx, &pb.MemberListRequest{})
		return err
	})
	if err != nil {
		return nil, c.fail(ctx, err)
	}
	members := make([]Member, 0, len(r.GetMembers()))
	for _, m := range r.GetMembers() {
		members = append(members, Member{
			ID: m.GetID(), Name: m.GetName(), PeerURLs: m.GetPeerURLs(), ClientURLs: m.GetClientURLs(),
			Learner: m.GetIsLearner(),
		})
	}
	return members, nil
}
