package snapcmd

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
)

// changeCount counts changes by their kind.
type changeCount [changeKinds]int64

func (c *changeCount) n() int64 { return c[added] + c[removed] + c[changed] + c[rewritten] }

// diffCounts counts changes, in all and by prefix. Its memory is bounded: behind maxPrefixes others
// count as one.
type diffCounts struct {
	total    changeCount
	prefixes map[string]*changeCount
	others   changeCount // below prefixes beyond those that are counted one by one
}

// maxPrefixes is how many prefixes are counted, and listedPrefixes how many are listed for people.
const (
	maxPrefixes    = 1 << 14
	listedPrefixes = 20
)

func (d *diffCounts) add(c change, key []byte) {
	d.total[c]++
	prefix := decode.KeyPrefix(key)
	if !bytes.HasSuffix(prefix, []byte{'/'}) {
		prefix = nil // keys without a slash are of one prefix, the empty one
	}
	count := d.prefixes[string(prefix)]
	if count == nil {
		if len(d.prefixes) >= maxPrefixes {
			d.others[c]++
			return
		}
		if d.prefixes == nil {
			d.prefixes = map[string]*changeCount{}
		}
		count = new(changeCount)
		d.prefixes[string(prefix)] = count
	}
	count[c]++
}

// sorted returns the prefixes, those with most changes first.
func (d *diffCounts) sorted() []string {
	list := make([]string, 0, len(d.prefixes))
	for p := range d.prefixes {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(d.prefixes[b].n(), d.prefixes[a].n()), strings.Compare(a, b))
	})
	return list
}

// text says the counts for people. cut: there may be more.
func (d *diffCounts) text(a *ui.App, below, cut bool) []byte {
	var b bytes.Buffer
	if below {
		b.WriteByte('\n')
	}
	switch {
	case d.total.n() == 0:
		b.WriteString("no difference\n")
		return b.Bytes()
	case cut:
		fmt.Fprintf(&b, "%s so far; --limit ended it\n", diffText(&d.total))
	default:
		fmt.Fprintf(&b, "%s\n", diffText(&d.total))
	}
	t := ui.NewHeldTable(ui.NumberColumn("ADDED"), ui.NumberColumn("REMOVED"), ui.NumberColumn("CHANGED"),
		ui.NumberColumn("SAME VALUE"), ui.TextColumn("KEYS BELOW"))
	row := func(c *changeCount, name string) {
		t.Add(ui.Count(c[added]), ui.Count(c[removed]), ui.Count(c[changed]), ui.Count(c[rewritten]), name)
	}
	rest := d.others
	prefixes := d.sorted()
	for i, p := range prefixes {
		if i < listedPrefixes {
			row(d.prefixes[p], prefixText(p))
			continue
		}
		for c, n := range d.prefixes[p] {
			rest[c] += n
		}
	}
	if rest.n() > 0 {
		row(&rest, "… all others; -o json lists more")
	}
	t.Print(&b, a.Screen())
	return b.Bytes()
}

func prefixText(p string) string {
	if p == "" {
		return "(keys without a slash)"
	}
	return visible(p)
}

// diffJSON is the result of `snapshot diff --summary`: see docs/json.md.
type diffJSON struct {
	Before string `json:"before"`
	After  string `json:"after"`
	countJSON
	Prefixes []prefixCountJSON `json:"prefixes"`
	Others   *countJSON        `json:"other_prefixes,omitempty"`
}

type countJSON struct {
	Added     int64 `json:"added"`
	Removed   int64 `json:"removed"`
	Changed   int64 `json:"changed"`
	Rewritten int64 `json:"rewritten"`
}

type prefixCountJSON struct {
	Prefix string `json:"prefix"`
	countJSON
}

func (c *changeCount) json() countJSON {
	return countJSON{c[added], c[removed], c[changed], c[rewritten]}
}

func (d *diffCounts) json(o *diffOptions) *diffJSON {
	j := &diffJSON{Before: o.before.name, After: o.after.name, countJSON: d.total.json(), Prefixes: []prefixCountJSON{}}
	for _, p := range d.sorted() {
		j.Prefixes = append(j.Prefixes, prefixCountJSON{p, d.prefixes[p].json()})
	}
	if d.others.n() > 0 {
		others := d.others.json()
		j.Others = &others
	}
	return j
}
