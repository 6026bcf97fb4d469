package etcdapi

import (
	"context"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// olderThan tells whether the member stands for an older release. What its answers then differ in is here.
func (s *service) olderThan(release string) bool { return s.node.Config().As < release }

// kvMethods describes the service KV: before 3.7 a range comes in one piece only.
func (s *service) kvMethods() *grpc.ServiceDesc {
	d := pb.KV_ServiceDesc
	if s.olderThan("3.7") {
		d.Streams = nil
	}
	return &d
}

// requireUpkeep is requireAdmin for what is done to a member's files. It returns what the client gets: of etcd 3.5
// that is the error without a code.
func (s *service) requireUpkeep(ctx context.Context) error {
	err := s.requireAdmin(ctx)
	if err == nil || s.olderThan("3.6") {
		return err
	}
	return statusOf(err)
}

// requireStatus refuses to say whether there are users to whom etcd doesn't say it: before 3.7 only root is told.
func (s *service) requireStatus(ctx context.Context) error {
	if s.olderThan("3.7") {
		return s.requireAdmin(ctx)
	}
	return nil
}

// alarmText returns an alarm as the status of a member has it: with a space at its end before 3.7.
func (s *service) alarmText(a *pb.AlarmMember) string {
	text := fmt.Sprintf("memberID:%d alarm:%s", a.MemberID, a.Alarm)
	if s.olderThan("3.7") {
		text += " "
	}
	return text
}
