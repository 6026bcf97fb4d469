package remote

import (
	"context"
	"math"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

// The pings by which a connection to a machine that is gone is noticed. gRPC doesn't send them more
// often, and etcd refuses clients that do.
const (
	pingInterval = 10 * time.Second
	pingTimeout  = 6 * time.Second
)

// Client is a connection to one member. It may be used concurrently.
type Client struct {
	config Config
	etcd   *clientv3.Client
	conn   *grpc.ClientConn
	token  token
}

// Dial connects to a member, and authenticates where a user is given. The error is a *ConfigError if
// the config can't be used, else an *Error.
func Dial(ctx context.Context, config Config) (*Client, error) {
	config = config.withDefaults()
	if err := CheckEndpoint(config.Endpoint); err != nil {
		return nil, &ConfigError{err}
	}
	tls, err := config.tls()
	if err != nil {
		return nil, &ConfigError{err}
	}
	c := &Client{config: config}
	// The client library would authenticate before it is known whether anybody answers.
	options := []grpc.DialOption{grpc.WithPerRPCCredentials(&c.token)}
	if config.ServerName != "" { // else the client library's resolver says the endpoint's host
		options = append(options, grpc.WithAuthority(config.ServerName))
	}
	if tls != nil {
		options = append(options, grpc.WithTransportCredentials(newAlerting(tls)))
	}
	c.etcd, err = clientv3.New(clientv3.Config{
		Endpoints: []string{config.Endpoint}, Logger: zap.NewNop(),
		DialKeepAliveTime: pingInterval, DialKeepAliveTimeout: pingTimeout, DialOptions: options,
	})
	if err != nil {
		return nil, &ConfigError{err}
	}
	c.conn = c.etcd.ActiveConnection()
	dialing, cancel := withTimeout(ctx, config.DialTimeout)
	defer cancel()
	if err := c.connect(dialing); err != nil {
		_ = c.Close() // what it was opened for can't be done
		return nil, err
	}
	return c, nil
}

// connect waits until the connection stands, or can't be made, and authenticates.
func (c *Client) connect(ctx context.Context) error {
	c.conn.Connect()
	for state := c.conn.GetState(); state != connectivity.Ready; state = c.conn.GetState() {
		if state == connectivity.TransientFailure {
			// Why, only a request is told.
			if _, err := pb.NewMaintenanceClient(c.conn).Status(ctx, &pb.StatusRequest{}); err != nil {
				return c.fail(ctx, err)
			}
			break
		}
		if !c.conn.WaitForStateChange(ctx, state) {
			return c.fail(ctx, ctx.Err())
		}
	}
	if c.config.User == "" {
		return nil
	}
	return c.authenticate(ctx)
}

// Close ends the connection.
func (c *Client) Close() error { return c.etcd.Close() }

// Endpoint returns what was dialled.
func (c *Client) Endpoint() string { return c.config.Endpoint }

// Status is what a member says of itself.
type Status struct {
	Version         string // of the server, such as 3.6.16
	StorageVersion  string // of its database; empty before etcd 3.6
	ClusterID       uint64
	MemberID        uint64
	Leader          uint64 // ID of the leader, 0 if there is none
	Learner         bool
	Revision        int64
	Size            int64 // of the database, in bytes
	SizeInUse       int64 // of its pages that are not free
	RaftTerm        uint64
	RaftIndex       uint64
	RaftApplied     uint64
	Errors          []string // what is the matter with it, such as an alarm
	DowngradeTarget string   // the version to which a downgrade is going on
}

// Status asks the member for its status. It doesn't need a leader, and no right of a user.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	ctx, cancel := withTimeout(ctx, c.config.CallTimeout)
	defer cancel()
	var r *pb.StatusResponse
	err := c.authenticated(ctx, func() (err error) {
		r, err = pb.NewMaintenanceClient(c.conn).Status(ctx, &pb.StatusRequest{})
		return err
	})
	if err != nil {
		return nil, c.fail(ctx, err)
	}
	h := r.GetHeader()
	return &Status{
		Version: r.GetVersion(), StorageVersion: r.GetStorageVersion(),
		ClusterID: h.GetClusterId(), MemberID: h.GetMemberId(), Leader: r.GetLeader(), Learner: r.GetIsLearner(),
		Revision: h.GetRevision(), Size: r.GetDbSize(), SizeInUse: r.GetDbSizeInUse(),
		RaftTerm: r.GetRaftTerm(), RaftIndex: r.GetRaftIndex(), RaftApplied: r.GetRaftAppliedIndex(),
		Errors: r.GetErrors(), DowngradeTarget: r.GetDowngradeInfo().GetTargetVersion(),
	}, nil
}

// HashKV is the hash that etcd computes over the history of the keys.
type HashKV struct {
	Hash            uint32
	Revision        int64 // of the store when it was computed
	HashRevision    int64 // up to which it was computed; 0: before etcd 3.6 it isn't told
	CompactRevision int64 // of the last compaction, behind which it begins
}

// HashKV asks for the hash up to a revision; 0 is the current one. It reads all of the member's
// history, which takes its time: only the context bounds it.
func (c *Client) HashKV(ctx context.Context, revision int64) (*HashKV, error) {
	var r *pb.HashKVResponse
	err := c.authenticated(ctx, func() (err error) {
		r, err = pb.NewMaintenanceClient(c.conn).HashKV(ctx, &pb.HashKVRequest{Revision: revision})
		return err
	})
	if err != nil {
		return nil, c.fail(ctx, err)
	}
	return &HashKV{
		Hash: r.GetHash(), Revision: r.GetHeader().GetRevision(),
		HashRevision: r.GetHashRevision(), CompactRevision: r.GetCompactRevision(),
	}, nil
}

// anySize lets an answer be as large as the server makes it.
var anySize = grpc.MaxCallRecvMsgSize(math.MaxInt32)
