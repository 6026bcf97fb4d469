package decode

import (
	"errors"

	"github.com/raftctl/raftctl/raftpb"
)

// etcdDecoder reads what etcd proposes: an InternalRaftRequest, or a Request of the v2 store. It
// keeps no state.
type etcdDecoder struct{}

func newEtcd(string, Env) (payloadDecoder, error) { return etcdDecoder{}, nil }

var errNoRequest = errors.New("neither JSON nor text")

// payload tries what etcd tries, in etcd's order. A payload that is neither is shown as what it
// looks like. JSON and text are no errors: the log may be that of another program.
func (etcdDecoder) payload(r *Request, e *raftpb.Entry) error {
	if r.sniffInternal(e.Data) || r.sniffV2(e.Data) {
		return nil
	}
	if r.sniffPlain(e.Data); r.Op == OpUnknown {
		return &PayloadError{Entry: e.ID(), Reason: "not a request of etcd", Err: errNoRequest}
	}
	return nil
}

// sniffInternal reads an InternalRaftRequest. One without any request that is known counts only if
// it has a header: it is then one of a version of etcd to come.
func (r *Request) sniffInternal(data []byte) bool {
	m := msgInternal.lookup()
	if !m.check(data, 0) {
		return false
	}
	r.values = m.collect(r.values[:0], data)
	hasHeader := false
	for _, v := range r.values {
		switch {
		case v.field == nil:
		case v.field.msg == msgHeader && v.field.kind == kindMessage:
			hasHeader = true
			r.readHeader(v.data)
		case v.field.kind == kindRequestID:
			r.ID = v.n
		case r.main.field == nil:
			r.main = v
		}
	}
	if r.main.field == nil && !hasHeader {
		r.values, r.ID = r.values[:0], 0
		return false
	}
	r.body = internalRequest{}
	if r.main.field != nil {
		r.readMain()
	}
	return true
}

func (r *Request) readHeader(data []byte) {
	for v := range msgHeader.lookup().known(data) {
		switch v.field.kind {
		case kindRequestID:
			r.ID = v.n
		case kindString:
			r.username = v.data
		}
	}
}

// readMain sets what callers filter by from the request that the message is about.
func (r *Request) readMain() {
	f := r.main.field
	r.Op = Op(f.name)
	switch f.msg {
	case msgV2:
		r.readV2(r.main.data)
	case msgRange, msgPut, msgDeleteRange:
		r.Key, r.RangeEnd = keysOf(f.msg.lookup(), r.main.data)
	}
}

// keysOf returns the fields key and range_end of a message.
func keysOf(m *message, data []byte) (key, rangeEnd []byte) {
	key = []byte{}
	for v := range m.known(data) {
		switch v.field.name {
		case "key":
			key = v.data
		case "range_end":
			rangeEnd = v.data
		}
	}
	return key, rangeEnd
}

// v2Ops holds the operations of the v2 store by method. The empty method does nothing.
var v2Ops = map[string]Op{
	"PUT": "v2_put", "POST": "v2_post", "DELETE": "v2_delete", "GET": "v2_get", "QGET": "v2_qget",
	"SYNC": "v2_sync", "": "v2_none",
}

// sniffV2 reads a Request of the v2 store. Its encoders write all fields, so one without a method
// or a path is none.
func (r *Request) sniffV2(data []byte) bool {
	m := msgV2.lookup()
	if !m.check(data, 0) {
		return false
	}
	r.values = m.collect(r.values[:0], data)
	method, path := find(r.values, "method"), find(r.values, "path")
	if method == nil || path == nil || v2Ops[string(method.data)] == "" {
		r.values = r.values[:0]
		return false
	}
	r.body = v2Request{}
	r.readV2(data)
	return true
}

func (r *Request) readV2(data []byte) {
	r.main.data = data
	for v := range msgV2.lookup().known(data) {
		switch v.field.name {
		case "id":
			r.ID = v.n
		case "method":
			r.Op = v2Op(v.data)
		case "path":
			r.Key = v.data
		}
	}
}

// v2Op returns the operation of a method. Etcd refuses methods that are not in the list.
func v2Op(method []byte) Op {
	if op := v2Ops[string(method)]; op != "" {
		return op
	}
	return OpUnknown
}

func find(values []value, name string) *value {
	for i := range values {
		if f := values[i].field; f != nil && f.name == name {
			return &values[i]
		}
	}
	return nil
}
