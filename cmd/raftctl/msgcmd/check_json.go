package msgcmd

import (
	"encoding/json"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/verdict"
)

// checked is the result of `message check`, and its JSON: see docs/json.md.
type checked struct {
	Verdict verdict.Verdict `json:"verdict"`
	Cluster string          `json:"cluster_id,omitempty"`
	Members []string        `json:"members"`
	Sources []string        `json:"sources"`
	Events  int64           `json:"events"`
	Rules   []checkedRule   `json:"rules"`
}

// checkedRule is the verdict about a rule.
type checkedRule struct {
	Rule       string          `json:"rule"`
	Meaning    string          `json:"meaning"`
	Verdict    verdict.Verdict `json:"verdict"`
	Checked    int64           `json:"checked"`
	Given      int64           `json:"given"`
	Unchecked  int64           `json:"unchecked"`
	Reasons    []checkedReason `json:"reasons"`
	Violations []violation     `json:"violations"`
	Omitted    int64           `json:"omitted"`
}

type checkedReason struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// violation is a violation with the messages that prove it.
type violation struct {
	Found  string          `json:"found"`
	First  json.RawMessage `json:"first"` // null where there is none
	Second json.RawMessage `json:"second"`
}

func (p *checkPrinter) json() *checked {
	c := &checked{
		Verdict: p.report.Verdict, Cluster: clusterID(p.cluster), Members: hexIDs(p.members), Sources: p.sources,
		Events: p.report.Events,
	}
	for i := range p.report.Rules {
		r := &p.report.Rules[i]
		x := checkedRule{
			Rule: string(r.Name), Meaning: r.Doc, Verdict: r.Verdict, Checked: r.Checked, Given: r.Given,
			Unchecked: r.Unchecked, Reasons: []checkedReason{}, Violations: []violation{}, Omitted: r.Omitted,
		}
		for _, why := range r.Reasons {
			x.Reasons = append(x.Reasons, checkedReason{why.Why, why.Count})
		}
		for _, v := range r.Violations {
			x.Violations = append(x.Violations, violation{v.Found, p.event(v.First), p.event(v.Second)})
		}
		c.Rules = append(c.Rules, x)
	}
	return c
}

// event returns an event as JSON, null for none.
func (p *checkPrinter) event(e *stream.Event) json.RawMessage {
	if e == nil {
		return nil
	}
	return p.appendJSON(nil, e)
}
