// Package metric registers metrics.
package metric

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Register registers a metric, or returns the one that is registered in its place: all members of a registry,
// of which a process has one, count together. With no registry it counts for nobody.
func Register[T prometheus.Collector](to prometheus.Registerer, c T) T {
	if to == nil {
		return c
	}
	if was, ok := errors.AsType[prometheus.AlreadyRegisteredError](to.Register(c)); ok {
		if old, ok := was.ExistingCollector.(T); ok {
			return old
		}
	}
	return c
}
