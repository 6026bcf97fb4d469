package capture_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/decode/stream/tls"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
)

// harms are what may be wrong with the capture of a real cluster.
var harms = []struct {
	name string
	do   func(rng *rand.Rand, list []packet) []packet
}{
	{"cut at the front", func(_ *rand.Rand, list []packet) []packet { return list[len(list)/3:] }},
	{"5 % missing", func(rng *rand.Rand, list []packet) []packet {
		return slices.DeleteFunc(list, func(packet) bool { return rng.IntN(20) == 0 })
	}},
	{"in another order", func(rng *rand.Rand, list []packet) []packet {
		for i := 0; i+2 < len(list); i += 3 {
			j := i + rng.IntN(3)
			list[i], list[j] = list[j], list[i]
		}
		return list
	}},
}

// packet is one of a capture.
type packet struct {
	info gopacket.CaptureInfo
	data []byte
}

// testDamaged decodes what is left of a capture after each harm, and after all of them: what is told then is what the whole
// one told, and keeps to the rules.
func testDamaged(t *testing.T, data []byte, whole *seen, peers []etcdtest.Peer, keys *tls.Keys) {
	t.Helper()
	all := packets(t, data)
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		together := slices.Clone(all)
		for i := range harms {
			testHarmed(t, harms[i].name, harms[i].do(rng, slices.Clone(all)), whole, peers, keys)
			together = harms[i].do(rng, together)
		}
		testHarmed(t, "all at once", together, whole, peers, keys)
	}
}

func testHarmed(t *testing.T, name string, list []packet, whole *seen, peers []etcdtest.Peer, keys *tls.Keys) {
	t.Helper()
	c, err := capture.Open(bytes.NewReader(captured(t, list)), capture.Options{Ports: ports(t, peers), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	rules := check.New(check.Options{})
	entries := 0
	for e, err := range c.Events() {
		if err != nil {
			t.Fatal(err)
		}
		rules.Add(e)
		if e.Kind != stream.KindMessage || e.Message.Type != raftpb.MsgApp {
			continue
		}
		for _, entry := range e.Message.Entries {
			if entries++; !whole.sent(&entry) {
				t.Errorf("%s: entry %v was never sent", name, entry.ID())
			}
		}
	}
	if entries == 0 && keys == nil { // what follows a handshake that is gone stays hidden
		t.Errorf("%s: no entries", name)
	}
	rep := rules.Report()
	if rep.Verdict == verdict.Problem {
		t.Errorf("%s: verdict %s", name, rep.Verdict)
	}
	for _, r := range rep.Rules {
		for _, v := range r.Violations {
			t.Errorf("%s: %s: %s", name, r.Name, v.Found)
		}
	}
}

// sent reports whether a member was sent an entry.
func (s *seen) sent(entry *raftpb.Entry) bool {
	for _, sent := range s.entries {
		if old, ok := sent[entry.Index]; ok && old.Term == entry.Term && bytes.Equal(old.Data, entry.Data) {
			return true
		}
	}
	return false
}

// packets returns those of a capture.
func packets(t *testing.T, data []byte) (list []packet) {
	t.Helper()
	r, err := pcapgo.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, packet{info, b})
	}
}

// captured returns a capture of packets.
func captured(t *testing.T, list []packet) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		p := &list[i]
		p.info.CaptureLength, p.info.Length = len(p.data), len(p.data)
		if err := w.WritePacket(p.info, p.data); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}
