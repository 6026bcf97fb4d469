package metric

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestRegister(t *testing.T) {
	r := prometheus.NewRegistry()
	opts := prometheus.CounterOpts{Name: "seen_total", Help: "What was seen."}
	first := Register(r, prometheus.NewCounter(opts))
	if second := Register(r, prometheus.NewCounter(opts)); second != first {
		t.Error("another counter counts in place of the one that is registered")
	}
	Register(nil, prometheus.NewCounter(opts)).Inc()
	first.Inc()
	families, err := r.Gather()
	if err != nil || len(families) != 1 || families[0].Metric[0].GetCounter().GetValue() != 1 {
		t.Errorf("gathered %v, %v", families, err)
	}
}
