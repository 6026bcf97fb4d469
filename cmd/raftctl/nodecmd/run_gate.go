package nodecmd

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// gate is a feature that etcd 3.6 and later switch with --feature-gates, and 3.5 with a flag of its own.
type gate struct {
	name   string
	beta   bool                    // etcd has it for good, and on; else it is an experiment, and off
	at     func(s *settings) *bool // nil: it can't be switched
	not    bool                    // the field says the opposite
	reason string                  // why it can't
	old    string                  // the flag before there were gates
}

// featureGates are all of etcd's. A new one is a row here.
var featureGates = []gate{
	{name: "AllAlpha", reason: "name the features"},
	{name: "AllBeta", beta: true, reason: "name the features"},
	{name: "CompactHashCheck", at: func(s *settings) *bool { return &s.node.NoCompactHashCheck }, not: true,
		old: "experimental-compact-hash-check-enabled"},
	{name: "FastLeaseKeepAlive", beta: true, at: func(s *settings) *bool { return &s.node.NoFastLeaseRenewal }, not: true},
	{name: "InitialCorruptCheck", at: func(s *settings) *bool { return &s.node.InitialCorruptCheck },
		old: "experimental-initial-corrupt-check"},
	{name: "LeaseCheckpoint", at: func(s *settings) *bool { return &s.node.LeaseCheckpoints },
		old: "experimental-enable-lease-checkpoint"},
	{name: "LeaseCheckpointPersist", at: func(s *settings) *bool { return &s.node.LeaseCheckpointPersist },
		old: "experimental-enable-lease-checkpoint-persist"},
	{name: "PriorityRequest", reason: "all requests of clients are alike"},
	{name: "SetMemberLocalAddr", reason: "the system chooses the address that peers are called from"},
	{name: "StopGRPCServiceOnDefrag", at: func(s *settings) *bool { return &s.serve.API.StopOnDefrag },
		old: "experimental-stop-grpc-service-on-defrag"},
	{name: "TxnModeWriteWithSharedBuffer", beta: true, reason: "transactions always share the buffer of reads",
		old: "experimental-txn-mode-write-with-shared-buffer"},
}

// usual is what the feature is by default. AllBeta would switch all of its stage.
func (g *gate) usual() bool { return g.beta && g.name != "AllBeta" }

// on reports whether the feature is on.
func (g *gate) on(s *settings) bool {
	if g.at == nil {
		return g.usual()
	}
	return *g.at(s) != g.not
}

// tellFeatures tells in the metrics, as etcd does, which features are on.
func tellFeatures(s *settings, to prometheus.Registerer) error {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "etcd", Subsystem: "server", Name: "feature_enabled",
		Help: "Whether a feature is on (1) or off (0), by its name and stage.",
	}, []string{"name", "stage"})
	for i := range featureGates {
		g, stage := &featureGates[i], "ALPHA"
		if g.beta {
			stage = "BETA"
		}
		on := 0.0
		if g.on(s) {
			on = 1
		}
		v.WithLabelValues(g.name, stage).Set(on)
	}
	to.Unregister(v) // that of a member which ran before in this process
	return to.Register(v)
}

// value returns the value that switches the feature.
func (g *gate) value(s *settings) value {
	if g.at == nil {
		return refused{usual: []string{strconv.FormatBool(g.usual())}, reason: g.reason, truth: true}
	}
	return truth{at: g.at(s), not: g.not}
}

// gates is the text of --feature-gates.
type gates map[string]bool

// gateList is the flag --feature-gates.
type gateList struct{ s *settings }

func (v gateList) Type() string { return "list" }

func (v gateList) String() string {
	var pairs []string
	for name, on := range v.s.gates {
		pairs = append(pairs, name+"="+strconv.FormatBool(on))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}

func (v gateList) Set(s string) error {
	for pair := range strings.SplitSeq(s, ",") {
		name, text, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if name == "" && !ok {
			continue
		}
		on, err := strconv.ParseBool(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q, want NAME=true or NAME=false", pair)
		}
		i := slices.IndexFunc(featureGates, func(g gate) bool { return g.name == name })
		if i < 0 {
			return fmt.Errorf("unknown feature %q, want one of %s", name, gateNames())
		}
		if err := featureGates[i].value(v.s).Set(strconv.FormatBool(on)); err != nil {
			return fmt.Errorf("%s=%v: %w", name, on, err)
		}
		v.s.gates[name] = on
	}
	return nil
}

// gateNames returns the names of the features that can be switched.
func gateNames() string {
	var names []string
	for _, g := range featureGates {
		if g.at != nil {
			names = append(names, g.name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(a, b) })
	return strings.Join(names, ", ")
}
