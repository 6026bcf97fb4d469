package firetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// gatewayClient does as kvClient does over HTTP with JSON.
func (s *story) gatewayClient(client int, rng *rand.Rand) func() bool {
	web := &http.Client{Transport: &http.Transport{IdleConnTimeout: 5 * time.Second}}
	return s.keysClient(100+client, rng, func() asks {
		url := s.someoneBy(rng).clientURL()
		return func(ctx context.Context, r request) (answer, error) { return overHTTP(ctx, web, url, r) }
	})
}

// object is one of JSON; bytes in it are in base64.
type object map[string]any

// answered is what is read of answers. The gateway writes numbers as text.
type answered struct {
	Header struct {
		Revision int64 `json:"revision,string"`
	} `json:"header"`
	Succeeded bool `json:"succeeded"`
	KVs       []struct {
		Key         []byte `json:"key"`
		Value       []byte `json:"value"`
		ModRevision int64  `json:"mod_revision,string"`
	} `json:"kvs"`
}

func overHTTP(ctx context.Context, web *http.Client, url string, r request) (answer, error) {
	switch {
	case len(r.writes) == 0:
		prefix := prefixOf(r.group)
		end := append([]byte(prefix[:len(prefix)-1]), prefix[len(prefix)-1]+1)
		got, err := post(ctx, web, url+"/v3/kv/range",
			object{"key": []byte(prefix), "range_end": end, "serializable": r.stale})
		if err != nil {
			return answer{}, err
		}
		a := answer{ok: true, rev: got.Header.Revision}
		for _, kv := range got.KVs {
			a.cells[slotOf(string(kv.Key))] = cell{string(kv.Value), kv.ModRevision}
		}
		return a, nil
	case len(r.writes) == 1 && r.ifs == nil:
		got, err := post(ctx, web, url+"/v3/kv/put", putObject(r.group, r.writes[0]))
		return answer{ok: true, rev: got.Header.Revision}, err
	}
	var ifs, then []object
	for slot, rev := range r.ifs {
		ifs = append(ifs, object{"key": []byte(keyOf(r.group, slot)), "target": "MOD", "result": "EQUAL",
			"mod_revision": fmt.Sprint(rev)})
	}
	for _, w := range r.writes {
		if w.value == "" {
			then = append(then, object{"request_delete_range": object{"key": []byte(keyOf(r.group, w.slot))}})
		} else {
			then = append(then, object{"request_put": putObject(r.group, w)})
		}
	}
	got, err := post(ctx, web, url+"/v3/kv/txn", object{"compare": ifs, "success": then})
	return answer{ok: got.Succeeded, rev: got.Header.Revision}, err
}

func putObject(group int, w write) object {
	return object{"key": []byte(keyOf(group, w.slot)), "value": []byte(w.value)}
}

func post(ctx context.Context, web *http.Client, url string, what object) (a answered, err error) {
	body, err := json.Marshal(what)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	resp, err := web.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return a, err
	case resp.StatusCode != http.StatusOK:
		return a, fmt.Errorf("%s: %s", resp.Status, text)
	}
	return a, json.Unmarshal(text, &a)
}
