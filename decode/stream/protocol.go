package stream

import (
	"strings"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb/classic"
)

// Protocol is what connections speak.
type Protocol string

const (
	// ProtocolAuto has each connection told by what it carries: RESP or the classic protocol if its first bytes are
	// whole messages of that, in both directions or three of them, and that of etcd's members, or none, otherwise.
	ProtocolAuto Protocol = "auto"
	// ProtocolEtcd is that of etcd's members, which is HTTP.
	ProtocolEtcd Protocol = "etcd"
	// ProtocolClassic is the classic binary protocol.
	ProtocolClassic Protocol = "classic"
	// ProtocolResp is RESP, that of Redis and its clients.
	ProtocolResp Protocol = "resp"
)

// Protocols are all there are.
var Protocols = []Protocol{ProtocolAuto, ProtocolEtcd, ProtocolClassic, ProtocolResp}

// UseProtocol says what connections speak that are opened from then on. Unless it is called, that is ProtocolAuto.
func (d *Decoder) UseProtocol(p Protocol) { d.protocol = p }

// plainConn is a connection that speaks another protocol than etcd's.
type plainConn interface {
	Data(dir Direction, b []byte, at Seen)
	Lost(dir Direction, n int64, at Seen)
	End(dir Direction, at Seen)
}

const (
	maxGuess    = maxSearch // bytes that are held of a connection until it is told what it speaks
	littleGuess = 64 << 10  // up to so many it is judged whenever there are more, and then each time they have doubled
	enough      = 3         // messages in one direction that tell a protocol
)

// guess is the beginning of a connection of which it is not told yet what it speaks.
type guess struct {
	parts  []part
	sides  [2][]byte
	ended  [2]bool
	judged int       // how many bytes there were when it was judged
	client Direction // if it is RESP
}

// part is what one call of Conn.Data brought, or of Conn.End.
type part struct {
	dir   Direction
	n     int
	at    Seen
	end   bool
	whole bool
}

func (g *guess) add(dir Direction, b []byte, at Seen) {
	g.parts = append(g.parts, part{dir: dir, n: len(b), at: at})
	g.sides[dir] = append(g.sides[dir], b...)
}

// end takes in that a direction ends, and reports whether both have.
func (g *guess) end(dir Direction, whole bool, at Seen) bool {
	g.parts = append(g.parts, part{dir: dir, at: at, end: true, whole: whole})
	g.ended[dir] = true
	return g.ended[dir.Opposite()]
}

func (g *guess) size() int { return len(g.sides[0]) + len(g.sides[1]) }

// tell returns which protocol the bytes are, as far as that is not known, or ProtocolAuto if more of them will tell.
func (g *guess) tell(known Protocol) Protocol {
	switch known {
	case ProtocolResp:
		g.client = g.first()
		return known
	case ProtocolClassic, ProtocolEtcd:
		return known
	}
	if n := g.size(); n > littleGuess && n < 2*g.judged && n < maxGuess {
		return ProtocolAuto
	}
	g.judged = g.size()
	v := looksClassic(g.sides)
	if v == yes {
		return ProtocolClassic
	}
	open := v == maybe
	for client := range Direction(2) {
		v = looksResp(g.sides[client], g.sides[client.Opposite()])
		if v == yes {
			g.client = client
			return ProtocolResp
		}
		open = open || v == maybe
	}
	if open && g.judged < maxGuess {
		return ProtocolAuto
	}
	return ProtocolEtcd
}

// first returns the client of a connection that speaks RESP: whoever's bytes come first, unless they are an answer.
func (g *guess) first() Direction {
	for _, p := range g.parts {
		if p.n == 0 {
			continue
		}
		if strings.IndexByte("+-:$_,#(=!~>%", g.sides[p.dir][0]) >= 0 {
			return p.dir.Opposite()
		}
		return p.dir
	}
	return 0
}

// looksClassic judges whether a connection speaks the classic protocol.
func looksClassic(sides [2][]byte) verdict {
	var seen [2][classic.TypeAppendEntriesResponse + 1]int
	for dir, b := range sides {
		for whole := 0; len(b) > 0 && whole < enough; whole++ {
			m, n, _, err := classic.Parse(b)
			if err != nil {
				return no
			}
			if n == 0 {
				break
			}
			if _, err := classic.ToRaft(m, classic.Link{}); err != nil {
				return no
			}
			seen[dir][m.Type()]++
			b = b[n:]
		}
	}
	for dir := range seen {
		total := 0
		for typ, n := range seen[dir] {
			total += n
			if typ%2 == 1 && n > 0 && seen[1-dir][typ+1] > 0 { // a request, and an answer to one
				return yes
			}
		}
		if total >= enough {
			return yes
		}
	}
	return maybe
}

// looksResp judges whether a client and a server speak RESP: whether the one sends arrays of strings, of which the first
// is a word, and the other answers with values.
func looksResp(client, server []byte) verdict {
	commands, ok := countValues(client, "*", isCommand)
	if !ok {
		return no
	}
	answers, ok := countValues(server, "+-:$*_,#(=!~>%", nil)
	switch {
	case !ok:
		return no
	case commands >= enough, commands > 0 && answers > 0:
		return yes
	}
	return maybe
}

// countValues counts the values of RESP that b begins with, up to enough of them; ok is false if there is anything
// else, of other types, or a value that isn't wanted.
func countValues(b []byte, types string, wanted func([]byte) bool) (n int, ok bool) {
	for len(b) > 0 && n < enough {
		if strings.IndexByte(types, b[0]) < 0 {
			return n, false
		}
		size, err := new(decode.RespScanner).Scan(b)
		switch {
		case err != nil, size > 0 && wanted != nil && !wanted(b[:size]):
			return n, false
		case size == 0:
			return n, true
		}
		n++
		b = b[size:]
	}
	return n, true
}

// isCommand reports whether a value is a command with a word for a name.
func isCommand(b []byte) bool {
	name, _, _, err := decode.RespCommand(b)
	return err == nil && isName(name)
}

// isName reports whether a command may have this name, in upper case.
func isName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return name != ""
}
