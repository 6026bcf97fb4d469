package capture_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
)

// What a capture tells that a member sent and received is to the byte what etcd's own counters say. These count messages
// without what frames them; those on the append stream as long as they would be elsewhere. Sent are link heartbeats too,
// which count as the message that they are on the message stream, on either; what is received of them counts for no member.
func TestRealCounters(t *testing.T) {
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		for _, leads := range []bool{true, false} {
			t.Run(fmt.Sprint(version, " leads ", leads), func(t *testing.T) { testCounters(t, version, leads) })
		}
	}
}

func testCounters(t *testing.T, version string, leads bool) {
	peers := etcdtest.Peers(t, 3)
	for i := range peers {
		peers[i].DataDir = t.TempDir()
	}
	p := newTap(t, ports(t, peers))
	all := etcdtest.StartCluster(t, version, peers, "--initial-cluster", etcdtest.InitialCluster(peers), // it asks for votes seldom
		"--heartbeat-interval", "100", "--election-timeout", "2000")
	for i := range 12 {
		all[i%3].Ctl("put", fmt.Sprint("key", i), strings.Repeat("v", 1+i*i*i*80))
	}
	one, pairs := leaderOf(t, all), 2
	if !leads {
		one, pairs = (one+1)%len(all), 1 // followers may have nothing to say to each other
	}
	for i, s := range all {
		if i != one {
			s.Pause() // nothing comes from it any more; what it sent, the one gets
		}
	}
	says := settled(t, all[one])
	data := p.stop()
	sent, received := weigh(t, data, peers, peers[one].Name, says.at, scales[version])
	if len(sent) < pairs || len(received) < pairs || !maps.Equal(sent, says.sent) || !maps.Equal(received, says.received) {
		t.Errorf("captured %v sent, %v received; counted %v and %v", sent, received, says.sent, says.received)
	}
}

// counted is what a member counts, by the member at the other end.
type counted struct {
	at             time.Time // when it was asked
	sent, received map[uint64]int64
}

// settled returns what a member counts, once that stays the same for a while: nothing is on its way then, and what
// was sent before it was asked is counted.
func settled(t *testing.T, s *etcdtest.Server) counted {
	t.Helper()
	const same = 10
	var list []counted
	for late := time.Now().Add(time.Minute); time.Now().Before(late); time.Sleep(10 * time.Millisecond) {
		c := count(t, s)
		if n := len(list); n > 0 && (!maps.Equal(c.sent, list[0].sent) || !maps.Equal(c.received, list[0].received)) {
			list = nil
		}
		if list = append(list, c); len(list) == same {
			return list[same/2]
		}
	}
	t.Fatal("a member that hears nobody goes on talking")
	return counted{}
}

// count asks a member for its counters of other members.
func count(t *testing.T, s *etcdtest.Server) counted {
	t.Helper()
	c := counted{at: time.Now(), sent: map[uint64]int64{}, received: map[uint64]int64{}}
	response, err := http.Get(s.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	c.take(t, c.sent, families["etcd_network_peer_sent_bytes_total"])
	c.take(t, c.received, families["etcd_network_peer_received_bytes_total"])
	return c
}

func (c *counted) take(t *testing.T, to map[uint64]int64, family *dto.MetricFamily) {
	t.Helper()
	for _, m := range family.GetMetric() {
		id, err := strconv.ParseUint(m.GetLabel()[0].GetValue(), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if id != 0 { // which received link heartbeats are from
			to[id] = int64(m.GetCounter().GetValue())
		}
	}
}

// scale is how a release encodes messages.
type scale struct {
	flavor raftpb.Flavor
	more   int64 // bytes that each has besides
}

var scales = map[string]scale{
	"3.5": {raftpb.FlavorGogo, 10}, // a snapshot, if an empty one, but no vote
	"3.6": {raftpb.FlavorGogo, 0},
	"3.7": {raftpb.FlavorPbgo, 0},
}

func (s scale) of(m *raftpb.Message) int64 {
	bare := *m
	bare.Snapshot = nil // which none has here, but for an empty one
	return int64(bare.Size(s.flavor)) + s.more
}

// weigh sums up what a capture has of a member's messages up to a time.
func weigh(t *testing.T, data []byte, peers []etcdtest.Peer, name string, until time.Time, s scale) (sent, received map[uint64]int64) {
	t.Helper()
	id := idOf(t, data, peers, name)
	c, err := capture.Open(bytes.NewReader(data), capture.Options{Ports: ports(t, peers)})
	if err != nil {
		t.Fatal(err)
	}
	beat := raftpb.Message{Type: raftpb.MsgHeartbeat}
	sent, received = map[uint64]int64{}, map[uint64]int64{}
	for e, err := range c.Events() {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == stream.KindGap:
			t.Errorf("a gap: %s", e.Gap.Reason)
		case e.Time.After(until):
		case e.Kind == stream.KindLinkHeartbeat && e.From == id:
			sent[e.To] += s.of(&beat)
		case e.Kind == stream.KindMessage && e.From == id:
			sent[e.To] += s.weight(e)
		case e.Kind == stream.KindMessage && e.To == id:
			received[e.From] += s.weight(e)
		}
	}
	return sent, received
}

// weight is what a message counts for. On the message stream it is what came, less its length in front: etcd 3.7 writes some
// fields that are zero.
func (s scale) weight(e *stream.Event) int64 {
	if e.Channel == stream.ChannelMessage {
		return e.Size - 8
	}
	return s.of(e.Message)
}

// idOf returns a member's ID, which the capture tells.
func idOf(t *testing.T, data []byte, peers []etcdtest.Peer, name string) uint64 {
	t.Helper()
	id, ok := read(t, data, peers, nil).names.ByName(name)
	if !ok {
		t.Fatalf("no name of %s", name)
	}
	return id
}
