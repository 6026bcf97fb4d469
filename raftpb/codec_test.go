package raftpb

import (
	"encoding/hex"
	"testing"
)

func TestGoldenBytes(t *testing.T) {
	entry := Entry{Term: 3, Index: 7, Data: []byte("foo")}
	app := Message{Type: MsgApp, To: 2, From: 1, Term: 3, LogTerm: 3, Index: 6,
		Entries: []Entry{entry}, Commit: 6}
	beat := Message{Type: MsgHeartbeat, To: 2, From: 1, Term: 3, Commit: 7,
		Context: []byte{1, 2, 3, 4, 5, 6, 7, 8}}
	v2 := ConfChangeV2{Changes: []ConfChangeSingle{{Type: ConfChangeAddNode, NodeID: 3}}}
	tests := []struct {
		name       string
		x          codec
		gogo, pbgo string
	}{
		{"entry zero", &Entry{}, "080010001800", ""},
		{"entry", &entry, "0800100318072203666f6f", "100318072203666f6f"},
		{"entry empty data", &Entry{Term: 1, Index: 2, Data: []byte{}},
			"0800100118022200", "100118022200"},
		{"hard state zero", &HardState{}, "080010001800", ""},
		{"hard state", &HardState{Term: 1, Commit: 1}, "080110001801", "080110001801"},
		{"conf state zero", &ConfState{}, "2800", "2800"},
		{"snapshot zero", &Snapshot{}, "12080a02280010001800", "12080a02280010001800"},
		{"conf change zero", &ConfChange{}, "080010001800", "10001800"},
		{"conf change v2", &v2, "0800120408001003", "120408001003"},
		{"message zero", &Message{}, "0800100018002000280030004000500058006800", "0800"},
		{"link heartbeat", &Message{Type: MsgHeartbeat},
			"0808100018002000280030004000500058006800", "0808"},
		{"heartbeat", &beat, "080810021801200328003000400750005800620801020304050607086800",
			"0808100218012003400762080102030405060708"},
		{"append", &app, "0803100218012003280330063a0b0800100318072203666f6f4006500058006800",
			"0803100218012003280330063a09100318072203666f6f4006"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hex.EncodeToString(tt.x.Marshal(FlavorGogo)); got != tt.gogo {
				t.Errorf("gogo:\n got %s\nwant %s", got, tt.gogo)
			}
			if got := hex.EncodeToString(tt.x.Marshal(FlavorPbgo)); got != tt.pbgo {
				t.Errorf("pbgo:\n got %s\nwant %s", got, tt.pbgo)
			}
		})
	}
}

// codec is what all types of this package have in common.
type codec interface {
	Size(Flavor) int
	AppendTo([]byte, Flavor) []byte
	Marshal(Flavor) []byte
	Unmarshal([]byte) error
	UnmarshalAlias([]byte) error
}
