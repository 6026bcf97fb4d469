package stream_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
	"github.com/raftctl/raftctl/wal"
)

// A real etcd sends its log to a learner that this test plays. All that it sends is read, the entries
// are those of the etcd's own log, and what was read is written again as the etcd wrote it.
func TestRealEtcd(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			l := newLearner(t, version)
			const puts = 20
			var wg sync.WaitGroup
			ctx, cancel := context.WithCancel(t.Context())
			heard, general, appends := make(chan raftpb.Message), new(record), new(record)
			wg.Go(func() { general = l.listen(ctx, stream.ChannelMessage, heard) })
			wg.Go(func() { appends = l.listen(ctx, stream.ChannelAppend, heard) })
			wg.Go(func() {
				for i := range puts {
					l.server.Ctl("put", fmt.Sprint("key", i), fmt.Sprint("value", i))
				}
			})
			l.follow(heard, puts+4) // before them the two members, the cluster's version, and the first of a term
			cancel()
			wg.Wait()
			l.server.Stop()
			l.checkLog()
			checkStream(t, general, version, false)
			checkStream(t, appends, version, true)
			rewrite(t, version, general, func(w io.Writer) writer { return stream.NewMessageWriter(w, raftpb.FlavorGogo) })
			rewrite(t, version, appends, func(w io.Writer) writer {
				return stream.NewAppendWriter(w, stream.Link{From: l.leader, To: l.id}, raftpb.FlavorGogo)
			})
		})
	}
}

type writer interface{ Write(*raftpb.Message) error }

// checkLog compares what the learner has with the leader's log on disk.
func (l *learner) checkLog() {
	l.t.Helper()
	log, err := wal.Open(os.DirFS(l.peer.DataDir), ".")
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	var want []raftpb.Entry
	for r, err := range log.Records(wal.Recover) {
		if err != nil {
			l.t.Fatal(err)
		}
		if r.Kind != wal.KindEntry || r.ID.Index > uint64(len(l.log)) {
			continue
		}
		var e raftpb.Entry
		if err := e.Unmarshal(r.Data); err != nil {
			l.t.Fatal(err)
		}
		want = append(want, e)
	}
	if diff := cmp.Diff(want, l.log); diff != "" {
		l.t.Errorf("-on disk +over the stream:\n%s", diff)
	}
}

func checkStream(t *testing.T, rec *record, version string, appends bool) {
	t.Helper()
	if rec.err != nil {
		t.Errorf("etcd %s: after %d bytes: %v", version, rec.bytes.Len(), rec.err)
	}
	beats, other := 0, 0
	for i := range rec.messages {
		switch m := &rec.messages[i]; {
		case stream.IsLinkHeartbeat(m):
			beats++
		case (m.Type == raftpb.MsgApp) == appends:
			other++
		}
	}
	// A MsgApp may come on the message stream too, until the other one is there.
	if beats == 0 || other < 10 || appends && beats+other != len(rec.messages) {
		t.Errorf("etcd %s: %d link heartbeats and %d others of the channel among %d messages",
			version, beats, other, len(rec.messages))
	}
}

// rewrite compares the bytes of what was read with those that we write for it. They may
// differ for other etcds than 3.6: before it there is an empty snapshot in each message, and 3.7 writes
// some zeros that we leave out.
func rewrite(t *testing.T, version string, rec *record, open func(io.Writer) writer) {
	t.Helper()
	if version != "3.6" {
		return
	}
	var out bytes.Buffer
	w := open(&out)
	for i := range rec.messages {
		if err := w.Write(&rec.messages[i]); err != nil {
			t.Fatal(err)
		}
	}
	got, want := out.Bytes(), rec.bytes.Bytes()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%d bytes written differ at %d from the %d that were read", len(got), i, len(want))
		}
	}
}
