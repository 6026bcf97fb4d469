package decode

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary is its own decoding process, with the behaviour that this variable names.
const behaviourEnv = "RAFTCTL_TEST_DECODER"

func TestMain(m *testing.M) {
	if b := os.Getenv(behaviourEnv); b != "" {
		behave(b)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func behave(behaviour string) {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for n := 1; in.Scan(); n++ {
		payload, err := hex.DecodeString(in.Text())
		if err != nil {
			os.Exit(1)
		}
		switch behaviour {
		case "echo":
			fmt.Printf("OK|%s\n", payload)
		case "json":
			fmt.Printf("{\"size\": %d, \"pipe\": \"a|b\"}\n", len(payload))
		case "die":
			if n == 2 {
				return
			}
			fmt.Println("first")
		case "partial":
			fmt.Print("no line end")
			return
		case "chatty":
			fmt.Print("one\ntwo\nthree\n")
		case "endless":
			for {
				fmt.Print(strings.Repeat("x", 1<<20))
			}
		case "early": // answers a long line before it has read the question
			fmt.Println(strings.Repeat("y", 1<<20))
		}
	}
}

// process is a child with both its ends.
type process struct {
	io.Reader
	io.WriteCloser
	cmd  *exec.Cmd
	once sync.Once
}

func (p *process) Close() error {
	p.once.Do(func() {
		_ = p.WriteCloser.Close()
		_ = p.cmd.Process.Kill() // it may have ended
		_ = p.cmd.Wait()         // the status of a killed process tells nothing
	})
	return nil
}

func start(behaviour string) (io.ReadWriteCloser, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), behaviourEnv+"="+behaviour)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{Reader: out, WriteCloser: in, cmd: cmd}, cmd.Start()
}

func newExecFor(t *testing.T, behaviour string, timeout time.Duration) Decoder {
	t.Helper()
	d, err := New("exec="+behaviour, Env{Start: start, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

const patient = time.Minute

func TestExec(t *testing.T) {
	d := newExecFor(t, "echo", patient)
	for _, tt := range []struct{ data, summary, json string }{
		{"hello, world", "exec OK hello, world", `{"status":"OK","text_size":12,"text":"hello, world"}`},
		{"a\x1b[31m\u202e", `exec OK a\x1b[31m\u202e`, `{"status":"OK","text_size":9,"text":"a\u001b[31m\u202e"}`},
		{"\xff", `exec OK \xff`, `{"status":"OK","text_size":1,"text_base64":"/w=="}`},
	} {
		var r Request
		if err := d.Decode(&r, normal([]byte(tt.data))); err != nil {
			t.Fatal(err)
		}
		if got := string(r.AppendSummary(nil, Style{})); got != tt.summary {
			t.Errorf("summary\n got %s\nwant %s", got, tt.summary)
		}
		if got := string(r.AppendJSON(nil, Style{})); got != tt.json {
			t.Errorf("json\n got %s\nwant %s", got, tt.json)
		}
	}
}

func TestExecJSON(t *testing.T) {
	d := newExecFor(t, "json", patient)
	var r Request
	if err := d.Decode(&r, normal([]byte("abc"))); err != nil {
		t.Fatal(err)
	}
	if got, want := string(r.AppendJSON(nil, Style{})), `{"json":{"size":3,"pipe":"a|b"}}`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestExecLargePayload(t *testing.T) {
	d := newExecFor(t, "early", patient)
	var r Request
	for range 3 {
		if err := d.Decode(&r, normal(make([]byte, 1<<20))); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(r.AppendJSON(nil, Style{Values: ValuesFull})); got < 1<<20 {
		t.Errorf("%d bytes of JSON", got)
	}
}

// TestExecFails has the process fail in each way: the error says how, sticks, and the payload is
// shown as bytes.
func TestExecFails(t *testing.T) {
	for _, tt := range []struct {
		behaviour string
		timeout   time.Duration
		want      error
		text      string
	}{
		{"hang", 50 * time.Millisecond, ErrDecoderTimeout, "after 0 answers: no answer within 50ms"},
		{"die", patient, ErrDecoderEnded, "after 1 answers: process has ended"},
		{"partial", patient, ErrDecoderEnded, "after 1 answers: process has ended"},
		{"chatty", patient, ErrDecoderOutOfStep, "more answers than questions"},
		{"endless", patient, nil, "answer of more than 16777216 bytes"},
	} {
		t.Run(tt.behaviour, func(t *testing.T) {
			d := newExecFor(t, tt.behaviour, tt.timeout)
			var r Request
			var err error
			for range 1000 { // a chatty process is found out once its next line has come
				if err = d.Decode(&r, normal([]byte("ab"))); err != nil {
					break
				}
			}
			var p *PayloadError
			if err == nil || errors.As(err, &p) || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("%v, want %s", err, tt.text)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%v is not %v", err, tt.want)
			}
			if again := d.Decode(&r, normal([]byte("ab"))); again == nil || again.Error() != err.Error() {
				t.Errorf("then %v", again)
			}
			if got, want := string(r.AppendSummary(nil, Style{})), "unknown 2 B 0x6162"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestExecClosed(t *testing.T) {
	d := newExecFor(t, "echo", patient)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var r Request
	if err := d.Decode(&r, normal([]byte("a"))); !errors.Is(err, ErrDecoderEnded) {
		t.Errorf("%v, want %v", err, ErrDecoderEnded)
	}
}

func TestExecMasksSecrets(t *testing.T) {
	for name, data := range secretRequests(t) {
		d := newExecFor(t, "echo", patient)
		var r Request
		if err := d.Decode(&r, normal(data)); err != nil {
			t.Fatal(err)
		}
		if out := r.AppendJSON(nil, Style{Values: ValuesFull}); leaks(out) {
			t.Errorf("%s: shown: %s", name, out)
		}
	}
}
