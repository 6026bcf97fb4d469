package peer_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"

	"github.com/raftctl/raftctl/node/peer"
	"github.com/raftctl/raftctl/raftpb"
)

// printer is a Handler that prints what comes.
type printer struct{ came chan struct{} }

func (p printer) Process(_ context.Context, m raftpb.Message) error {
	fmt.Println(m.Type, "of term", m.Term, "from", m.From)
	close(p.came)
	return nil
}

func (printer) SaveDatabase(*raftpb.Message, io.Reader) error { return nil }
func (printer) IsRemoved(uint64) bool                         { return false }
func (printer) ReportUnreachable(uint64)                      {}
func (printer) ReportSnapshot(uint64, bool)                   {}
func (printer) Removed(uint64)                                {}

// Two members of a cluster, of which one sends the other a message.
func Example() {
	p := printer{came: make(chan struct{})}
	var members []*peer.Etcd
	var urls []string
	for id := uint64(1); id <= 2; id++ {
		server := httptest.NewUnstartedServer(nil)
		own := "http://" + server.Listener.Addr().String()
		m, err := peer.New(peer.Config{
			ID: id, ClusterID: 7, Handler: p, URLs: func() []string { return []string{own} },
			Version: func() string { return "3.6.14" },
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		server.Config.Handler = m.HTTP()
		server.Start()
		defer server.Close()
		defer m.Stop()
		members, urls = append(members, m), append(urls, own)
	}
	fmt.Println(members[0].AddPeer(2, urls[1:]), members[1].AddPeer(1, urls[:1]))
	members[0].Send([]raftpb.Message{{Type: raftpb.MsgVote, From: 1, To: 2, Term: 5}})
	<-p.came
	// Output:
	// <nil> <nil>
	// MsgVote of term 5 from 1
}
