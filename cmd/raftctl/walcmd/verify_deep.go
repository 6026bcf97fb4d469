package walcmd

import (
	"errors"
	"sync"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
)

// deepCheck decodes the payloads of entries, for several goroutines at once.
type deepCheck struct {
	decoder  decode.Decoder
	requests sync.Pool

	mu         sync.Mutex
	sequential bool  // the decoder takes one entry after the other
	failed     error // why the decoder is of no use any more
}

func newDeepCheck(d decode.Decoder, sequential bool) *deepCheck {
	return &deepCheck{
		decoder: d, sequential: sequential,
		requests: sync.Pool{New: func() any { return new(decode.Request) }},
	}
}

// entry returns why a payload is not what the decoder reads, without the entry's name: the finding has
// it.
func (c *deepCheck) entry(e *raftpb.Entry) error {
	r := c.requests.Get().(*decode.Request)
	defer c.requests.Put(r)
	if c.sequential {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.failed != nil {
			return nil // the command ends with that
		}
	}
	err := c.decoder.Decode(r, e)
	if err == nil {
		return nil
	}
	if unreadable, ok := errors.AsType[*decode.PayloadError](err); ok {
		return payloadError{unreadable}
	}
	c.fail(err)
	return nil
}

func (c *deepCheck) fail(err error) {
	if !c.sequential {
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	if c.failed == nil {
		c.failed = err
	}
}

// payloadError is the reason of a PayloadError.
type payloadError struct{ err *decode.PayloadError }

func (e payloadError) Error() string {
	if e.err.Err != nil {
		return e.err.Reason + ": " + e.err.Err.Error()
	}
	return e.err.Reason
}

func (e payloadError) Unwrap() error { return e.err }
