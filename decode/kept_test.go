package decode

import (
	"bytes"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/secret"
)

// kept are ordinary values, in which nothing is left out.
var kept = []struct{ key, value string }{
	{"/config/app", `{"host":"db.example.com","port":5432,"user":"app","timeout":"5s","tls":true}`},
	{"/config/features", `{"featureGates":{"TokenRequest":true},"replicas":3,"labels":{"app":"web","tier":"front"}}`},
	{"/service/batman/config", `{"ttl":30,"loop_wait":10,"postgresql":{"use_pg_rewind":true,"parameters":{"max_connections":100}}}`},
	{"/service/batman/members/pg0", `{"conn_url":"postgres://10.0.0.1:5432/postgres","state":"running","role":"master"}`},
	{"/coreos.com/network/subnets/10.1.2.0-24", `{"PublicIP":"10.0.0.1","BackendType":"vxlan","BackendData":{"VtepMAC":"aa:bb"}}`},
	{"/skydns/local/cluster/web", `{"host":"10.0.0.9","port":8080,"priority":10,"weight":1,"ttl":60}`},
	{"/limits", `{"max_tokens":4096,"tokenTTL":"1h","passwordPolicy":"strict","token_endpoint":"https://a/b","secretName":"x"}`},
	{"/flags", `{"token":true,"password":null,"secret":false,"tokens":[],"credentials":{}}`},
	{"/pods/x", `{"env":[{"name":"DB_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}]}`},
	{"/tolerations", `[{"key":"node-role","operator":"Exists","effect":"NoSchedule"},{"key":"x","value":"y"}]`},
	{"/jobs/1", "name: build\nimage: golang:1.25\nsteps:\n  - run: make test\n  - run: make lint\n"},
	{"/env", "HOST=10.0.0.1\nPORT=80\nDEBUG=true\nPATH=/usr/bin:/bin\nKEYBOARD=de\nPASSENGERS=5\n"},
	{"/tokenizer-model/config", `{"vocab":32000,"tokenizer":"bpe","author":"smith"}`},
	{"/urls", "http://10.0.0.1:2379,http://10.0.0.2:2379 https://user@example.com/path?x=1 mailto:a@b.c"},
	{"/prices", "$5 and $10.50, and {{ .Values.name }}, ${HOME}"},
	{"/certs/ca.crt", "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----\n"},
	{"/certs/pub", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0B\n-----END PUBLIC KEY-----\n"},
	{"/certs/b64", "ca-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUR"},
	{"/prose", "The quick brown fox has no secret. Basic configuration, bearer authentication, authors and keys."},
	{"/registry/leases/kube-system/x", `{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"x"},"spec":{"holderIdentity":"a"}}`},
	{"/registry/bitnami.com/sealedsecrets/a/b", `{"apiVersion":"bitnami.com/v1alpha1","kind":"SealedSecret","metadata":{"name":"b"},"spec":{"encryptedData":{"x":"AgB"}}}`},
	{"/registry/cert-manager.io/certificates/a/b", `{"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":"b"},"spec":{"secretName":"tls","issuerRef":{"name":"ca"}}}`},
	{"/registry/pods/default/token-service", kubernetesObject("Pod", pbBytes(2, pbBytes(1, "app")+pbBytes(2, "token-service")))},
	{"/registry/configmaps/default/token-names", kubernetesObject("ConfigMap", pbBytes(2, pbBytes(1, "a")+pbBytes(2, "b")))},
	{"/registry/serviceaccounts/default/x", kubernetesObject("ServiceAccount", pbBytes(2, pbBytes(3, "x-token-7")))},
	{"/uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
	{"/hash", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
	{"/base64", "aGVsbG8gd29ybGQsIHRoaXMgaXMgbm90IGEgc2VjcmV0"},
	{"/traefik/http/routers/web/rule", "Host(`example.com`) && PathPrefix(`/auth`)"},
	{"/php", `{"path":"C:\\Users\\x","re":"^\\d+$","u":"\u00e9"}`},
}

func TestOrdinaryValuesAreKept(t *testing.T) {
	for _, tt := range kept {
		for _, values := range []Values{ValuesShort, ValuesFull} {
			s := &Style{Values: values}
			out := AppendValueJSON([]byte("{"), []byte(tt.key), []byte(tt.value), s)
			if bytes.Contains(out, []byte(redacted)) {
				t.Errorf("%s: left out of %q: %s", tt.key, tt.value, out)
			}
			if out := AppendValue(nil, []byte(tt.key), []byte(tt.value), s); bytes.Contains(out, []byte(redacted)) {
				t.Errorf("%s: left out of %q: %s", tt.key, tt.value, out)
			}
		}
		if got := AppendMasked(nil, []byte(tt.value)); string(got) != tt.value {
			t.Errorf("%s: masked as %q", tt.key, got)
		}
	}
}

// TestCorpusValuesAreKept measures how much is left out of the values in real logs, none of which holds
// a secret but for etcd's own passwords.
func TestCorpusValuesAreKept(t *testing.T) {
	values, hidden := 0, 0
	for _, l := range corpus.Logs(t) {
		var r Request
		for e := range entriesOf(t, l) {
			if err := Payload(&r, e); err != nil {
				t.Fatal(err)
			}
			for a := range r.Accesses() {
				if a.Value == nil || bytes.HasPrefix(a.Key, v2Users) {
					continue
				}
				values++
				if (stored{a.Key, a.Value}).expose(nil, -1, &Style{}).all || secret.Find(a.Value, true) != nil {
					hidden++
					t.Logf("%s: %s: %.100q", l.Name, a.Key, a.Value)
				}
			}
		}
	}
	if values < 1000 || hidden > 0 {
		t.Errorf("of %d values %d have something left out", values, hidden)
	}
}
