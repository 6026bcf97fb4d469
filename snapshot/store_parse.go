package snapshot

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseStore reads the data of a snapshot, in one pass. Without any it returns a Store without a
// Root. The error is a *[StoreError].
//
// What is read is read as etcd does: names in any case, unknown ones passed over, of two nodes of
// one name the last. The history of events and the statistics are checked for being JSON alone.
// Memory is that of one copy of the data and of a Node for each node in it.
func ParseStore(data []byte) (*Store, error) {
	s := new(Store)
	if len(data) == 0 {
		return s, nil
	}
	p := &storeParser{jsonScanner{text: string(data)}, fewNodes + len(data)/nodeSize}
	if err := p.store(s); err != nil {
		return nil, err
	}
	if p.space(); p.off < len(p.text) {
		return nil, p.found("the end")
	}
	return s, nil
}

// A node of any etcd takes nodeSize bytes or more. Data that holds more nodes than fit is refused,
// unless they are few: they would take twenty times the memory.
const (
	nodeSize = 64
	fewNodes = 10000
)

// storeParser makes a store of JSON.
type storeParser struct {
	jsonScanner
	left int // nodes that may still come
}

// store reads the whole file.
//
//	{"Root": Node, "WatcherHub": {…}, "CurrentIndex": n, "Stats": {…}, "CurrentVersion": 2}
func (p *storeParser) store(s *Store) error {
	s.Root, s.version = &Node{Path: "/", Dir: true}, storeVersion // etcd's, if the file doesn't tell
	return p.object(func(name string) (err error) {
		switch {
		case strings.EqualFold(name, "Root"):
			if p.isNull() {
				return p.found("a node")
			}
			return p.node(s.Root)
		case strings.EqualFold(name, "WatcherHub"):
			s.watcher, err = p.raw()
		case strings.EqualFold(name, "CurrentIndex"):
			err = p.uint(&s.CurrentIndex)
		case strings.EqualFold(name, "Stats"):
			s.stats, err = p.raw()
		case strings.EqualFold(name, "CurrentVersion"):
			err = p.int(&s.version)
		default:
			err = p.skip()
		}
		return err
	})
}

// node reads a node and all below it. Etcd 2.0 and 2.1 had an ACL in it, always empty.
//
//	{"Path": "/1/a", "CreatedIndex": n, "ModifiedIndex": n, "ExpireTime": "0001-01-01T00:00:00Z",
//	 "Value": "v", "Children": null}
func (p *storeParser) node(n *Node) error {
	return p.object(func(name string) error {
		switch {
		case strings.EqualFold(name, "Path"):
			return p.string(&n.Path)
		case strings.EqualFold(name, "CreatedIndex"):
			return p.uint(&n.Created)
		case strings.EqualFold(name, "ModifiedIndex"):
			return p.uint(&n.Modified)
		case strings.EqualFold(name, "ExpireTime"):
			return p.time(&n.Expires)
		case strings.EqualFold(name, "Value"):
			return p.string(&n.Value)
		case strings.EqualFold(name, "Children"):
			return p.children(n)
		}
		return p.skip()
	})
}

// children reads what makes a node a directory: an object, empty or not. That of a key is null.
func (p *storeParser) children(n *Node) error {
	if n.Dir = !p.isNull(); !n.Dir {
		n.Children = nil
	}
	err := p.object(func(name string) error {
		if p.isNull() {
			return p.found("a node") // etcd panics on it
		}
		if p.left--; p.left < 0 {
			return p.fail(p.off, "more nodes than %d bytes hold", len(p.text))
		}
		c := &Node{Name: name}
		n.Children = append(n.Children, c)
		return p.node(c)
	})
	n.Children = sortNodes(n.Children)
	return err
}

func byName(a, b *Node) int { return strings.Compare(a.Name, b.Name) }

// sortNodes brings nodes in order, of two of one name the last, which is how etcd writes them.
func sortNodes(list []*Node) []*Node {
	sorted := true
	for i := 1; i < len(list) && sorted; i++ {
		sorted = list[i-1].Name < list[i].Name
	}
	if sorted {
		return list
	}
	slices.Reverse(list)
	slices.SortStableFunc(list, byName)
	return slices.CompactFunc(list, func(a, b *Node) bool { return a.Name == b.Name })
}

func (p *storeParser) uint(to *uint64) error {
	return p.number(func(text string) (err error) {
		*to, err = strconv.ParseUint(text, 10, 64)
		return err
	})
}

func (p *storeParser) int(to *int64) error {
	return p.number(func(text string) (err error) {
		*to, err = strconv.ParseInt(text, 10, 64)
		return err
	})
}

// zeroTime is the time of what doesn't expire, which is nearly everything.
const zeroTime = `"0001-01-01T00:00:00Z"`

func (p *storeParser) time(to *time.Time) error {
	p.space()
	if strings.HasPrefix(p.text[p.off:], zeroTime) {
		*to = time.Time{}
		p.off += len(zeroTime)
		return nil
	}
	if p.isNull() {
		return p.skip()
	}
	off := p.off
	if _, err := p.quoted(); err != nil {
		return err
	}
	if err := to.UnmarshalJSON([]byte(p.text[off:p.off])); err != nil {
		return p.fail(off, "%w", err)
	}
	return nil
}
