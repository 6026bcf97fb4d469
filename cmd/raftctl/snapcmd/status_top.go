package snapcmd

import (
	"bytes"
	"context"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/snapshot/database"
)

// topJSON is what fills a database.
type topJSON struct {
	ByBytes     []prefixJSON `json:"by_bytes"`
	ByRevisions []prefixJSON `json:"by_revisions"`
	Estimated   bool         `json:"estimated,omitempty"`
}

type prefixJSON struct {
	Prefix    string `json:"prefix"`
	Revisions int64  `json:"revisions"`
	Bytes     int64  `json:"bytes"` // of keys and values
}

// gatherTop counts the prefixes of keys. What is damaged was told by the status.
func gatherTop(ctx context.Context, a *ui.App, n int, db *database.DB, path string) (*topJSON, error) {
	p := ui.NewProgress(a, "count "+path, db.Size())
	defer p.Done()
	bytesFirst, countFirst := decode.Prefixes{ByBytes: true}, decode.Prefixes{}
	var damage damageTold
	done := int64(0)
	for c, err := range db.History(ctx, database.Query{}) {
		if err != nil {
			if err := damage.take(ctx, err); err != nil {
				return nil, err
			}
			continue
		}
		size := int64(len(c.Key) + len(c.Value))
		bytesFirst.Add(c.Key, size)
		countFirst.Add(c.Key, size)
		done += size
		p.Set(done)
	}
	t := new(topJSON)
	t.ByBytes, t.Estimated = topOf(&bytesFirst, n)
	t.ByRevisions, _ = topOf(&countFirst, n) // there are as many prefixes
	return t, nil
}

func topOf(p *decode.Prefixes, n int) (list []prefixJSON, estimated bool) {
	list = []prefixJSON{}
	counts, estimated := p.Top(n)
	for _, c := range counts {
		list = append(list, prefixJSON{c.Prefix, c.Writes, c.Bytes})
	}
	return list, estimated
}

func (t *topJSON) print(b *bytes.Buffer, screen ui.Screen) {
	mark := ""
	if t.Estimated {
		mark = "~"
	}
	bytesFirst := ui.NewHeldTable(ui.SizeColumn("MOST BYTES"), ui.NumberColumn("REVISIONS"), ui.TextColumn("KEYS BELOW"))
	for _, p := range t.ByBytes {
		bytesFirst.Add(mark+display.FormatSize(p.Bytes), ui.Count(p.Revisions), visible(p.Prefix))
	}
	bytesFirst.Print(b, screen)
	revisionsFirst := ui.NewHeldTable(ui.NumberColumn("MOST REVISIONS"), ui.SizeColumn("BYTES"), ui.TextColumn("KEYS BELOW"))
	for _, p := range t.ByRevisions {
		revisionsFirst.Add(mark+ui.Count(p.Revisions), display.FormatSize(p.Bytes), visible(p.Prefix))
	}
	revisionsFirst.Print(b, screen)
}
