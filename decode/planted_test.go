package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
)

// plant is a value with a secret in it, and the secret.
type plant struct{ kind, key, value, marker string }

func (p *plant) stored() stored { return stored{[]byte(p.key), []byte(p.value)} }

// plantKinds are all the ways in which secrets lie in a store. %[1]s is the secret, %[2]s harmless text.
var plantKinds = []struct {
	kind, key string
	value     func(marker, filler string) string
}{
	{"key", "/app/db/password", same},
	{"key of a folder", "/app/tokens/github", same},
	{"key with signs", "prod.API-KEY", same},
	{"key file", "/tls/server.key", same},
	{"folder of secrets", "/registry/secrets/default/odd", same},
	{"another prefix", "/kubernetes.io/secrets/default/odd", same},
	{"kubernetes secret", "/registry/secrets/default/db", secretObject("v1", "Secret")},
	{"service account's token", "/registry/secrets/kube-system/default-token-x7", secretObject("v1", "Secret")},
	{"bootstrap token", "/registry/secrets/kube-system/bootstrap-token-07401b", secretObject("v1", "Secret")},
	{"misplaced secret", "/elsewhere/x", secretObject("v1", "Secret")},
	{"openshift token", "/openshift.io/oauth/accesstokens/x",
		secretObject("oauth.openshift.io/v1", "OAuthAccessToken")},
	{"openshift code", "/openshift.io/oauth/authorizetokens/x",
		secretObject("oauth.openshift.io/v1", "OAuthAuthorizeToken")},
	{"openshift client", "/openshift.io/oauth/clients/x", secretObject("oauth.openshift.io/v1", "OAuthClient")},
	{"damaged secret", "/elsewhere/x", func(m, _ string) string { return "k8s\x00\x0a\x0e\x0a\x02v1\x12\xffSecret" + m }},
	{"secret in json", "/registry/x/default/db",
		text(`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db"},"data":{"a":"%s"},"note":"%s"}`)},
	{"secret with its kind last", "/manifests/db", text(`{"apiVersion":"v1","data":{"a":"%s"},"x":"%s","kind": "Secret"}`)},
	{"secret in yaml", "/manifests/db", text("apiVersion: v1\ndata:\n  a: %s\n# %s\nkind: Secret\n")},
	{"secret in a list", "/manifests/db", text(`{"kind":"List","items":[{"data":{"a":"%s"},"b":"%s","kind":"Secret"}]}`)},
	{"secret in a string", "/x", text(`{"last":"{\"data\":{\"a\":\"%s\"},\"kind\":\"Secret\"}","x":"%s"}`)},
	{"field", "/x", after(`{"note":"%s","password":"%s","b":1}`)},
	{"field with signs", "/x", after(`{"note":"%s","client-Secret" : "%s"}`)},
	{"field with escapes", "/x", after(`{"note":"%s","p\u0061ssword":"%s"}`)},
	{"object", "/x", after(`{"note":"%s","credentials":{"user":"a","x":["%s"]}}`)},
	{"list", "/x", after(`{"note":"%s","tokens": [ "a", "%s" ]}`)},
	{"json in json", "/x", after(`{"note":"%s","config":"{\"auth\":{\"a\":\"b\"},\"db_password\":\"%s\"}"}`)},
	{"yaml in json", "/x", after(`{"note":"%s","config":"a: 1\npassword: %s\nb: 2"}`)},
	{"block of yaml in json", "/x", after(`{"note":"%s","config":"a: 1\nprivateKey: |\n  %s\n  x\nb: 2"}`)},
	{"variable", "/x", after(`{"note":"%s","env":[{"name":"DB_PASSWORD","value":"%s"}]}`)},
	{"variable, value first", "/x", after(`{"note":"%s","env":[{"value":"%s","name":"DB_PASSWORD"}]}`)},
	{"variable, value later", "/x", after(`{"note":"%s","env":[{"name":"DB_PASSWORD","a":{"b":[1]},"value":"%s"}]}`)},
	{"docker config", "/x", after(`{"note":"%s","auths":{"https://hub":{"auth":"%s"}}}`)},
	{"pretty", "/x", after("{\n    \"note\": \"%s\",\n    \"apiKey\":\n        \"%s\"\n}\n")},
	{"yaml", "/x", after("note: %s\npassword: %s\nother: 1\n")},
	{"yaml, quoted", "/x", after("note: %s\npassword: \"%s\" # hm\nother: 1\n")},
	{"yaml, block", "/x", after("note: %s\nsecret: |-\n  a\n  %s\nother: 1\n")},
	{"yaml, within", "/x", after("note: %s\ncredentials:\n  user: a\n  pass:\n    %s\nother: 1\n")},
	{"yaml, list", "/x", after("note: %s\ntokens:\n- a\n- %s\nother: 1\n")},
	{"yaml, variable", "/x", after("note: %s\nenv:\n- name: API_TOKEN\n  value: %s\n")},
	{"environment", "/x", after("NOTE=%s\nDB_PASSWORD=%s\nB=c\n")},
	{"environment with blanks", "/x", after("NOTE=%s\nexport DB_PASSWORD=correct horse %s\n")},
	{"ini", "/x", after("[main]\nnote = %s\nsecret_key = %s\n")},
	{"properties", "/x", after("note=%s\nspring.datasource.password=%s\n")},
	{"toml", "/x", after("note = '''%s'''\npassword = \"\"\"\n%s\"\"\"\n")},
	{"xml", "/x", after("<a><note>%s</note><password>%s</password></a>")},
	{"xml attribute", "/x", after(`<a note="%s"><p name="password" value="%s"/></a>`)},
	{"php", "/x", after("'note' => '%s', 'password' => '%s', 'x' => 'y'")},
	{"flag", "/x", after("run --note %s --password %s --x")},
	{"flag in a list", "/x", after(`{"note":"%s","args":["--token","%s"]}`)},
	{"netrc", "/x", after("# %s\nmachine a login b password %s\n")},
	{"redis", "/x", after("# %s\nrequirepass %s\n")},
	{"two words", "/x", after("Note: %s\nAPI key: %s\n")},
	{"header", "/x", after("Note: %s\r\nX-Auth-Token: %s\r\n")},
	{"query", "/x", after("note %s http://a/b?c=d&access_token=%s&e=f")},
	{"settings", "/x", after("Note=%s;Server=a;Password=%s;Timeout=3")},
	{"address", "/x", after("%s postgres://user:%s@host:5432/db?sslmode=disable")},
	{"address, odd", "/x", after(`{"note":"%s","dsn":"amqp://user:a/b@%s@host/"}`)},
	{"address of go", "/x", after("%s user:%s@tcp(127.0.0.1:3306)/db")},
	{"jwt", "/x", after("note %s eyJhbGciOiJIUzI1NiJ9.%s.c2lnbmF0dXJl")},
	{"jwt in json", "/x", after(`{"note":"%s","x":"eyJhbGciOiJIUzI1NiJ9.%s.c2lnbmF0dXJl"}`)},
	{"pem", "/x", after("note: %s\n-----BEGIN RSA PRIVATE KEY-----\nMIIE%s\nAAAA\n-----END RSA PRIVATE KEY-----\n")},
	{"pem in json", "/x", after(`{"note":"%s","k":"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"}`)},
	{"pem without end", "/x", after("%s\n-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n")},
	{"pem in base64", "/x", after("note: %s\nclient-data: LS0tLS1CRUdJTiBSU0EgUFJJ%s\n")},
	{"bcrypt", "/x", after("%s root:$2a$10$abcdefghij%s")},
	{"argon2", "/x", after("%s root:$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$%s")},
	{"sha crypt", "/x", after("%s root:$6$saltsalt$%s:18000:0")},
	{"github", "/x", after("%s ghp_%s x")},
	{"gitlab", "/x", after(`{"note":"%s","x":"a\nglpat-%s"}`)},
	{"slack", "/x", after("%s xoxb-123-%s x")},
	{"aws", "/x", upper("%s AKIA%s x")},
	{"google", "/x", after("%s AIzaSyAbcd%s x")},
	{"stripe", "/x", after("%s sk_live_%s x")},
	{"bearer", "/x", after("%s\nbearer %s x")},
	{"basic", "/x", func(m, f string) string {
		return f + " Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+m))
	}},
	{"config map", "/registry/configmaps/default/x", func(m, f string) string {
		return kubernetesObject("ConfigMap", pbBytes(2, pbBytes(1, "note")+pbBytes(2, f))+
			pbBytes(2, pbBytes(1, "db.password")+pbBytes(2, m)))
	}},
	{"config map with a file", "/registry/configmaps/default/x", func(m, f string) string {
		return kubernetesObject("ConfigMap", pbBytes(2, pbBytes(1, "app.ini")+pbBytes(2, f+"\npassword="+m)))
	}},
	{"pod", "/registry/pods/default/x", func(m, f string) string {
		return kubernetesObject("Pod", pbBytes(2, pbBytes(7, pbBytes(1, "DB_PASSWORD")+pbBytes(2, m)+f)))
	}},
	{"binary", "/x", func(m, f string) string { return "\x00\x01\xff" + f + " password=" + m }},
}

func same(m, _ string) string { return m }

// text puts the secret before the filler, after behind it.
func text(format string) func(m, f string) string {
	return func(m, f string) string { return fmt.Sprintf(format, m, f) }
}

func after(format string) func(m, f string) string {
	return func(m, f string) string { return fmt.Sprintf(format, f, m) }
}

func upper(format string) func(m, f string) string {
	return func(m, f string) string { return strings.Replace(fmt.Sprintf(format, f, m), m, strings.ToUpper(m), 1) }
}

// secretObject returns an object in protobuf with the secret in its data.
func secretObject(apiVersion, kind string) func(m, f string) string {
	return func(m, f string) string {
		meta := pbBytes(1, pbBytes(1, "db")+pbBytes(3, "default"))
		return "k8s\x00" + pbBytes(1, pbBytes(1, apiVersion)+pbBytes(2, kind)) +
			pbBytes(2, meta+pbBytes(2, pbBytes(1, "a")+pbBytes(2, m))+pbBytes(9, f))
	}
}

// kubernetesObject returns an object in protobuf with fields beside its metadata.
func kubernetesObject(kind, fields string) string {
	meta := pbBytes(1, pbBytes(1, "x")+pbBytes(3, "default"))
	return "k8s\x00" + pbBytes(1, pbBytes(1, "v1")+pbBytes(2, kind)) + pbBytes(2, meta+fields)
}

// plants returns secrets of all kinds, each with harmless text of any length around it, so that the
// places at which values are cut fall before, into and behind them.
func plants(seed uint64, each int) []plant {
	rng := rand.New(rand.NewPCG(seed, 2))
	var list []plant
	for range each {
		for _, k := range plantKinds {
			const letters = "abcdefghijkmnpqrstuvwxyz23456789"
			marker := []byte("zq")
			for range 18 {
				marker = append(marker, letters[rng.IntN(len(letters))])
			}
			filler := strings.Repeat("lorem ipsum ", 40)[:rng.IntN(400)]
			p := plant{k.kind, k.key, k.value(string(marker), strings.TrimSpace(filler)), string(marker)}
			if strings.Contains(p.value, strings.ToUpper(p.marker)) {
				p.marker = strings.ToUpper(p.marker)
			}
			list = append(list, p)
		}
	}
	return list
}

// shows reports whether text shows half of the secret or more, in any of the ways in which bytes are
// shown.
func (p *plant) shows(text []byte) bool {
	secret := []byte(p.marker)
	for _, part := range [][]byte{secret[:len(secret)/2], secret[len(secret)/2:]} {
		if bytes.Contains(text, part) || bytes.Contains(text, []byte(hex.EncodeToString(part))) {
			return true
		}
		for shift := range 3 { // base64 of a substring depends on where the substring begins
			enc := base64.RawStdEncoding.EncodeToString(part[shift:])
			if bytes.Contains(text, []byte(enc[:len(enc)-2])) {
				return true
			}
		}
	}
	return false
}

// requests returns all requests that a value can stand in.
func (p *plant) requests(tb testing.TB) map[string][]byte {
	header := &pb.RequestHeader{ID: 0xb37aa1fb7d76e501}
	key, value := []byte(p.key), []byte(p.value)
	compare := &pb.Compare{Key: key, Target: pb.Compare_VALUE, TargetUnion: &pb.Compare_Value{Value: value}}
	put := &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: key, Value: value}}}
	inner := &pb.TxnRequest{Compare: []*pb.Compare{compare}, Failure: []*pb.RequestOp{put}}
	v2 := append(v2Put(p.key, p.value), pbBytes(6, p.value)...)
	return map[string][]byte{
		"put": marshal(tb, &pb.InternalRaftRequest{Header: header,
			Put: &pb.PutRequest{Key: key, Value: value, Lease: 7, PrevKv: true}}),
		"txn": marshal(tb, &pb.InternalRaftRequest{Header: header, Txn: &pb.TxnRequest{
			Compare: []*pb.Compare{compare}, Success: []*pb.RequestOp{put, txnOp(inner)}}}),
		"put in parts": []byte(pbBytes(4, pbBytes(1, p.key)) + pbBytes(4, pbBytes(2, p.value))),
		"v2":           v2,
		"v2 in v3":     protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), v2),
	}
}

// TestPlantedSecrets plants more than a thousand secrets, and looks for them in everything that is shown.
func TestPlantedSecrets(t *testing.T) {
	list := plants(1, 14)
	if len(list) < 1000 {
		t.Fatalf("%d secrets, want 1000", len(list))
	}
	for i := range list {
		p := &list[i]
		for _, values := range []Values{ValuesNone, ValuesShort, ValuesFull} {
			s := &Style{Values: values}
			p.check(t, "value", AppendValue(nil, []byte(p.key), []byte(p.value), s))
			p.check(t, "value in JSON", AppendValueJSON([]byte("{"), []byte(p.key), []byte(p.value), s))
			p.check(t, "argument", appendArgument(nil, p.stored(), s))
		}
		all := &Style{Values: ValuesFull, ShowSecrets: true}
		out := AppendValueJSON([]byte("{"), []byte(p.key), []byte(p.value), all)
		if !p.shows(out) && p.kind != "basic" {
			t.Errorf("%s: not shown with ShowSecrets: %s", p.kind, out)
		}
	}
}

func (p *plant) check(t *testing.T, where string, out []byte) {
	t.Helper()
	lines := bytes.ReplaceAll(out, []byte("\n"), nil) // of several views
	if p.shows(out) || badRune(lines) >= 0 {
		t.Errorf("%s: %s shows %s:\n%s\nof %q", p.kind, where, p.marker, out, p.value)
	}
}

// TestPlantedInRequests looks for secrets in all views of the requests that store them, and in their
// bytes.
func TestPlantedInRequests(t *testing.T) {
	for _, p := range plants(2, 2) {
		for name, data := range p.requests(t) {
			for _, spec := range plainSpecs {
				for _, values := range []Values{ValuesShort, ValuesFull} {
					out, _ := show(t, spec, data, Style{Values: values})
					p.check(t, fmt.Sprintf("%s, decoder %s, values %s", name, spec, values), out)
				}
			}
			masked := AppendMasked(nil, data)
			if p.shows(masked) || len(masked) != len(data) {
				t.Errorf("%s: %s masked as %q", p.kind, name, masked)
			}
		}
	}
}

// TestPlantedInPayloads looks for secrets in payloads that aren't etcd's.
func TestPlantedInPayloads(t *testing.T) {
	for _, p := range plants(3, 2) {
		if bytes.Equal([]byte(p.value), []byte(p.marker)) || p.key == "/registry/secrets/default/odd" {
			continue // the key told
		}
		command := fmt.Sprintf("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n", len(p.value), p.value)
		for _, spec := range plainSpecs {
			for _, data := range []string{p.value, command} {
				for _, values := range []Values{ValuesShort, ValuesFull} {
					out, _ := show(t, spec, []byte(data), Style{Values: values})
					p.check(t, fmt.Sprintf("decoder %s, values %s", spec, values), out)
				}
			}
		}
	}
}

// TestPlantedInDamage cuts puts short: what can't be read as a request any more isn't shown as bytes.
func TestPlantedInDamage(t *testing.T) {
	behind := map[string]bool{"variable, value first": true, "secret with its kind last": true,
		"secret in a list": true, "secret in yaml": true, "secret in a string": true,
		"address of go": true}
	for _, p := range plants(4, 1) {
		if behind[p.kind] {
			continue // what tells is cut off
		}
		data := p.requests(t)["put"]
		for n := 0; n < len(data); n += 1 + len(data)/150 {
			out, _ := show(t, "etcd", data[:n], Style{Values: ValuesFull})
			p.check(t, fmt.Sprintf("the first %d of %d bytes", n, len(data)), out)
		}
	}
}

// TestPlantedInDiffs compares values that differ in their secrets, and in what is around them.
func TestPlantedInDiffs(t *testing.T) {
	list, others := plants(5, 4), plants(6, 4)
	for i := range list {
		p, q := &list[i], &others[i]
		for _, values := range []Values{ValuesShort, ValuesFull} {
			s := &Style{Values: values}
			d := DiffValues([]byte(p.key), []byte(p.value), []byte(q.value), s)
			out := d.AppendJSON(d.AppendLines(nil, "", s), s)
			p.check(t, "diff", out)
			q.check(t, "diff", out)
		}
	}
}
