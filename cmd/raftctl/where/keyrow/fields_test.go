package keyrow

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/snapshot/database"
)

const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"}}`

// items has an item of each kind, with and without what only some have.
func itemsOfEachKind() []*Item {
	kv := database.KeyValue{Key: []byte("k"), Value: []byte(pod), CreateRevision: 2, ModRevision: 5, Version: 3, Lease: 7}
	plain := database.KeyValue{Key: []byte("\xff"), Value: []byte("\xff"), CreateRevision: 2, ModRevision: 5, Version: 3}
	return []*Item{
		{Kind: KindKey, KeyValue: kv},
		{Kind: KindKey, KeyValue: plain},
		{Kind: KindChange, KeyValue: kv, Revision: database.Revision{Main: 5, Sub: 1}},
		{Kind: KindChange, KeyValue: database.KeyValue{Key: []byte("k")}, Revision: database.Revision{Main: 6}, Deleted: true},
		{Kind: KindItem, KeyValue: database.KeyValue{Key: []byte("k"), Value: []byte("v")}, Bucket: "meta"},
	}
}

// The JSON of a row has the table's fields, in the table's order, but for those of the value.
func TestJSON(t *testing.T) {
	r := new(Row)
	for range 2 { // the second time from what is remembered of shapes
		for _, item := range itemsOfEachKind() {
			r.Set(item)
			line := r.AppendJSON(nil)
			if !json.Valid(line) {
				t.Fatalf("no JSON: %s", line)
			}
			var want []string
			for _, f := range Table.Fields() {
				if _, ok := f.Value.(shown); !ok && f.Has(r) && f.Shown(r) && !isSilent(f.Name) {
					want = append(want, f.Name)
				}
			}
			if diff := cmp.Diff(want, names(t, line)); diff != "" {
				t.Errorf("%s (-table +JSON):\n%s", line, diff)
			}
		}
	}
}

func isSilent(name string) bool {
	return slices.Contains([]string{"value_size", "api_version", "kind", "ns", "name"}, name)
}

// names returns the names of an object's members that are not about the value.
func names(t *testing.T, object []byte) (list []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(object)))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(token.(string), "_base64")
		if !strings.HasPrefix(name, "value") && (name != "key" || token != "key_base64") {
			list = append(list, name)
		}
	}
	return list
}

// Every field can be compared in an expression, whether the row has it or not, and has the value that
// the row has.
func TestWhere(t *testing.T) {
	for expr, want := range map[string][]bool{
		`key == "k"`:            {true, false, true, true, true},
		`create_revision == 2`:  {true, true, true, false, false},
		`mod_revision == 5`:     {true, true, true, false, false},
		`version > 2`:           {true, true, true, false, false},
		`lease == "7"`:          {true, false, true, false, false},
		`value_size > 10`:       {true, false, true, false, false},
		`value.contains("Pod")`: {true, false, true, false, false},
		`kind == "Pod"`:         {true, false, true, false, false},
		`api_version == "v1"`:   {true, false, true, false, false},
		`ns != ""`:              {true, false, true, false, false},
		`name == "web"`:         {true, false, true, false, false},
		`revision == 6`:         {false, false, false, true, false},
		`sub_revision == 1`:     {false, false, true, false, false},
		`deleted`:               {false, false, false, true, false},
		`bucket == "meta"`:      {false, false, false, false, true},
	} {
		e, err := Table.Compile(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		r := new(Row)
		for i, item := range itemsOfEachKind() {
			r.Set(item)
			if got, err := e.Match(r); err != nil || got != want[i] {
				t.Errorf("%s of item %d: got %v, %v, want %v", expr, i, got, err, want[i])
			}
		}
	}
}

// What was kept doesn't change with the reader's buffer.
func TestKeep(t *testing.T) {
	buf := []byte("keyvalue")
	i := Item{KeyValue: database.KeyValue{Key: buf[:3], Value: buf[3:]}}
	i.Keep(make([]byte, i.Size()))
	copy(buf, "xxxxxxxx")
	if string(i.Key) != "key" || string(i.Value) != "value" {
		t.Errorf("got %q, %q", i.Key, i.Value)
	}
}
