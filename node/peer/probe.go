package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// probe asks the member from time to time how it is, over the connections of either kind. It is for the
// log only: whether a member is active is told by what it sends.
func (m *member) probe(ctx context.Context) {
	ticker := time.NewTicker(m.t.cfg.times.probe)
	defer ticker.Stop()
	probes := []*prober{{m: m, name: "streams", client: m.t.streams}, {m: m, name: "others", client: m.t.others}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, p := range probes {
				p.once(ctx)
			}
		}
	}
}

// prober probes over one kind of connections.
type prober struct {
	m       *member
	name    string
	client  http.RoundTripper
	at      int // counts failures, and so chooses the URL
	sick    bool
	drifted bool
}

// maxDrift is how far two clocks may be apart.
const maxDrift = time.Second

func (p *prober) once(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.m.t.cfg.times.idle)
	defer cancel()
	start := time.Now()
	h, err := p.ask(ctx)
	took := time.Since(start)
	if ctx.Err() == context.Canceled {
		return
	}
	if err != nil {
		p.at++
	}
	if sick := err != nil; sick != p.sick {
		p.sick = sick
		p.m.log.Warn("probe", "connections", p.name, "healthy", !sick, "error", err)
	}
	if err != nil {
		return
	}
	p.m.counts.roundTrip.Observe(took.Seconds())
	drift := start.Add(took / 2).Sub(h.Now)
	if drifted := drift.Abs() > maxDrift; drifted != p.drifted {
		p.drifted = drifted
		p.m.log.Warn("clocks", "connections", p.name, "differ", drifted, "by", drift, "round trip", took)
	}
}

func (p *prober) ask(ctx context.Context) (h health, err error) {
	u := p.m.urls.nth(p.at)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, under(u, pathProbing), nil)
	if err != nil {
		return h, err
	}
	resp, err := p.client.RoundTrip(req)
	if err != nil {
		return h, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&h); err != nil {
		return h, err
	}
	if resp.StatusCode != http.StatusOK || !h.OK {
		return h, fmt.Errorf("status %d, OK is %t", resp.StatusCode, h.OK)
	}
	return h, nil
}
