package raftpb

import (
	"bytes"
	"testing"

	ref "go.etcd.io/raft/v3/raftpb"
)

func TestConfChangesFromString(t *testing.T) {
	tests := []struct {
		in   string
		want []ConfChangeSingle
		err  string
	}{
		{"", nil, ""},
		{"  ", nil, ""},
		{"v1", []ConfChangeSingle{{ConfChangeAddNode, 1}}, ""},
		{" v1 l2 r3 u18446744073709551615 ", []ConfChangeSingle{{ConfChangeAddNode, 1},
			{ConfChangeAddLearnerNode, 2}, {ConfChangeRemoveNode, 3},
			{ConfChangeUpdateNode, 1<<64 - 1}}, ""},
		{"v", nil, `conf change "v": strconv.ParseUint: parsing "": invalid syntax`},
		{"x1", nil, `conf change "x1": letter "x", want one of "vrul"`},
		{"\xff", nil, `conf change "\xff": letter "\xff", want one of "vrul"`},
		{"v1 v-2", nil, `conf change "v-2": strconv.ParseUint: parsing "-2": invalid syntax`},
		{"v1,2", nil, `conf change "v1,2": strconv.ParseUint: parsing "1,2": invalid syntax`},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ConfChangesFromString(tt.in)
			if diff := diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Errorf("error %v, want %s", err, tt.err)
			}
			_, refErr := ref.ConfChangesFromString(tt.in)
			if (err == nil) != (refErr == nil) {
				t.Errorf("error %v, reference says %v", err, refErr)
			}
		})
	}
}

func TestConfChangesToString(t *testing.T) {
	g := generator("changes")
	for range 1000 {
		changes := randomList(g, randomSingle)
		r := refConfChangeV2(&ConfChangeV2{Changes: changes}, FlavorGogo)
		if got, want := ConfChangesToString(changes), ref.ConfChangesToString(r.Changes); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestConfChangesStringRoundTrip(t *testing.T) {
	const want = "v1 l2 r3 u4 v18446744073709551615"
	changes, err := ConfChangesFromString(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := ConfChangesToString(changes); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJointAsReference(t *testing.T) {
	for transition := range ConfChangeTransition(3) {
		for n := range 3 {
			c := ConfChangeV2{Transition: transition, Changes: make([]ConfChangeSingle, n),
				Context: []byte("why")}
			r := refConfChangeV2(&c, FlavorGogo)
			autoLeave, ok := c.EnterJoint()
			wantAutoLeave, wantOK := r.EnterJoint()
			if autoLeave != wantAutoLeave || ok != wantOK {
				t.Errorf("%v, %d changes: enter joint %t, %t, want %t, %t",
					transition, n, autoLeave, ok, wantAutoLeave, wantOK)
			}
			if got, want := c.LeaveJoint(), r.LeaveJoint(); got != want {
				t.Errorf("%v, %d changes: leave joint %t, want %t", transition, n, got, want)
			}
		}
	}
}

func TestUnknownTransitionIsJoint(t *testing.T) {
	autoLeave, ok := ConfChangeV2{Transition: 7}.EnterJoint()
	if !autoLeave || !ok {
		t.Errorf("enter joint %t, %t, want true, true", autoLeave, ok)
	}
}

func TestMarshalConfChange(t *testing.T) {
	v1 := ConfChange{ID: 5, Type: ConfChangeRemoveNode, NodeID: 3, Context: []byte("why")}
	v2 := v1.AsV2()
	tests := []struct {
		name   string
		change ConfChangeI
		ref    ref.ConfChangeI
	}{
		{"nil", nil, nil},
		{"v1", v1, refConfChange(&v1, FlavorPbgo)},
		{"pointer to v1", &v1, refConfChange(&v1, FlavorPbgo)},
		{"v2", v2, refConfChangeV2(&v2, FlavorPbgo)},
		{"v1 as v2", v2, refConfChange(&v1, FlavorPbgo).AsV2()},
		{"leave joint", ConfChangeV2{}, &ref.ConfChangeV2{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			typ, data := MarshalConfChange(tt.change, FlavorPbgo)
			wantType, want, err := ref.MarshalConfChange(tt.ref)
			if err != nil {
				t.Fatal(err)
			}
			if typ != EntryType(wantType) || !bytes.Equal(data, want) || (data == nil) != (want == nil) {
				t.Errorf("got %v %x, want %v %x", typ, data, wantType, want)
			}
		})
	}
}

func TestAsV2CopiesTheContext(t *testing.T) {
	v1 := ConfChange{Context: []byte("why")}
	v2 := v1.AsV2()
	v1.Context[0] = 'W'
	if got := string(v2.Context); got != "why" {
		t.Errorf("context %q, want %q", got, "why")
	}
	if _, ok := v2.AsV1(); ok {
		t.Error("a ConfChangeV2 says that it is a ConfChange")
	}
}
