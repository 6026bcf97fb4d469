package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What keeps an endpoint from being used, where there is something to do about it.
var (
	// ErrNoAnswer is returned when a server takes longer than it may.
	ErrNoAnswer = errors.New("no answer")

	// ErrServerCertificate is returned when the server's certificate is not one to trust.
	ErrServerCertificate = errors.New("the server's certificate is not accepted")

	// ErrClientCertificate is returned when the server wants another certificate of the client, or
	// one at all.
	ErrClientCertificate = errors.New("the server doesn't accept the client's certificate")

	// ErrNotTLS is returned when TLS is spoken to a server that doesn't.
	ErrNotTLS = errors.New("the server doesn't answer as one of TLS does")

	// ErrNotEtcd is returned when who answers doesn't speak the protocol: something else listens at the
	// port, or the server speaks TLS.
	ErrNotEtcd = errors.New("the server doesn't answer as etcd does")

	// ErrAuthentication is returned when the user or the password is wrong.
	ErrAuthentication = errors.New("authentication failed: wrong user or password")

	// ErrNoUser is returned when the server wants to know a user and none was given.
	ErrNoUser = errors.New("the server wants a user")

	// ErrPermission is returned when a user may not do what was asked for.
	ErrPermission = errors.New("permission denied")

	// ErrBroken is returned when the connection ends in the middle.
	ErrBroken = errors.New("the connection broke")

	// ErrCompacted is returned when the state as of a revision is no longer there.
	ErrCompacted = errors.New("compacted")
)

// Error is why something that was asked of an endpoint didn't succeed.
type Error struct {
	Endpoint string
	Err      error
}

// Error formats the error as "127.0.0.1:2379: dial tcp 127.0.0.1:2379: connect: connection refused".
func (e *Error) Error() string { return e.Endpoint + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// timeoutError is the cause with which a context ends that waited for too long.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string { return fmt.Sprintf("%v within %v", ErrNoAnswer, e.after) }
func (e timeoutError) Unwrap() error { return ErrNoAnswer }

// withTimeout is context.WithTimeout with a cause that says how long it was.
func withTimeout(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, after, timeoutError{after})
}

// fail returns what an error of a request means. A context that ended is what counts: what was asked
// for then fails in any of several ways.
func (c *Client) fail(ctx context.Context, err error) error {
	if told, ok := errors.AsType[*Error](err); ok {
		return told
	}
	return &Error{Endpoint: c.config.Endpoint, Err: reason(ctx, err)}
}

func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return fmt.Errorf("%w in time: %w", ErrNoAnswer, cause) // a deadline of the caller's
		}
		return cause
	}
	if known := knownError(err); known != nil {
		return known
	}
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	text := plainText(s.Message())
	if s.Code() == codes.Unavailable {
		for _, f := range failures {
			if strings.Contains(s.Message(), f.part) {
				return fmt.Errorf("%w: %s", f.err, text)
			}
		}
	}
	return errors.New(text)
}

// errStale is returned when the server no longer takes a token.
var errStale = errors.New("the token is no longer valid")

// knownErrors are etcd's own. Up to 3.5, some requests return them as text only.
var knownErrors = []struct {
	of   error
	text string
	is   error
}{
	{rpctypes.ErrAuthFailed, "", ErrAuthentication},
	{rpctypes.ErrUserNotFound, "", ErrAuthentication},
	{rpctypes.ErrUserEmpty, "auth: user name is empty", ErrNoUser},
	{rpctypes.ErrPermissionDenied, "auth: permission denied", ErrPermission},
	{rpctypes.ErrPermissionNotGranted, "", ErrPermission},
	{rpctypes.ErrCompacted, "", ErrCompacted},
	{rpctypes.ErrInvalidAuthToken, "auth: invalid auth token", errStale},
	{rpctypes.ErrAuthOldRevision, "auth: revision in header is old", errStale},
}

// knownError returns what an error of etcd's own means, or nil.
func knownError(err error) error {
	own := rpctypes.Error(err)
	for _, k := range knownErrors {
		if errors.Is(own, k.of) || k.text != "" && status.Convert(err).Message() == k.text {
			return k.is
		}
	}
	return nil
}

// failures tells by a part of its text what kept a connection from being made, or ended it.
var failures = []struct {
	part string
	err  error
}{
	{"first record does not look like a TLS handshake", ErrNotTLS},
	{"handshake failed: EOF", ErrNotTLS},
	{"remote error: tls:", ErrClientCertificate},
	{"tls: failed to verify certificate", ErrServerCertificate},
	{"x509:", ErrServerCertificate},
	{"error reading server preface", ErrNotEtcd},
	{"error reading from server", ErrBroken},
	{"transport is closing", ErrBroken},
	{"connection reset by peer", ErrBroken},
	{"keepalive ping failed", ErrNoAnswer},
}

// wrappings is what gRPC puts around the reason why a connection failed, and etcd before its own.
var wrappings = []string{
	`connection error: desc = "`, "transport: ", "authentication handshake failed: ", "Error while dialing: ",
	"etcdserver: ", "mvcc: ",
}

// plainText returns a message without what gRPC wraps around it.
func plainText(s string) string {
	wrapped := false
	for _, w := range wrappings {
		if rest, ok := strings.CutPrefix(s, w); ok {
			s, wrapped = rest, wrapped || strings.HasSuffix(w, `"`)
		}
	}
	if wrapped {
		s = strings.ReplaceAll(strings.TrimSuffix(s, `"`), `\"`, `"`)
	}
	return s
}
