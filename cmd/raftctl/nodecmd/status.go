package nodecmd

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/endpoint"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
)

type statusOptions struct {
	endpoint endpoint.Options
	cluster  bool
	output   ui.Output

	names []string // the endpoints
}

// defaultEndpoint is asked if none is named: etcdctl's.
const defaultEndpoint = "127.0.0.1:2379"

func newStatus(a *ui.App) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [ENDPOINT…]",
		Short: "Tell how members are: role, term, index, lag, alarms, versions, sizes",
		Long: `Asks members how they are: raftctl's or etcd's, 3.4 to 3.7. Nothing is changed or put into the log, and
each answers by what it knows itself, also without a leader.

ENDPOINT is host:port, http://host:port, https://host:port, or unix:///path of a socket; without one
it is 127.0.0.1:2379. With --cluster, all members are asked that those know, at the URLs that they tell.
The flags of the connection are etcdctl's, and like there, each may come from the environment.

INDEX is the last entry that the member knows to be committed, APPLIED the last one in its state, and LAG how
many entries its state is behind the highest index of all who were asked. The answers are not of one moment:
while there are writes, a lag of some entries is none.

A member has a problem if it knows no leader, if there is an alarm, if its state is far behind (5000 entries;
etcd's members then refuse writes), or if members don't agree: on the leader of a term, on the
cluster, on who is a member. The exit status is 1 if any has a problem, else 3 if any could not be asked.`,
		Example: `  raftctl node status
  raftctl node status 10.0.0.1:2379 10.0.0.2:2379 10.0.0.3:2379
  raftctl node status --cluster https://10.0.0.1:2379 --cacert ca.crt --cert client.crt --key client.key
  raftctl node status -o jsonl | jq 'select(.verdict != "ok")'`,
		PreRunE: func(cmd *cobra.Command, args []string) error { return o.resolve(cmd, a, args) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), a, &o) },
	}
	o.endpoint.Register(cmd)
	cmd.Flags().BoolVar(&o.cluster, "cluster", false, "ask all members that the ENDPOINTs know")
	o.output.Register(cmd)
	return cmd
}

// resolve says how to reach each endpoint.
func (o *statusOptions) resolve(cmd *cobra.Command, a *ui.App, args []string) error {
	if len(args) == 0 {
		args = []string{defaultEndpoint}
	}
	for _, arg := range args {
		if !endpoint.Is(a, arg) {
			return ui.Usagef(cmd, "%s is a path, want an endpoint such as %s", ui.Quote(arg), defaultEndpoint)
		}
		if err := o.endpoint.Resolve(cmd, a, arg); err != nil {
			return err
		}
		if slices.Contains(o.names, arg) {
			return ui.Usagef(cmd, "%s is there twice", ui.Quote(arg))
		}
		o.names = append(o.names, arg)
	}
	return nil
}

func runStatus(ctx context.Context, a *ui.App, o *statusOptions) error {
	members, err := o.ask(ctx)
	if err != nil {
		return err
	}
	judge(members)
	err = ui.WriteAll(&o.output, a.Out, members, func() error { return printStatus(a, members) })
	if err != nil {
		return err
	}
	return statusOf(members)
}

// statusOf returns the error with which the command ends, if it does with one.
func statusOf(members []*memberStatus) error {
	has := func(v verdict.Verdict) bool {
		return slices.ContainsFunc(members, func(m *memberStatus) bool { return m.Verdict == v })
	}
	switch {
	case has(verdict.Problem):
		return ui.ExitError{Status: ui.StatusDamage}
	case has(verdict.Unchecked):
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}

// memberStatus is how a member is, and its JSON: see docs/json.md.
type memberStatus struct {
	Endpoint string          `json:"endpoint"`
	Verdict  verdict.Verdict `json:"verdict"`
	Problems []string        `json:"problems"`
	Error    string          `json:"error,omitempty"` // why it couldn't be asked

	ClusterID       string `json:"cluster_id,omitempty"`
	MemberID        string `json:"member_id,omitempty"`
	Name            string `json:"name,omitempty"`
	Role            string `json:"role,omitempty"` // leader, follower, learner; "candidate": it knows no leader
	LeaderID        string `json:"leader_id,omitempty"`
	Term            uint64 `json:"term"`
	Index           uint64 `json:"index"`
	Applied         uint64 `json:"applied"`
	Lag             uint64 `json:"lag"`
	Revision        int64  `json:"revision"`
	Version         string `json:"server_version,omitempty"`
	StorageVersion  string `json:"storage_version,omitempty"`
	DowngradeTarget string `json:"downgrade_target,omitempty"`
	Size            int64  `json:"db_size"`
	SizeInUse       int64  `json:"db_size_in_use"`

	Alarms  []alarm       `json:"alarms"`
	Members []knownMember `json:"members"`
}

// alarm is something that keeps members from taking changes.
type alarm struct {
	MemberID string `json:"member_id"`
	Kind     string `json:"alarm"`
}

// knownMember is a member as another knows it.
type knownMember struct {
	ID         string   `json:"member_id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls"`
	Learner    bool     `json:"learner"`
}
