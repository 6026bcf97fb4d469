package capture_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/tls"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/rawsocket"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// tap captures what goes over the loopback interface, into memory. It takes the right to do that, as root has it.
type tap struct {
	t    *testing.T
	s    *rawsocket.Socket
	buf  bytes.Buffer
	done sync.WaitGroup
}

func newTap(t *testing.T, ports []uint16) *tap {
	t.Helper()
	s, err := rawsocket.Open("lo", ports...)
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{t: t, s: s}
	w := pcapgo.NewWriterNanos(&p.buf)
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	p.done.Go(func() {
		b := make([]byte, 1<<18)
		for {
			n, at, err := s.Read(b)
			if err != nil {
				return
			}
			ci := gopacket.CaptureInfo{Timestamp: at, CaptureLength: n, Length: n}
			if err := w.WritePacket(ci, b[:n]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	return p
}

// stop returns the capture.
func (p *tap) stop() []byte {
	p.t.Helper()
	p.s.Stop()
	p.done.Wait()
	if n, err := p.s.Dropped(); err != nil || n > 0 {
		p.t.Errorf("%d packets dropped, %v", n, err)
	}
	if err := p.s.Close(); err != nil {
		p.t.Error(err)
	}
	return p.buf.Bytes()
}

// seen is what a capture tells.
type seen struct {
	entries   map[uint64]map[uint64]raftpb.Entry // that a member was sent, by index
	acked     map[uint64]uint64                  // up to which index it has answered
	types     map[raftpb.MessageType]int
	channels  map[stream.Channel]int
	exchanges map[string]int // by path and status
	names     stream.Names
	beats     int
	gaps      []string
}

// read decodes a capture of the ports of members, under TLS with the keys.
func read(t *testing.T, data []byte, peers []etcdtest.Peer, keys *tls.Keys) *seen {
	t.Helper()
	c, err := capture.Open(bytes.NewReader(data), capture.Options{Source: "lo", Ports: ports(t, peers), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{entries: map[uint64]map[uint64]raftpb.Entry{}, acked: map[uint64]uint64{},
		types: map[raftpb.MessageType]int{}, channels: map[stream.Channel]int{}, exchanges: map[string]int{}}
	var last time.Time
	for e, err := range c.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Time.Before(last) {
			t.Errorf("an event of %v after one of %v", e.Time, last)
		}
		last = e.Time
		s.add(t, e)
	}
	t.Logf("%+v; %v, %v, %v, %d link heartbeats", c.Counts(), s.types, s.channels, s.exchanges, s.beats)
	return s
}

func ports(t *testing.T, peers []etcdtest.Peer) (list []uint16) {
	t.Helper()
	for _, p := range peers {
		u, err := url.Parse(p.URL)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, uint16(n))
	}
	return list
}

func (s *seen) add(t *testing.T, e *stream.Event) {
	t.Helper()
	s.names.Learn(e)
	switch e.Kind {
	case stream.KindGap:
		s.gaps = append(s.gaps, fmt.Sprintf("%x>%x %s: %s", e.From, e.To, e.Channel, e.Gap.Reason))
	case stream.KindLinkHeartbeat:
		s.beats++
	case stream.KindExchange:
		s.exchanges[e.Exchange.Path[:min(len(e.Exchange.Path), 16)]+strconv.Itoa(e.Exchange.Status)]++
	case stream.KindMessage:
		m := e.Message
		s.types[m.Type]++
		s.channels[e.Channel]++
		if m.From == 0 || m.To == 0 || m.From != e.From || m.To != e.To {
			t.Errorf("%v of %x>%x by %x>%x", m.Type, m.From, m.To, e.From, e.To)
		}
		if m.Type == raftpb.MsgAppResp && !m.Reject {
			s.acked[m.From] = max(s.acked[m.From], m.Index)
		}
		for _, entry := range m.Entries {
			if m.Type != raftpb.MsgApp {
				break
			}
			if s.entries[m.To] == nil {
				s.entries[m.To] = map[uint64]raftpb.Entry{}
			}
			entry.Data = bytes.Clone(entry.Data)
			s.entries[m.To][entry.Index] = entry
		}
	}
}

// steady are flags of servers that elect a leader soon, and keep it while a machine is busy.
var steady = []string{"--heartbeat-interval", "50", "--election-timeout", "500"}

// The dump of a real cluster's traffic has what its members' logs have, and nothing that can't be told.
func TestRealCluster(t *testing.T) {
	for _, version := range []string{"3.6", "3.5", "3.7"} {
		t.Run(version, func(t *testing.T) {
			peers := etcdtest.Peers(t, 3)
			for i := range peers {
				peers[i].DataDir = t.TempDir()
			}
			p := newTap(t, ports(t, peers))
			all := etcdtest.StartCluster(t, version, peers, append([]string{"--initial-cluster", etcdtest.InitialCluster(peers)}, steady...)...)
			for i := range 6 {
				all[i%3].Ctl("put", fmt.Sprint("key", i), strings.Repeat("v", 1+i*i*i*800))
			}
			if version == "3.6" {
				transferAndMore(t, all)
			}
			waitForLogs(t, all)
			data := p.stop()
			for _, s := range all {
				s.Stop()
			}
			s := read(t, data, peers, nil)
			if len(s.gaps) > 0 {
				t.Errorf("gaps: %q", s.gaps)
			}
			compareLogs(t, s, peers)
			for _, want := range []raftpb.MessageType{raftpb.MsgApp, raftpb.MsgAppResp, raftpb.MsgHeartbeat, raftpb.MsgVoteResp, raftpb.MsgProp} {
				if s.types[want] == 0 {
					t.Errorf("no %v", want)
				}
			}
			if version == "3.6" && (s.types[raftpb.MsgTimeoutNow] == 0 || s.exchanges["/leases200"] == 0 || s.exchanges["/version200"] == 0) {
				t.Error("of what the 3.6 cluster was made to do, something is missing")
			}
			keep(t, data, version)
			testDamaged(t, data, s, peers, nil)
		})
	}
}

// A member that was away too long is sent a snapshot: its message is told, and how large the database was.
func TestRealSnapshot(t *testing.T) {
	peers := etcdtest.Peers(t, 3)
	for i := range peers {
		peers[i].DataDir = t.TempDir()
	}
	flags := append([]string{"--initial-cluster", etcdtest.InitialCluster(peers), "--snapshot-count", "5",
		"--snapshot-catchup-entries", "5"}, steady...)
	all := etcdtest.StartCluster(t, "3.6", peers, flags...)
	leader := leaderOf(t, all)
	away := (leader + 1) % len(all)
	all[away].Kill()
	for i := range 30 {
		all[leader].Ctl("put", fmt.Sprint("key", i), strings.Repeat("v", 1000))
	}
	p := newTap(t, ports(t, peers))
	all[away] = etcdtest.StartCluster(t, "3.6", peers[away:away+1], flags...)[0]
	waitForLogs(t, all)
	c, err := capture.Open(bytes.NewReader(p.stop()), capture.Options{Ports: ports(t, peers)})
	if err != nil {
		t.Fatal(err)
	}
	var note string
	var index uint64
	for e, err := range c.Events() {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == stream.KindMessage && e.Message.Type == raftpb.MsgSnap && e.Channel == stream.ChannelSnapshot:
			index = e.Message.Snapshot.Metadata.Index
		case e.Kind == stream.KindExchange && e.Channel == stream.ChannelSnapshot:
			note = fmt.Sprint(e.Exchange.Status, " ", e.Exchange.Note)
		}
	}
	if index < 20 || !strings.HasPrefix(note, "204 database of ") {
		t.Errorf("snapshot of index %d, %q", index, note)
	}
}

// keep writes a capture to the folder that RAFTCTL_KEEP_CAPTURE names, as those in testdata were made.
func keep(t *testing.T, data []byte, version string) {
	t.Helper()
	dir := os.Getenv("RAFTCTL_KEEP_CAPTURE")
	if dir == "" {
		return
	}
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "peers-"+version+".pcap.zst"), packed.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// transferAndMore lets members do what they do seldom.
func transferAndMore(t *testing.T, all []*etcdtest.Server) {
	t.Helper()
	for i, s := range all { // two of them ask the leader
		grant := strings.Fields(string(s.Ctl("lease", "grant", "60")))
		if len(grant) < 2 {
			t.Fatalf("%q", grant)
		}
		s.Ctl("lease", "keep-alive", "--once", grant[1])
		s.Ctl("put", "--lease", grant[1], fmt.Sprint("leased", i), "v")
	}
	all[0].Ctl("put", "/registry/secrets/default/db", `{"kind":"Secret","apiVersion":"v1","data":{"password":"aHVudGVyMg=="}}`)
	all[1].Ctl("put", "/registry/pods/default/web", `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default"}}`)
	all[2].Ctl("del", "--prefix", "key")
	leader := leaderOf(t, all)
	other := all[(leader+1)%len(all)]
	all[leader].Ctl("move-leader", field(string(other.Ctl("endpoint", "status", "-w", "fields", "--hex")), "MemberID"))
}

// leaderOf returns which member leads.
func leaderOf(t *testing.T, all []*etcdtest.Server) int {
	t.Helper()
	for i, s := range all {
		status := string(s.Ctl("endpoint", "status", "-w", "fields"))
		if field(status, "MemberID") == field(status, "Leader") {
			return i
		}
	}
	t.Fatal("nobody leads")
	return 0
}

// field returns a field of what etcdctl says of a status.
func field(status, name string) string {
	for line := range strings.Lines(status) {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.Trim(n, `" `) == name {
			return strings.Trim(v, "\" \n")
		}
	}
	return ""
}

// waitForLogs waits until the members have the same entries.
func waitForLogs(t *testing.T, all []*etcdtest.Server) {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		applied := map[string]bool{}
		for _, s := range all {
			applied[field(string(s.Ctl("endpoint", "status", "-w", "fields")), "RaftAppliedIndex")] = true
		}
		if len(applied) == 1 {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("applied %v", applied)
		}
	}
}

// compareLogs checks that each entry that a follower has acknowledged was seen on its way to it.
func compareLogs(t *testing.T, s *seen, peers []etcdtest.Peer) {
	t.Helper()
	checked := 0
	for _, p := range peers {
		id, ok := s.names.ByName(p.Name)
		if !ok {
			t.Errorf("no name of %s", p.Name)
		}
		sent := s.entries[id]
		for _, e := range liveEntries(t, p.DataDir) {
			const made = 3 // those that members make by themselves when the cluster begins
			if e.Index <= made || e.Index > s.acked[id] || !hasBefore(sent, e.Index) {
				continue
			}
			if got, ok := sent[e.Index]; !ok || got.Term != e.Term || got.Type != e.Type || !bytes.Equal(got.Data, e.Data) {
				t.Errorf("%s: entry %v was not seen as it is in the log", p.Name, e.ID())
			}
			checked++
		}
	}
	if checked < 20 {
		t.Errorf("%d entries compared, want 20 or more", checked)
	}
}

// hasBefore reports whether a member was sent entries up to there: it wasn't those that it appended as leader.
func hasBefore(sent map[uint64]raftpb.Entry, index uint64) bool {
	for i := range sent {
		if i <= index {
			return true
		}
	}
	return false
}

func liveEntries(t *testing.T, dir string) (list []raftpb.Entry) {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	for rec, err := range log.Records(wal.Inspect) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind != wal.KindEntry {
			continue
		}
		var e raftpb.Entry
		if err := e.Unmarshal(rec.Data); err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(list, func(old raftpb.Entry) bool { return old.Index >= e.Index }); i >= 0 {
			list = list[:i]
		}
		list = append(list, e)
	}
	return list
}
