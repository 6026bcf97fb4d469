package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/authpb"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/corpus"
)

const planted = "pl4nted-S3cret"

func marshal(tb testing.TB, m proto.Message) []byte {
	tb.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// secretRequests returns every request that can hold a secret, with one in each place.
func secretRequests(tb testing.TB) map[string][]byte {
	header := &etcdserverpb.RequestHeader{ID: 0xb37aa1fb7d76e501, Username: "alice"}
	requests := map[string]*etcdserverpb.InternalRaftRequest{
		"authenticate password": {
			Authenticate: &etcdserverpb.InternalAuthenticateRequest{Name: "root", Password: planted}},
		"authenticate token": {
			Authenticate: &etcdserverpb.InternalAuthenticateRequest{Name: "root", SimpleToken: planted}},
		"user_add": {
			AuthUserAdd: &etcdserverpb.AuthUserAddRequest{Name: "root", Password: planted,
				Options: &authpb.UserAddOptions{}}},
		"user_add hashed": {
			AuthUserAdd: &etcdserverpb.AuthUserAddRequest{Name: "root", HashedPassword: planted}},
		"change_password": {AuthUserChangePassword: &etcdserverpb.AuthUserChangePasswordRequest{
			Name: "root", Password: planted, HashedPassword: planted}},
	}
	out := make(map[string][]byte)
	for name, m := range requests {
		m.Header = header
		out[name] = marshal(tb, m)
	}
	v2 := v2User(`{"user":"root","password":"` + planted + `"}`)
	out["v2 user"] = v2
	out["v2 user in v3"] = protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), v2)
	return out
}

// v2User returns the v2 request that stores a user, as etcd 3.4 writes one.
func v2User(val string) []byte {
	var b []byte
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 77)
	for i, s := range []string{"PUT", "/2/users/root", val} {
		b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(2+i), protowire.BytesType), s)
	}
	return protowire.AppendString(protowire.AppendTag(b, 6, protowire.BytesType), planted)
}

// leaks reports whether text shows the secret in any of the ways in which bytes are shown.
func leaks(text []byte) bool {
	lower := bytes.ToLower(text)
	if bytes.Contains(text, []byte(planted)) || bytes.Contains(lower, []byte(hex.EncodeToString([]byte(planted)))) {
		return true
	}
	for shift := range 3 { // base64 of a substring depends on where the substring begins
		enc := base64.StdEncoding.EncodeToString([]byte(planted)[shift:])
		if bytes.Contains(text, []byte(enc[:len(enc)-6])) {
			return true
		}
	}
	return false
}

// plainSpecs are the decoders that need nothing from the outside.
var plainSpecs = []string{"etcd", "resp", "json", "text", "hex", "raw"}

func TestSecretsAreRedacted(t *testing.T) {
	for name, data := range secretRequests(t) {
		for _, spec := range plainSpecs {
			for _, values := range []Values{ValuesNone, ValuesShort, ValuesFull} {
				out, _ := show(t, spec, data, Style{Values: values})
				if leaks(out) {
					t.Errorf("%s: decoder %s, values %s shows the secret: %s", name, spec, values, out)
				}
			}
		}
		if out, _ := show(t, "etcd", data, Style{Values: ValuesFull, ShowSecrets: true}); !leaks(out) {
			t.Errorf("%s: not shown with ShowSecrets: %s", name, out)
		}
		if out, _ := show(t, "hex", data, Style{Values: ValuesFull, ShowSecrets: true}); !leaks(out) {
			t.Errorf("%s: not shown as hex with ShowSecrets: %s", name, out)
		}
	}
}

// show returns all that can be seen of a payload: summary, JSON and the error.
func show(tb testing.TB, spec string, data []byte, s Style) ([]byte, error) {
	tb.Helper()
	d, err := New(spec, Env{ShowSecrets: s.ShowSecrets})
	if err != nil {
		tb.Fatal(err)
	}
	var r Request
	err = d.Decode(&r, normal(data))
	out := r.AppendJSON(append(r.AppendSummary(nil, s), '\n'), s)
	return fmt.Appendf(out, "\n%v %s", err, r.Key), err
}

// TestDamagedSecretsAreRedacted cuts requests with a secret short: what can't be read as a request
// any more must not be shown as bytes either.
func TestDamagedSecretsAreRedacted(t *testing.T) {
	for name, data := range secretRequests(t) {
		for i := range data {
			if out, _ := show(t, "etcd", data[:i], Style{Values: ValuesFull}); leaks(out) {
				t.Errorf("%s: shown of the first %d bytes: %s", name, i, out)
			}
		}
	}
}

func TestMaskKeepsTheRequestReadable(t *testing.T) {
	for name, data := range secretRequests(t) {
		before := bytes.Clone(data)
		masked := AppendMasked([]byte("kept"), data)
		if !bytes.Equal(data, before) {
			t.Fatalf("%s: the input was changed", name)
		}
		if got := Masked(nil, data); !bytes.Equal(got, masked[len("kept"):]) || !bytes.Equal(data, before) {
			t.Errorf("%s: Masked gives %q", name, got)
		}
		rest, ok := bytes.CutPrefix(masked, []byte("kept"))
		if !ok || len(rest) != len(data) || leaks(rest) {
			t.Errorf("%s: masked as %q", name, masked)
		}
		var r, m Request
		if err := Payload(&r, normal(data)); err != nil {
			t.Fatal(err)
		}
		if err := Payload(&m, normal(rest)); err != nil || m.Op != r.Op || m.ID != r.ID {
			t.Errorf("%s: masked request reads %s %x, want %s %x; %v", name, m.Op, m.ID, r.Op, r.ID, err)
		}
	}
	put := marshal(t, &etcdserverpb.InternalRaftRequest{
		Put: &etcdserverpb.PutRequest{Key: []byte("pass-by"), Value: []byte(planted)}})
	if got := AppendMasked(nil, put); !bytes.Equal(got, put) {
		t.Errorf("put masked as %q", got)
	}
	if got := Masked(nil, put); &got[0] != &put[0] || len(got) != len(put) {
		t.Error("a put was copied, though nothing in it is secret")
	}
}

// TestCorpusPasswords looks for the password hashes and plain passwords of the logs, which the raw
// bytes hold, in what is shown of them.
func TestCorpusPasswords(t *testing.T) {
	const hashPrefix = "$2a$" // of bcrypt
	found := 0
	for _, l := range corpus.Logs(t) {
		var r Request
		for e := range entriesOf(t, l) {
			if !mayHoldSecret(e.Data) {
				continue
			}
			if err := Payload(&r, e); err != nil {
				t.Fatal(err)
			}
			all := Style{Values: ValuesFull, ShowSecrets: true}
			open := fieldsOf(&r, all)
			for _, name := range []string{"authenticate", "auth_user_add", "auth_user_change_password"} {
				request, _ := open[name].(map[string]any)
				for _, member := range []string{"password", "hashed_password", "simple_token"} {
					word, _ := request[member].(string)
					if word == "" {
						continue
					}
					found++
					hidden := string(r.AppendJSON(r.AppendSummary(nil, Style{}), Style{Values: ValuesFull}))
					if strings.Contains(hidden, `:"`+word) || strings.Contains(hidden, hashPrefix) {
						t.Errorf("%s: entry %s shows its %s", l.Name, e.ID(), member)
					}
				}
			}
		}
	}
	if found == 0 {
		t.Error("no passwords in the logs: nothing was tested")
	}
}
