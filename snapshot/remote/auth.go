package remote

import (
	"context"
	"errors"
	"sync/atomic"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// token is what a server gave for a name and a password, and goes with every request.
type token struct{ value atomic.Pointer[string] }

// GetRequestMetadata returns the token in the form in which it is sent.
func (t *token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	v := t.value.Load()
	if v == nil {
		return nil, nil
	}
	return map[string]string{rpctypes.TokenFieldNameGRPC: *v}, nil
}

// RequireTransportSecurity says that a token may travel in the clear, as the password did.
func (t *token) RequireTransportSecurity() bool { return false }

// authenticate gets a token. A server that knows no users needs none.
func (c *Client) authenticate(ctx context.Context) error {
	c.token.value.Store(nil)
	r, err := pb.NewAuthClient(c.conn).Authenticate(ctx, &pb.AuthenticateRequest{
		Name: c.config.User, Password: c.config.Password,
	})
	switch {
	case errors.Is(rpctypes.Error(err), rpctypes.ErrAuthNotEnabled):
		return nil
	case err != nil:
		return c.fail(ctx, err)
	}
	c.token.value.Store(&r.Token)
	return nil
}

// authenticated makes a request, and once more with a new token if the server no longer knows the old
// one: tokens end with time, and with every change of the users.
func (c *Client) authenticated(ctx context.Context, request func() error) error {
	err := request()
	if knownError(err) != errStale || c.config.User == "" {
		return err
	}
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	return request()
}
