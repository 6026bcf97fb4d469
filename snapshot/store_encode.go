package snapshot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// AppendJSON appends the store as etcd encodes it, which is the data of a snapshot. For a store
// without a Root that is nothing. A store that etcd 2.2 or later wrote is appended as it was.
func (s *Store) AppendJSON(dst []byte) []byte {
	if s.Root == nil {
		return dst
	}
	dst = append(dst, `{"Root":`...)
	dst = s.Root.appendJSON(dst)
	dst = append(append(dst, `,"WatcherHub":`...), cmp.Or(s.watcher, history(nil))...)
	dst = strconv.AppendUint(append(dst, `,"CurrentIndex":`...), s.CurrentIndex, 10)
	dst = append(append(dst, `,"Stats":`...), cmp.Or(s.stats, fmt.Sprintf(stats, 0, 0, 0))...)
	dst = strconv.AppendInt(append(dst, `,"CurrentVersion":`...), s.version, 10)
	return append(dst, '}')
}

func (n *Node) appendJSON(dst []byte) []byte {
	dst = appendString(append(dst, `{"Path":`...), n.Path)
	dst = strconv.AppendUint(append(dst, `,"CreatedIndex":`...), n.Created, 10)
	dst = strconv.AppendUint(append(dst, `,"ModifiedIndex":`...), n.Modified, 10)
	dst = append(dst, `,"ExpireTime":`...)
	if n.Expires.IsZero() {
		dst = append(dst, zeroTime...)
	} else {
		dst = appendValue(dst, n.Expires)
	}
	dst = appendString(append(dst, `,"Value":`...), n.Value)
	dst = append(dst, `,"Children":`...)
	if !n.Dir {
		return append(dst, `null}`...)
	}
	for i, c := range n.Children {
		dst = append(dst, "{,"[min(i, 1)])
		dst = append(appendString(dst, c.Name), ':')
		dst = c.appendJSON(dst)
	}
	if len(n.Children) == 0 {
		dst = append(dst, '{')
	}
	return append(dst, `}}`...)
}

func appendString(dst []byte, s string) []byte { return appendValue(dst, s) }

// appendValue appends what encoding/json makes of a string, a time or an event: etcd uses it too.
func appendValue(dst []byte, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // a time of the year 10000 or later, which no file of JSON can have held
		return append(dst, zeroTime...)
	}
	return append(dst, b...)
}

// historySize is how many events etcd remembers. Each has a place in the file, used or not.
const historySize = 1000

// history returns the JSON of a history of events, which begins at index 1. One of more events than
// there is room for is left empty: it only serves clients that watch.
func history(events []event) string {
	if len(events) > historySize {
		events = nil
	}
	var list []byte
	for i := range events {
		list = append(appendValue(list, &events[i]), ',')
	}
	n := len(events)
	return fmt.Sprintf(`{"EventHistory":{"Queue":{"Events":[%s],`+
		`"Size":%d,"Front":0,"Back":%d,"Capacity":%d},"StartIndex":%d,"LastIndex":%d}}`,
		strings.TrimSuffix(string(list)+strings.Repeat("null,", historySize-n), ","),
		n, n%historySize, historySize, min(n, 1), n)
}

// stats is the JSON of the statistics: gets that found nothing, sets and creates.
const stats = `{"getsSuccess":0,"getsFail":%d,"setsSuccess":%d,"setsFail":0,` +
	`"deleteSuccess":0,"deleteFail":0,"updateSuccess":0,"updateFail":0,` +
	`"createSuccess":%d,"createFail":0,"compareAndSwapSuccess":0,"compareAndSwapFail":0,` +
	`"compareAndDeleteSuccess":0,"compareAndDeleteFail":0,"expireCount":0,"watchers":0}`
