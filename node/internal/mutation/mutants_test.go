package mutation

import "github.com/raftctl/raftctl/internal/mutant"

var mutants = []mutant.Mutant{
	{
		Name: "answer before anything is on disk", File: "node/append.go", Quick: true,
		Old: "			n, err := a.write(batch)\n",
		New: "			a.answer(batch)\n			n, err := a.write(batch)\n",
	}, {
		Name: "take bytes for durable that aren't synced", File: "node/boot.go",
		Old: "NoSync: n.cfg.NoSync, OnSync",
		New: "NoSync: true, OnSync",
	}, {
		Name: "don't wait for the disk with a vote", File: "wal/writer.go",
		Old: "durable := len(entries) != 0 || state.Term != w.enc.state.Term || state.Vote != w.enc.state.Vote",
		New: "durable := len(entries) != 0",
	}, {
		Name: "ask for votes before the campaign is on disk", File: "node/ready.go",
		Old: "		case m.Type == raftpb.MsgVote:\n",
		New: "		case false && m.Type == raftpb.MsgVote:\n",
	}, {
		Name: "end a segment without a sync", File: "wal/writer_segment.go",
		Old: "	t.dirty = true\n	return t.sync()\n",
		New: "	t.dirty = true\n	return nil\n",
	}, {
		Name: "make folders, and don't sync their names", File: "node/bootstrap.go",
		Old: "vfs.MakeDirs(n.cfg.fs, dir, privateDir)",
		New: "vfs.FS.MkdirAll(n.cfg.fs, dir, privateDir)",
	}, {
		Name: "read before what was committed is applied", File: "node/read.go", Quick: true,
		Old: "case <-r.n.AppliedWait(index):",
		New: "case <-r.n.AppliedWait(min(index, 1)):",
	}, {
		Name: "read with those who asked before", File: "node/read.go",
		Old: "		r.next = &readRound{done: make(chan struct{})}\n		r.mu.Unlock()\n		round.err = r.serve()\n",
		New: "		r.mu.Unlock()\n		round.err = r.serve()\n		r.mu.Lock()\n" +
			"		r.next = &readRound{done: make(chan struct{})}\n		r.mu.Unlock()\n",
	}, {
		Name: "take the answer to any question of a read", File: "node/read.go",
		Old: "len(s.RequestCtx) == 8 && slices.Contains(asked, binary.BigEndian.Uint64(s.RequestCtx))",
		New: "len(s.RequestCtx) == 8 && len(asked) > 0 && binary.BigEndian.Uint64(s.RequestCtx) > 0",
	}, {
		Name: "heed a change of the membership before it is durable", File: "node/apply.go",
		Old: "	case <-a.n.appended.Wait(index):\n	case <-a.n.ctx.Done():\n		return cs, ErrStopped\n	}\n" +
			"	if err := a.n.wal.Sync(); err != nil {\n		return cs, err\n	}\n",
		New: "	case <-a.n.appended.Wait(0):\n	case <-a.n.ctx.Done():\n		return cs, ErrStopped\n	}\n",
	}, {
		Name: "don't tell the core of a change of the membership", File: "node/apply.go",
		Old: "		next, err = core.ApplyConfChange(cc)\n",
		New: "",
	}, {
		Name: "don't talk to members that are added", File: "node/peers.go",
		Old: "		return n.transport.AddPeer(cc.NodeID, m.PeerURLs)\n",
		New: "		return nil\n",
	}, {
		Name: "record a snapshot before the database has it", File: "node/snapshot.go",
		Old: "	if err := a.n.store.Commit(); err != nil {\n		return err\n	}\n	snap, err",
		New: "	snap, err",
	}, {
		Name: "give up segments that the snapshot doesn't cover", File: "node/snapshot.go",
		Old: "	return n.wal.ReleaseTo(meta.Index)\n",
		New: "	return n.wal.ReleaseTo(n.wal.Last() + 1)\n",
	}, {
		Name: "don't record a snapshot that the leader sent", File: "node/append.go",
		Old: "	if err := a.n.wal.SaveSnapshot(record); err != nil {\n		return err\n	}\n	if err := a.n.wal.Append(stateOf(m), nil)",
		New: "	_ = record\n	if err := a.n.wal.Append(stateOf(m), nil)",
	}, {
		Name: "refuse a log that had other entries before a snapshot", File: "node/replay.go",
		Old: "return r.at.Term, r.sure",
		New: "return r.at.Term, true",
	}, {
		Name: "propose the last of several twice", File: "node/loop.go",
		Old: "		batch = batch[n:]\n",
		New: "		batch = batch[max(n-1, 1):]\n",
	}, {
		Name: "number requests as before a restart", File: "node/start.go",
		Old: "idutil.NewGenerator(uint16(n.standing.id), time.Now())",
		New: "idutil.NewGenerator(uint16(n.standing.id), time.Unix(0, 0))",
	}, {
		Name: "give a result to all who wait", File: "node/waiters.go",
		Old: "	if c, ok := w.by[id]; ok {\n		c <- r\n",
		New: "	for id, c := range w.by {\n		c <- r\n",
	}, {
		Name: "forget the vote at a start", File: "node/boot.go",
		Old: "	return n.memory.SetHardState(state)\n",
		New: "	state.Vote = 0\n	return n.memory.SetHardState(state)\n",
	}, {
		Name: "forget at a start what isn't known to be committed", File: "node/replay.go",
		Old: "return m, m.Append(append(r.kept, r.open...))",
		New: "return m, m.Append(r.kept)",
	}, {
		Name: "don't wait for the disk with entries", File: "wal/writer.go",
		Old: "durable := len(entries) != 0 || state.Term",
		New: "durable := state.Term",
	},
}
