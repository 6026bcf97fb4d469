package stream

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxNote bounds how much of a body is looked at.
const maxNote = 64 << 10

// note takes the body of an exchange, and tells the exchange when it ends.
type note struct{ collected }

func newNote(*head) *note { return &note{collected{limit: maxNote}} }

func (n *note) data(h *half, b []byte, _, _ bool) {
	n.add(b)
	h.head.size += int64(len(b))
}

func (n *note) end(h *half, whole bool) {
	text := ""
	if !n.holes && n.over == 0 {
		text = h.describe(n.buf)
	}
	if a := &h.conn.asked; h.head.response {
		if a.sent != "" && text == "" {
			text = a.sent
		}
		a.sent = ""
	}
	h.tell(text)
}

// describe says in a few words what a body tells.
func (h *half) describe(b []byte) string {
	hd, a := &h.head, &h.conn.asked
	switch {
	case hd.response && hd.status >= 300:
		return oneLine(b)
	case !hd.response && hd.urls != "":
		return "at " + oneLine([]byte(hd.urls))
	case a.path == "/members" && hd.response, strings.HasPrefix(a.path, "/members/promote/") && hd.response:
		return describeMembers(b)
	case a.path == "/members/hashkv":
		return describeHash(b)
	case a.path == "/version" && hd.response:
		return describeVersion(b)
	case a.path == "/leases":
		return describeLease(b, hd.response)
	case a.path == "/leases/internal" && !hd.response:
		if inner, ok := bytesField(b, 1); ok {
			return describeLease(inner, false)
		}
	case a.path == "/downgrade/enabled" && hd.response:
		return oneLine(b)
	}
	return ""
}

// oneLine returns the text of a body on one line.
func oneLine(b []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(string(b[:min(len(b), most)])), " ")
	return strings.ToValidUTF8(text, "?")
}

// describeMembers names the members as etcd's --initial-cluster does: m1=8e9e05c52164694d m2=…
func describeMembers(b []byte) string {
	var list []struct {
		ID   uint64 `json:"id"`
		Name string `json:"name"`
	}
	if json.Unmarshal(b, &list) != nil {
		return ""
	}
	var words []string
	for _, m := range list {
		words = append(words, m.Name+"="+strconv.FormatUint(m.ID, 16))
	}
	return oneLine([]byte(strings.Join(words, " ")))
}

func describeVersion(b []byte) string {
	var v struct {
		Server  string `json:"etcdserver"`
		Cluster string `json:"etcdcluster"`
	}
	if json.Unmarshal(b, &v) != nil || v.Server == "" {
		return ""
	}
	return oneLine([]byte("server " + v.Server + ", cluster " + v.Cluster))
}

func describeHash(b []byte) string {
	var v struct {
		Revision int64 `json:"revision"`
		Hash     int64 `json:"hash"`
		Compact  int64 `json:"compact_revision"`
		Checked  int64 `json:"hash_revision"`
	}
	if json.Unmarshal(b, &v) != nil {
		return ""
	}
	if v.Hash == 0 {
		return fmt.Sprintf("revision %d", v.Revision)
	}
	return fmt.Sprintf("hash %08x up to revision %d, compacted at %d", v.Hash, v.Checked, v.Compact)
}

// describeLease reads a request about a lease, or the answer: its ID, and how long it has to live.
func describeLease(b []byte, response bool) string {
	idField := protowire.Number(1)
	if response {
		idField = 2
	}
	id, ok := varintField(b, idField)
	if !ok {
		return ""
	}
	text := "lease " + strconv.FormatUint(id, 16)
	if ttl, ok := varintField(b, 3); ok && response {
		text += fmt.Sprintf(", %d s to live", int64(ttl))
	}
	return text
}

func varintField(b []byte, num protowire.Number) (v uint64, ok bool) {
	walk(b, func(n protowire.Number, t protowire.Type, value []byte) {
		if n == num && t == protowire.VarintType {
			v, _ = protowire.ConsumeVarint(value)
			ok = true
		}
	})
	return v, ok
}

func bytesField(b []byte, num protowire.Number) (v []byte, ok bool) {
	walk(b, func(n protowire.Number, t protowire.Type, value []byte) {
		if n == num && t == protowire.BytesType {
			v, _ = protowire.ConsumeBytes(value)
			ok = true
		}
	})
	return v, ok
}

// walk calls fn for each field of a message, up to the first that can't be read.
func walk(b []byte, fn func(n protowire.Number, t protowire.Type, value []byte)) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return
		}
		fn(num, typ, b[:n])
		b = b[n:]
	}
}
