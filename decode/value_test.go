package decode

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// pbBytes returns a field of bytes.
func pbBytes(num protowire.Number, data string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, num, protowire.BytesType), data))
}

// kubernetesValue returns an object as the API server of Kubernetes stores it.
func kubernetesValue(apiVersion, kind, namespace, name string) string {
	meta := pbBytes(1, name) + pbBytes(2, "") + pbBytes(3, namespace) + pbBytes(4, "")
	object := pbBytes(1, meta) + pbBytes(2, "spec") + pbBytes(3, "status")
	return "k8s\x00" + pbBytes(1, pbBytes(1, apiVersion)+pbBytes(2, kind)) + pbBytes(2, object) +
		pbBytes(3, "") + pbBytes(4, "")
}

func TestValues(t *testing.T) {
	pod := kubernetesValue("v1", "Pod", "kube-system", "etcd-0")
	role := kubernetesValue("rbac.authorization.k8s.io/v1", "ClusterRole", "", "admin")
	long := strings.Repeat("0123456789", 30)
	for _, tt := range []struct {
		name, value   string
		summary, json string
	}{
		{"empty", "", `0 B`, `{"value_size":0,"value":""}`},
		{"text", "hello", `5 B hello`, `{"value_size":5,"value":"hello"}`},
		{"words", "hello, world", `12 B "hello, world"`, `{"value_size":12,"value":"hello, world"}`},
		{"json", "{ \"a\": [1,\n 2], \"b\": \"x y\" }", `28 B {"a":[1,2],"b":"x y"}`,
			`{"value_size":28,"value":"{ \"a\": [1,\n 2], \"b\": \"x y\" }"}`},
		{"json with escapes", `{"a":"\u001b[31m\""}`, `20 B {"a":"\u001b[31m\""}`,
			`{"value_size":20,"value":"{\"a\":\"\\u001b[31m\\\"\"}"}`},
		{"like json", "{\x1b[31m", `6 B 0x7b1b5b33316d`, `{"value_size":6,"value":"{\u001b[31m"}`},
		{"c1 controls", "\u009b31m", `5 B 0xc29b33316d`, `{"value_size":5,"value":"\u009b31m"}`},
		{"binary", "\x00\xff", `2 B 0x00ff`, `{"value_size":2,"value_base64":"AP8="}`},
		{"long", long, `300 B "` + long[:64] + `…"`,
			`{"value_size":300,"value_prefix":"` + long[:64] + `"}`},
		{"long binary", "\xff" + long, `301 B 0xff` + "30313233343536373839303132333435363738393031323334353637383930…",
			`{"value_size":301,"value_prefix_base64":"/zAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMg=="}`},
		{"kubernetes", pod, `62 B v1/Pod kube-system/etcd-0`,
			`{"value_size":62,"value_kubernetes":{"api_version":"v1","kind":"Pod",` +
				`"namespace":"kube-system","name":"etcd-0"}}`},
		{"kubernetes without namespace", role, `84 B rbac.authorization.k8s.io/v1/ClusterRole admin`,
			`{"value_size":84,"value_kubernetes":{"api_version":"rbac.authorization.k8s.io/v1",` +
				`"kind":"ClusterRole","name":"admin"}}`},
		{"kubernetes damaged", pod[:20], `20 B v1/Pod`,
			`{"value_size":20,"value_kubernetes":{"api_version":"v1","kind":"Pod"}}`},
		{"kubernetes, nothing behind", "k8s\x00", `4 B 0x6b387300`, `{"value_size":4,"value":"k8s\u0000"}`},
		{"kubernetes secret", kubernetesValue("v1", "Secret", "a", "b"), `50 B v1/Secret a/b [redacted]`,
			`{"value_size":50,"value_kubernetes":{"api_version":"v1","kind":"Secret","namespace":"a","name":"b"},` +
				`"value":"[redacted]","value_redacted":true}`},
		{"kubernetes in json", `{"apiVersion":"a/v1","kind":"B","metadata":{"x":[{}],"name":"c","namespace":"d"}}`,
			`81 B a/v1/B d/c`, `{"value_size":81,"value_kubernetes":{"api_version":"a/v1","kind":"B","namespace":"d",` +
				`"name":"c"},"value":"{\"apiVersion\":\"a/v1\",\"kind\":\"B\",\"metadata\":{\"x\":[{}],\"name\":\"c\",` +
				`\"namespace\":\"d\"}}"}`},
		{"kubernetes secret in json", `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"c"},"data":{"x":"eA=="}}`,
			`79 B v1/Secret c [redacted]`, `{"value_size":79,"value_kubernetes":{"api_version":"v1","kind":"Secret",` +
				`"name":"c"},"value":"[redacted]","value_redacted":true}`},
		{"kubernetes in json, cut", `{"kind":"B","apiVersion":"v1","metadata":{"name":"c`, `51 B v1/B`,
			`{"value_size":51,"value_kubernetes":{"api_version":"v1","kind":"B"},` +
				`"value":"{\"kind\":\"B\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c"}`},
		{"field", `{"a":1,"token":"x"}`, `19 B {"a":1,"token":"[redacted]"}`,
			`{"value_size":19,"value":"{\"a\":1,\"token\":\"[redacted]\"}","value_redacted":true}`},
		{"line", "a=b\ntoken=x", `11 B "a=b\ntoken=[redacted]"`,
			`{"value_size":11,"value":"a=b\ntoken=[redacted]","value_redacted":true}`},
		{"secret behind what is shown", long + " token=x", `308 B "` + long[:64] + `…"`,
			`{"value_size":308,"value_prefix":"` + long[:64] + `"}`},
		{"secret at the cut", long[:60] + " token=x " + long, `369 B "` + long[:60] + ` tok…"`,
			`{"value_size":369,"value_prefix":"` + long[:60] + ` tok"}`},
		{"secret before the cut", long[:50] + " token=x" + long, `358 B "` + long[:50] + ` token=[redact…"`,
			`{"value_size":358,"value_prefix":"` + long[:50] + ` token=[redact","value_redacted":true}`},
		{"binary with a secret", "\xfftoken=x", `8 B [redacted]`,
			`{"value_size":8,"value":"[redacted]","value_redacted":true}`},
		{"kubernetes encrypted", "k8s:enc:aescbc:v1:key1:\x00\x01", `25 B encrypted by aescbc:v1:key1`,
			`{"value_size":25,"value_kubernetes":{"encryption":"aescbc:v1:key1"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendValue(nil, stored{value: []byte(tt.value)}, &Style{})); got != tt.summary {
				t.Errorf("summary\n got %s\nwant %s", got, tt.summary)
			}
			got := string(append(appendValueJSON([]byte("{"), "value", stored{value: []byte(tt.value)}, &Style{}), '}'))
			if got != tt.json {
				t.Errorf("json\n got %s\nwant %s", got, tt.json)
			}
		})
	}
}

func TestValuesFullAndNone(t *testing.T) {
	pod := kubernetesValue("v1", "Pod", "", "a")
	for _, tt := range []struct {
		values        Values
		value         string
		summary, json string
	}{
		{ValuesNone, "hello", "5 B", `{"value_size":5}`},
		{ValuesNone, pod, "46 B", `{"value_size":46}`},
		{ValuesFull, strings.Repeat("x", 300), "300 B " + strings.Repeat("x", 300),
			`{"value_size":300,"value":"` + strings.Repeat("x", 300) + `"}`},
		{ValuesFull, "k8s:enc:a:b:c:\xff", "15 B 0x6b38733a656e633a613a623a633aff",
			`{"value_size":15,"value_kubernetes":{"encryption":"a:b:c"},"value_base64":"azhzOmVuYzphOmI6Yzr/"}`},
	} {
		s := Style{Values: tt.values}
		if got := string(appendValue(nil, stored{value: []byte(tt.value)}, &s)); got != tt.summary {
			t.Errorf("%s: summary\n got %s\nwant %s", tt.values, got, tt.summary)
		}
		got := string(append(appendValueJSON([]byte("{"), "value", stored{value: []byte(tt.value)}, &s), '}'))
		if got != tt.json {
			t.Errorf("%s: json\n got %s\nwant %s", tt.values, got, tt.json)
		}
	}
}

func TestParseValues(t *testing.T) {
	for _, v := range []Values{ValuesShort, ValuesNone, ValuesFull} {
		if got, err := ParseValues(v.String()); err != nil || got != v {
			t.Errorf("%s: %v, %v", v, got, err)
		}
	}
	if _, err := ParseValues("some"); err == nil {
		t.Error("some: no error")
	}
}
