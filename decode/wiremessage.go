package decode

import (
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/etcdwire"
)

// WireMessages returns the messages that etcd's entries hold, in the form that tells what one of
// its decoders makes of their bytes: InternalRaftRequest, and the Request of the v2 store, which
// only releases up to 3.6 know.
func WireMessages(d etcdwire.Decoder) (internal, v2 *etcdwire.Message) {
	all := wireMessages()[d]
	return &all[msgInternal], &all[msgV2]
}

// WireConfChange is WireMessages for raft's ConfChange, which both decoders see alike.
func WireConfChange() *etcdwire.Message { return &wireConfChange }

var wireConfChange = etcdwire.Message{Name: "ConfChange", Fields: []etcdwire.Field{
	{Num: 1, Name: "ID"}, {Num: 2, Name: "Type"}, {Num: 3, Name: "NodeID"},
	{Num: 4, Name: "Context", Type: protowire.BytesType},
}}

// wireMessages returns the table of messages by decoder.
var wireMessages = sync.OnceValue(func() map[etcdwire.Decoder][]etcdwire.Message {
	return map[etcdwire.Decoder][]etcdwire.Message{
		etcdwire.Gogo:   newWireMessages(func(*field) bool { return true }),
		etcdwire.Google: newWireMessages(func(f *field) bool { return f.msg != msgV2 }),
	}
})

// newWireMessages translates the table of messages, with those fields of the first message that
// keep admits.
func newWireMessages(keep func(*field) bool) []etcdwire.Message {
	all := make([]etcdwire.Message, len(messages))
	for i := range messages {
		m := &messages[i]
		_, name, _ := strings.Cut(m.name, ".")
		all[i].Name = name
		for j := range m.fields {
			f := &m.fields[j]
			if messageID(i) == msgInternal && !keep(f) {
				continue
			}
			w := etcdwire.Field{Num: f.num, Name: goName(f.name), Type: f.kind.wireType()}
			if f.kind == kindMessage {
				w.Sub = &all[f.msg]
			}
			w.UTF8 = f.kind == kindString || f.kind == kindSecret
			all[i].Fields = append(all[i].Fields, w)
		}
	}
	return all
}

// goName returns the name that generated code has for a field.
func goName(snake string) string {
	var b strings.Builder
	for _, word := range strings.Split(snake, "_") {
		switch word {
		case "id", "ttl":
			b.WriteString(strings.ToUpper(word))
		default:
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
