package secret

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, name := range []string{"password", "PASSWORD", "db_password", "dbPassword", "password1", "passwordHash",
		"passwd", "PGPASSWORD", "MYSQL_PWD", "passphrase", "secret", "client-secret", "clientSecret", "secret_key_base",
		"secretId", "token", "access_token", "X-Auth-Token", "tokens", "apikey", "API_KEY", "x-api-key", "apiKeys",
		"private_key", "privateKey", "AWS_SECRET_ACCESS_KEY", "access-key-id", "credential", "credentials", "creds",
		"authorization", "proxy-authorization", "cookie", "jwt", "auth", "basic_auth", "masterauth", "db_pass", "psk",
		"AccountKey", "SharedAccessKey", "requirepass", "signing.key", "otp"} {
		if !Name([]byte(name)) {
			t.Errorf("%s: not taken for a secret", name)
		}
	}
	for _, name := range []string{"", "user", "key", "keys", "public_key", "passenger", "bypass", "compass", "author",
		"authority", "oauth", "tokenizer", "secretary", "secretName", "secretRef", "secretKeyRef", "passwordFile",
		"password_policy", "tokenTTL", "token-type", "max_tokens", "tokenUrl", "passwordSecretRef", "passwordless",
		"automountServiceAccountTokenEnabled", "monkey", "keyboard"} {
		if Name([]byte(name)) {
			t.Errorf("%s: taken for a secret", name)
		}
	}
}

func TestKeys(t *testing.T) {
	for key, want := range map[string]Claim{
		"/registry/secrets/default/db":            Stored,
		"/kubernetes.io/secrets/default/db":       Stored,
		"/openshift.io/oauth/accesstokens/x":      Named,
		"/openshift.io/oauth/authorizetokens/x":   Named,
		"/app/token":                              Stored,
		"/app/tokens/github":                      Stored,
		"/app/db-password/current":                Named,
		"/app/db/password_hash":                   Named,
		"app.db.password":                         Named,
		"PRIVATE-KEY":                             Stored,
		"/tls/server.key":                         Stored,
		"/tls/a.key":                              Named,
		"/etc/node-key.pem":                       Named,
		"/app/passwords/":                         Stored,
		"/registry/bitnami.com/sealedsecrets/a/b": Named,
		"":                                      NoClaim,
		"/":                                     NoClaim,
		"/registry/pods/default/web":            NoClaim,
		"/tokenizer-model/config":               NoClaim,
		"/app/token-service/config":             NoClaim,
		"/app/token-names":                      NoClaim,
		"/app/auth":                             NoClaim,
		"/openshift.io/authorization/cluster/x": NoClaim,
		"/app/keyboard/monkey":                  NoClaim,
	} {
		if got := Key([]byte(key)); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
}

// Each word and each end has a trigger in it: else nobody would look at it.
func TestWordsHaveTriggers(t *testing.T) {
	list := slices.Clone(words[:])
	for _, e := range ends {
		list = append(list, e.word)
	}
	for _, w := range list {
		if !theHunter.suspects([]byte(w)) {
			t.Errorf("%s has no trigger", w)
		}
	}
}

func TestManifests(t *testing.T) {
	for text, want := range map[string]bool{
		"kind: Secret\n":                               true,
		`{"a":1,"kind": "Secret"}`:                     true,
		`{"kind":"SecretList"}`:                        true,
		`{"x":"{\"kind\":\"Secret\"}"}`:                true,
		"kind:\n  OAuthClient":                         true,
		`{"kind":"UserOAuthAccessToken"}`:              true,
		`{"kind":"SealedSecret"}`:                      false,
		`{"kind":"ExternalSecret"}`:                    false,
		`{"kind":"SecretStore"}`:                       false,
		`{"kind":"OAuth"}`:                             false,
		`{"kind":"Pod","x":"Secret"}`:                  false,
		"mankind, Secret":                              false,
		strings.Repeat("Secret", 1000):                 false,
		strings.Repeat("x", 100) + `{"kind":"Secret"}`: true,
	} {
		if got := HasManifest([]byte(text)); got != want {
			t.Errorf("%.60s: %t, want %t", text, got, want)
		}
	}
}

// TestHidden has in angle brackets what is hidden.
func TestHidden(t *testing.T) {
	for _, text := range []string{
		`{"password":"‹hunter2›","a":1}`,
		`{"pin":1,"db_password":‹1234›,"x":{"tokens":‹["a","b"]›,"y":[]}}`,
		`{"p\u0061ssword":"‹x›","\u0061":"\u0061"}`,
		`{"secret/db":"‹x›","API key":"‹y›","the secret name":"z"}`,
		`{"name":"DB_PASSWORD","value":"‹hunter2›"}`,
		`{"value":"‹hunter2›","name":"DB_PASSWORD"}`,
		`{"name":"DB_PASSWORD","x":{"a":[1,"}"]},"value":"‹hunter2›","z":1}`,
		`{"cfg":"{\"password\":\"‹hunter\\\"2›\",\"a\":1}"}`,
		`{"cfg":"{\"password\":‹123›,\"a\":{\"token\":‹{\"b\":[1]}›}}"}`,
		`{"cfg":"{\"a\":\"{\\\"password\\\":\\\"‹x›\\\",\\\"b\\\":1}\"}"}`,
		`{"cfg":"password: ‹hunter2›\nother: 1"}`,
		`{"cfg":"password: |\n  ‹a\n  b›\nother: 1"}`,
		`{"cmd":"run --password ‹x› --y","z":1}`,
		`{"args":["--token","‹abc›","--password=‹x›"]}`,
		`{"password":"‹a\"b›","c":"d"}`,
		`{"password":"‹a\\›","c":"d"}`,
		`{"password":"‹unfinished`,
		"a: 1\npassword: ‹hunter2›\nb: 2",
		"password: |\n  ‹abc\n\n  def›\nb: 2",
		"password: >-\n  ‹abc›\nb: 2",
		"password: ‹|abc›\nb: 2",
		"secrets:\n  ‹a: 1\n  b: 2›\nc: 3",
		"tokens:\n‹- a\n- b›\nc: 3",
		"- name: DB_PASSWORD\n  value: ‹hunter2›\n- name: x\n  value: y",
		"args:\n- --token\n- ‹abc›\n- x",
		"password: '‹it''s›'\nb: 2",
		"PASSWORD=‹hunter 2›\nA=b",
		"export API_KEY='‹x y›' # c",
		`PASSWORD="‹a"b"c›` + "\nA=b",
		"API key: ‹abc›\nkey: abc",
		"cmd --password ‹hunter2› --x",
		"requirepass ‹foobar›",
		"login u password ‹p› z",
		"Please reset the password to continue, or a password is lost",
		"<password>‹x›</password><a>y</a>",
		`<password type="plain">‹x›</password>`,
		`<e name="password" value="‹x›"/>`,
		`'password' => '‹x›', 'b' => 'c'`,
		"postgres://u:‹p@ss›@h/db http://10.0.0.1:2379,http://10.0.0.2:2379",
		"http://u:‹1234›@h https://‹0123456789abcdef0123›@h ssh://git@h",
		"u:‹pw›@tcp(h:1)/x",
		"Authorization: ‹Basic abc›",
		"x ‹eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc› y eyJ eyJub",
		"user:‹$2y$10$abcdefghijklmnop›:x $1$ $5 $HOME",
		`{"h":"‹$2y$10$abc\/defghijklmnop›"}`,
		"‹-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----›\nx",
		"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
		`{"a":"x\n‹ghp_0123456789abcdefghij›"}`,
		"a task-0123456789abcdefghij AKIA in MAKIAVELLI0123456789",
		"bearer ‹abcdef› and bearer token; basic ‹dXNlcjpwYXNz›, basic configuration",
		`{"secretName":"a","tokenTTL":5,"token":true,"password":null,"secret":""}`,
	} {
		plain := strings.NewReplacer("‹", "", "›", "").Replace(text)
		var want, got strings.Builder
		for i, part := range strings.Split(strings.ReplaceAll(text, "›", "‹"), "‹") {
			if i%2 == 0 {
				want.WriteString(part)
			} else {
				want.WriteString("‹›")
			}
		}
		from := 0
		for _, span := range Find([]byte(plain), true) {
			got.WriteString(plain[from:span.Lo] + "‹›")
			from = span.Hi
		}
		got.WriteString(plain[from:])
		if got.String() != want.String() {
			t.Errorf("%s\n got %s\nwant %s", text, got.String(), want.String())
		}
	}
}

func TestAppendHidden(t *testing.T) {
	for text, want := range map[string]string{
		`{"password":"x","token":5}`:         `{"password":"[redacted]","token":"[redacted]"}`,
		`{"a":"{\"password\":5,\"b\":[1]}"}`: `{"a":"{\"password\":\"[redacted]\",\"b\":[1]}"}`,
		"password=x":                         "password=[redacted]",
		"nothing":                            "nothing",
	} {
		if got := string(AppendHidden(nil, []byte(text), Find([]byte(text), true))); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestCut cuts texts within their secrets: what is left of them is hidden.
func TestCut(t *testing.T) {
	for _, text := range []string{
		`{"password":"0123456789abcdef"}`, "password: 0123456789abcdef", "PASSWORD='0123456789abcdef'",
		"postgres://user:0123456789abcdef@host/db", "x eyJhbGciOi0123456789abcdef", "x ghp_0123456789abcdef",
		"x $2a$10$0123456789abcdef", "x AKIA0123456789abcdef", "Bearer 0123456789abcdef",
		"x -----BEGIN PRIVATE KEY-----\n0123456789abcdef", `{"token":["0123456789abcdef"]}`,
		"x SG.0123456789abcdef", "x glpat-0123456789abcdef", "https://hooks.slack.com/services/0123456789abcdef",
	} {
		for n := range len(text) {
			head := []byte(text[:n])
			if out := AppendHidden(nil, head, Find(head, false)); bytes.Contains(out, []byte("0123")) {
				t.Errorf("of the first %d bytes: %s", n, out)
			}
		}
	}
}

// TestHostile gives what is expensive to look at. That it comes to an end is the test.
func TestHostile(t *testing.T) {
	const size = 1 << 18
	for _, s := range []string{
		"key", "token", "token:", "token,", `"token",`, `"token","a":[`, `'val':'x','name':'token',`, "token \n",
		`\"token\",`, "token\\\\", "://", "a:b://", "LS0tLS1CRUdJTiBDRVJU=", "eyJ", "$1$", "$1$1$12345678",
		"Secret", "kind Secret", "-----BEGIN ", "-----BEGIN PRIVATE", "<token ", "<token>", `\u0061`, `"\u0061`,
		"bearer ", "basic ", "token:\n  ", "token:\n\n", "  token:\n", "@tcp(", "ghp_", "sk-", `"`, `\`, "'", "{",
		"token: '", "token: `", `{"value":"x","name":"token"},`, "k\x12token\x12", "token\t", "pass ", "--token ",
		`["--token",`, "api key ", "BEGIN ", "auth>",
	} {
		for _, head := range []string{"", "{", "{\"a\":\""} {
			text := []byte(head + strings.Repeat(s, size/len(s)))
			check(t, text, Find(text, true))
			HasManifest(text)
			Key(text)
			Name(text)
		}
	}
}

// Bytes that were compressed or encrypted have no secrets, though short words come about in them.
func TestRandomBytes(t *testing.T) {
	for seed := range 20 {
		text := make([]byte, 4<<20)
		if _, err := rand.NewChaCha8([32]byte{byte(seed)}).Read(text); err != nil {
			t.Fatal(err)
		}
		for _, span := range Find(text, true) {
			t.Errorf("seed %d: %q", seed, text[max(0, span.Lo-16):min(span.Lo+16, len(text))])
		}
	}
}

func check(t *testing.T, text []byte, spans []Span) {
	t.Helper()
	end := 0
	for _, span := range spans {
		if span.Lo < end || span.Lo >= span.Hi || span.Hi > len(text) {
			t.Fatalf("%+v after %d in %d bytes: %.100q", span, end, len(text), text)
		}
		end = span.Hi
	}
}

// FuzzFind finds secrets in anything: in order, apart from each other, and the same ones again. The text
// stays as it was.
func FuzzFind(f *testing.F) {
	for _, s := range []string{`{"password":"x","a":[1]}`, "token: |\n  a\nb", `{"a":"{\"token\":\"x\"}"}`,
		`{"value":"x","name":"token"}`, "a://b:c@d", "<token>a</token>", `["--token","a"]`, "\x0a\x05token\x12\x01a",
		"-----BEGIN PRIVATE KEY-----", "$2a$10$abcdefghijk", `"\u0061uth":"x"`} {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, whole bool) {
		before := bytes.Clone(text)
		spans := Find(text, whole)
		check(t, text, spans)
		again := Find(text, whole)
		if len(again) != len(spans) || !bytes.Equal(before, text) {
			t.Fatalf("%d and then %d secrets in %q", len(spans), len(again), text)
		}
		Name(text)
		Key(text)
		HasManifest(text)
	})
}

func BenchmarkFind(b *testing.B) {
	for name, text := range map[string]string{
		"plain": strings.Repeat("v", 1024),
		"json":  strings.Repeat(`{"kind":"Pod","namespace":"default","labels":{"app":"web"},"phase":"Running"} `, 14)[:1024],
		"keys":  strings.Repeat(`{"key":"app","operator":"In","values":["web"],"authority":"x","tokenTTL":5} `, 14)[:1024],
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if Find([]byte(text), true) != nil {
					b.Fatal("a secret was found")
				}
			}
		})
	}
}
