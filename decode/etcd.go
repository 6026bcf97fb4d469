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
	values, ok := msgInternal.lookup().read(r.values[:0], data)
	if r.values = values[:0]; !ok {
		return false
	}
	hasHeader := false
	for i := range values {
		v := &values[i]
		switch {
		case v.field == nil:
		case v.field.msg == msgHeader && v.field.kind == kindMessage:
			hasHeader = true
			r.readHeader(v.data)
		case v.field.kind == kindRequestID:
			r.ID = v.n
		case r.main.field == nil:
			r.main = *v
		}
	}
	if r.main.field == nil && !hasHeader {
		r.ID = 0
		return false
	}
	r.values, r.top, r.body = values, len(values), internalRequest{}
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
	r.values = f.msg.lookup().collect(r.values, r.main.data)
	fields := r.values[r.top:]
	switch f.msg {
	case msgV2:
		r.readV2(fields)
	case msgRange, msgPut, msgDeleteRange:
		r.Key, r.RangeEnd = content(fields, "key"), content(fields, "range_end")
		if r.Key == nil {
			r.Key = []byte{}
		}
	}
}

// sniffV2 reads a Request of the v2 store. Its encoders write all fields, so one without a method
// or a path is none.
func (r *Request) sniffV2(data []byte) bool {
	values, ok := msgV2.lookup().read(r.values[:0], data)
	r.values = values[:0]
	if !ok {
		return false
	}
	method, path := find(values, "method"), find(values, "path")
	if method == nil || path == nil {
		return false
	}
	if _, ok := v2Op(method.data); !ok {
		return false
	}
	r.values, r.body, r.main.data = values, v2Request{}, data
	r.readV2(values)
	return true
}

func (r *Request) readV2(fields []value) {
	r.Key = content(fields, "path")
	if id := find(fields, "id"); id != nil {
		r.ID = id.n
	}
	r.Op, _ = v2Op(content(fields, "method"))
}

func find(values []value, name string) *value {
	for i := range values {
		if f := values[i].field; f != nil && f.name == name {
			return &values[i]
		}
	}
	return nil
}
