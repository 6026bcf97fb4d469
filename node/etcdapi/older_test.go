package etcdapi

import (
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raftctl/raftctl/node"
)

// A member that stands for an older release answers as that one does where they differ.
func TestOlderReleases(t *testing.T) {
	for _, c := range []struct {
		release        string
		upkeep, status codes.Code
		alarm          string
	}{
		{"3.5", codes.Unknown, codes.InvalidArgument, " "},
		{"3.6", codes.InvalidArgument, codes.InvalidArgument, " "},
		{"3.7", codes.InvalidArgument, codes.OK, ""},
	} {
		t.Run(c.release, func(t *testing.T) {
			t.Parallel()
			_, endpoint := startNode(t, node.Config{As: c.release, BcryptCost: 4}, Options{})
			conn := dial(t, endpoint).conn
			users, upkeep := pb.NewAuthClient(conn), pb.NewMaintenanceClient(conn)
			if _, err := upkeep.Alarm(t.Context(), alarm(pb.AlarmRequest_ACTIVATE, pb.AlarmType_NOSPACE, 7)); err != nil {
				t.Fatal(err)
			}
			r, err := upkeep.Status(t.Context(), &pb.StatusRequest{})
			if err != nil {
				t.Fatal(err)
			}
			want := "memberID:7 alarm:NOSPACE" + c.alarm
			if got := strings.Join(r.Errors, ","); got != want {
				t.Errorf("errors %q, want %q", got, want)
			}
			if _, err := upkeep.Alarm(t.Context(), alarm(pb.AlarmRequest_DEACTIVATE, pb.AlarmType_NOSPACE, 7)); err != nil {
				t.Fatal(err)
			}
			enable(t, users)
			_, err = upkeep.HashKV(t.Context(), &pb.HashKVRequest{})
			if got := status.Code(err); got != c.upkeep {
				t.Errorf("hash for nobody: %v, want %v", err, c.upkeep)
			}
			_, err = users.AuthStatus(t.Context(), &pb.AuthStatusRequest{})
			if got := status.Code(err); got != c.status {
				t.Errorf("status for nobody: %v, want %v", err, c.status)
			}
		})
	}
}

// enable makes root the only user.
func enable(t *testing.T, users pb.AuthClient) {
	t.Helper()
	_, err := users.UserAdd(t.Context(), addUser("root", "x"))
	if err == nil {
		_, err = users.RoleAdd(t.Context(), &pb.AuthRoleAddRequest{Name: "root"})
	}
	if err == nil {
		_, err = users.UserGrantRole(t.Context(), &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"})
	}
	if err == nil {
		_, err = users.AuthEnable(t.Context(), &pb.AuthEnableRequest{})
	}
	if err != nil {
		t.Fatal(err)
	}
}
