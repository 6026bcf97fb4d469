package etcdapi

import (
	grpchealth "google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// health is gRPC's own health service. It speaks of the server as a whole, whose service has no name.
type health struct{ *grpchealth.Server }

// newHealth returns a service that says that the server serves: it is not reached before it does.
func newHealth() *health {
	h := &health{grpchealth.NewServer()}
	h.set(true)
	return h
}

func (h *health) set(serving bool) {
	status := grpc_health_v1.HealthCheckResponse_NOT_SERVING
	if serving {
		status = grpc_health_v1.HealthCheckResponse_SERVING
	}
	h.SetServingStatus("", status)
}
