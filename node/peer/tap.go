package peer

import (
	"sync/atomic"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// The channels besides those that [stream.Channel] names.
const (
	channelPipeline stream.Channel = "pipeline"
	channelSnapshot stream.Channel = "snapshot"
)

// Passed is a message that this member has put on a channel, or taken from one: see Config.Tap. The bytes in it
// are shared, and don't change.
type Passed struct {
	Message raftpb.Message // may be a link heartbeat
	Peer    uint64         // the other member: who it goes to, or comes from
	Sent    bool
	Channel stream.Channel // "pipeline" and "snapshot" besides the streams
	Conn    uint64         // tells the connections of streams apart; 0 for a POST
	Size    int64          // bytes on the channel, without the database of a snapshot
}

// tap tells whoever listens what passes over one connection. The zero value tells nobody.
type tap struct {
	tell  func(*Passed)
	about Passed // without message and size
}

// conns numbers the connections that are listened to.
type conns struct{ last atomic.Uint64 }

// tapStream returns the tap of a new connection of a stream.
func (t *Etcd) tapStream(peer uint64, c stream.Channel, sent bool) tap {
	if t.cfg.Tap == nil {
		return tap{}
	}
	return tap{t.cfg.Tap, Passed{Peer: peer, Channel: c, Sent: sent, Conn: t.conns.last.Add(1)}}
}

// tapPost returns the tap of a POST.
func (t *Etcd) tapPost(peer uint64, c stream.Channel, sent bool) tap {
	return tap{t.cfg.Tap, Passed{Peer: peer, Channel: c, Sent: sent}}
}

// passed tells of a message that took size bytes.
func (p *tap) passed(m *raftpb.Message, size int64) {
	if p.tell == nil {
		return
	}
	said := p.about
	said.Message, said.Size = *m, size
	p.tell(&said)
}

// tappedEncoder is an encoder that tells the tap what it has written.
type tappedEncoder struct {
	encoder
	o   *outgoing
	tap tap
}

func (e *tappedEncoder) Write(m *raftpb.Message) error {
	before := e.o.size
	if err := e.encoder.Write(m); err != nil {
		return err
	}
	e.tap.passed(m, e.o.size-before)
	return nil
}

// snapshotHeadSize is how many bytes a snapshot's message takes: its length, and itself.
func snapshotHeadSize(m *raftpb.Message, f raftpb.Flavor) int64 { return 8 + int64(m.Size(f)) }
