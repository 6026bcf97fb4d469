package decode

import (
	"errors"

	"github.com/raftctl/raftctl/raftpb"
)

// Request is what an entry means. It is made to be used again for the next entry: Decode replaces
// it, and then needs no memory in the common case. Its slices point into the entry's data, and are
// valid as long as that is.
type Request struct {
	Op       Op
	Key      []byte // of a request about one key or one range of keys; nil otherwise
	RangeEnd []byte // of a request about a range: see Access
	ID       uint64 // the request's, see Origin; 0 if it has none
	Size     int    // bytes of the entry's data

	data     []byte // the payload that body explains
	body     body
	username []byte
	main     value   // of etcd's requests: the one that gives Op
	values   []value // fields of the message in data; behind top, those of main
	top      int
	scratch  []byte
	change   *confChange
	origin   originText // of the last ID that was shown
	style    Style      // of the last call; here so that its address needs no memory of its own
}

// body knows how one kind of payload is shown. It is told which by the request.
type body interface {
	// appendSummary appends a line without line break.
	appendSummary(dst []byte, r *Request, s *Style) []byte
	// appendJSON appends the members of the object, without its braces, the first of them by
	// jsontext.AppendName.
	appendJSON(dst []byte, r *Request, s *Style) []byte
}

// reset makes r empty, keeping the memory it has.
func (r *Request) reset(size int) {
	values, scratch, origin := r.values[:0], r.scratch[:0], r.origin
	*r = Request{}
	r.Op, r.Size, r.values, r.scratch, r.origin = OpUnknown, size, values, scratch, origin
}

// keep takes back a stack of values that began as r.values, with the room that it has got by now.
func (r *Request) keep(stack []value) { r.values = stack[:len(r.values)] }

// AppendSummary appends a line that tells people what the request is about, without a line break:
// "put /registry/pods/a 1.2 KiB v1/Pod default/a". Nothing in it can act on a terminal.
func (r *Request) AppendSummary(dst []byte, s Style) []byte {
	if r.body == nil {
		return append(dst, r.Op...)
	}
	r.style = s
	start := len(dst)
	return cut(r.body.appendSummary(dst, r, &r.style), start, s.Width)
}

// AppendJSON appends the request as one JSON object. The package comment has its rules.
func (r *Request) AppendJSON(dst []byte, s Style) []byte {
	dst = append(dst, '{')
	if r.body != nil {
		r.style = s
		dst = r.body.appendJSON(dst, r, &r.style)
	}
	return append(dst, '}')
}

// Payload reads an etcd entry into r. It is what the decoder named etcd does.
func Payload(r *Request, e *raftpb.Entry) error { return decodeEntry(r, e, etcdDecoder{}) }

// decodeEntry reads what has nothing to do with the application, and leaves the rest to p.
func decodeEntry(r *Request, e *raftpb.Entry, p payloadDecoder) error {
	r.reset(len(e.Data))
	r.data = e.Data
	var err error
	switch e.Type {
	case raftpb.EntryConfChange:
		err = r.readConfChange()
	case raftpb.EntryConfChangeV2:
		err = r.readConfChangeV2()
	case raftpb.EntryNormal:
		if len(e.Data) == 0 {
			r.Op = OpEmpty
			return nil
		}
		return p.payload(r, e)
	default:
		err = errEntryType
	}
	if err != nil {
		r.body = opaque{}
		return &PayloadError{Entry: e.ID(), Reason: e.Type.String(), Err: err}
	}
	return nil
}

var errEntryType = errors.New("no such entry type")
