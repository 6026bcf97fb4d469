package decode

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// Decoder tells what entries mean. Membership changes and empty entries mean the same to all
// decoders; the payload of the others is the application's.
//
// A Decoder may be used by several goroutines at once, each with Requests of its own, unless it is
// an exec decoder.
type Decoder interface {
	// Decode reads an entry into r. Whatever it returns, r can be shown afterwards. The error is a
	// *PayloadError when only this entry can't be read; after any other the decoder is of no use.
	Decode(r *Request, e *raftpb.Entry) error
	// Close ends the process of an exec decoder. For others it does nothing.
	Close() error
}

// Env is what a decoder may need from the outside. This package opens no file and starts no process
// itself. A nil function makes the decoders that need it unavailable.
type Env struct {
	// ReadFile returns the contents of a file.
	ReadFile func(name string) ([]byte, error)
	// Start runs a command, whose standard input and output are what is written and read. Close
	// ends it, by force if need be, and unblocks reads and writes.
	Start func(command string) (io.ReadWriteCloser, error)
	// Timeout is how long an exec decoder may take over one entry; 0 stands for 10 seconds.
	Timeout time.Duration
	// ShowSecrets lets decoders other than etcd see the secrets in etcd's requests,
	// which are masked with asterisks otherwise. Callers set it together with Style.ShowSecrets.
	ShowSecrets bool
}

// PayloadError is returned when the payload of an entry is not what its decoder reads.
type PayloadError struct {
	Entry  raftpb.EntryID
	Reason string
	Err    error // what was wrong, in detail; may be nil
}

// Error formats the error, naming the entry as term/index.
func (e *PayloadError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("entry %s: %s: %v", e.Entry, e.Reason, e.Err)
	}
	return fmt.Sprintf("entry %s: %s", e.Entry, e.Reason)
}

// Unwrap returns Err.
func (e *PayloadError) Unwrap() error { return e.Err }

// payloadDecoder reads the payload of a normal entry, which is not empty. If it is an io.Closer
// too, it is closed with its Decoder.
type payloadDecoder interface {
	payload(r *Request, e *raftpb.Entry) error
}

// Format describes a decoder that New can make.
type Format struct {
	Name string
	Arg  string // what follows the name and an equals sign; empty if nothing does
	Help string // what it reads
	make func(arg string, env Env) (payloadDecoder, error)
}

// Formats returns all formats, the default first. A new decoder is a file of its own and a line
// here.
func Formats() []Format {
	return []Format{
		{"etcd", "", "etcd's requests; JSON, text or bytes where the payload is none", newEtcd},
		{"resp", "", "Redis commands: arrays of bulk strings", newResp},
		{"json", "", "JSON", newJSON},
		{"text", "", "text in UTF-8", newText},
		{"hex", "", "bytes, shown as hex", newHex},
		{"raw", "", "bytes, shown as escaped text, and as base64 in JSON", newRaw},
		{"proto", "FILE:MESSAGE", "protobuf, by a compiled descriptor set and a message", newProto},
		{"exec", "COMMAND", "what COMMAND reads: for each line of hex it answers a line", newExec},
	}
}

// Names returns what may be given to New: the names, and for those that take an argument the name
// with an equals sign.
func Names() []string {
	var names []string
	for _, f := range Formats() {
		if f.Arg != "" {
			f.Name += "="
		}
		names = append(names, f.Name)
	}
	return names
}

// ErrUnknownDecoder is returned when New is asked for a decoder that isn't there.
var ErrUnknownDecoder = errors.New("unknown decoder")

// New returns the decoder that spec names: etcd, resp, json, text, hex, raw,
// proto=FILE:message.Name or exec=COMMAND. An empty spec stands for etcd.
func New(spec string, env Env) (Decoder, error) {
	if spec == "" {
		return &decoder{p: etcdDecoder{}}, nil
	}
	name, arg, hasArg := strings.Cut(spec, "=")
	for _, f := range Formats() {
		if f.Name != name {
			continue
		}
		if hasArg != (f.Arg != "") || f.Arg != "" && arg == "" {
			return nil, fmt.Errorf("decoder %q, want %s", spec, f)
		}
		p, err := f.make(arg, env)
		if err != nil {
			return nil, fmt.Errorf("decoder %q: %w", spec, err)
		}
		return &decoder{p}, nil
	}
	names := strings.Join(Names(), ", ")
	return nil, fmt.Errorf("%w %q, want one of %s", ErrUnknownDecoder, name, names)
}

// String returns how the format is given to New.
func (f Format) String() string {
	if f.Arg == "" {
		return f.Name
	}
	return f.Name + "=" + f.Arg
}

type decoder struct{ p payloadDecoder }

func (d *decoder) Decode(r *Request, e *raftpb.Entry) error { return decodeEntry(r, e, d.p) }

func (d *decoder) Close() error {
	if c, ok := d.p.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
