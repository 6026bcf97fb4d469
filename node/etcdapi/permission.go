package etcdapi

import (
	"context"

	"go.etcd.io/etcd/server/v3/auth"
)

// requireUser refuses a request of nobody, unless there are no users.
func (s *service) requireUser(ctx context.Context) error {
	if !s.node.Store().Auth().IsAuthEnabled() {
		return nil
	}
	user, err := s.node.Caller(ctx)
	if err != nil {
		return err
	}
	if user == nil {
		return auth.ErrUserEmpty
	}
	return nil
}

// requireAdmin refuses a request of a user without role root.
func (s *service) requireAdmin(ctx context.Context) error {
	user, err := s.node.Caller(ctx)
	if err != nil {
		return err
	}
	return s.node.Store().Auth().IsAdminPermitted(user)
}

// permitted runs a read, as the user that ctx names, if that user may make it. What it yields is not given
// out if users or roles have changed since the user's token was issued.
func (s *service) permitted(
	ctx context.Context, allowed func(user *auth.AuthInfo) error, read func() error,
) error {
	user, err := s.node.Caller(ctx)
	if err != nil {
		return err
	}
	if user == nil {
		user = &auth.AuthInfo{} // nobody, to the checks
	}
	if err := allowed(user); err != nil {
		return err
	}
	err = read()
	if user.Revision != 0 && user.Revision != s.node.Store().Auth().Revision() {
		return auth.ErrAuthOldRevision
	}
	return err
}
