package secret

import ("testing";"fmt")

func TestX(t *testing.T) {
	for _, s := range []string{
		`{"password":"hunter2","a":1}`, `{"user":"x","pin":1,"db_password":1234,"x":{"tokens":["a","b"],"y":[]}}`,
		`{"name":"DB_PASSWORD","value":"hunter2"}`, `{"value":"hunter2","name":"DB_PASSWORD"}`,
		`{"name":"DB_PASSWORD","x":{"a":[1]},"value":"hunter2","z":1}`,
		"a: 1\npassword: hunter2\nb: 2", "password: |\n  abc\n  def\nb: 2", "- name: DB_PASSWORD\n  value: hunter2\n- name: x",
		"PASSWORD=hunter 2\nA=b", "export API_KEY='x y' # c", "cmd --password hunter2 --x", `["--token","abc"]`,
		`{"cfg":"{\"password\":\"hunter2\",\"a\":1}"}`, `{"cfg":"password: hunter2\nother: 1"}`,
		"postgres://u:p@ss@h/db", "http://10.0.0.1:2379,http://10.0.0.2:2379", `{"p\u0061ssword":"x"}`,
		"Authorization: Bearer abcdefghijk", "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc y", "user:$2y$10$abcdefghijklmnop:x",
		"<password>x</password>", `<e name="password" value="x"/>`, "API key: abc", "secrets:\n  a: 1\n  b: 2\nc: 3",
		`{"secretName":"a","tokenTTL":5,"max_tokens":5,"token":true}`, "requirepass foobar", "login u password p z",
		"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx", "\x0a\x0bDB_PASSWORD\x12\x07hunter2",
		"u:pw@tcp(h:1)/x", `{"auth":"dXNlcjpwYXNz"}`, `'password' => 'x', 'b' => 'c'`,`{"a":"x ghp_0123456789abcdefghij"}`,
	} {
		fmt.Printf("%-70q %q\n", s, AppendHidden(nil, []byte(s), Find([]byte(s), true)))
	}
}
