package tls

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Keys are the secrets of sessions.
type Keys struct {
	byRandom map[[randomSize]byte]*secrets
}

const (
	randomSize = 32
	maxSecret  = 64
	maxKeys    = 1 << 20 // sessions
)

// secrets are those of one session, as far as the log has them.
type secrets struct {
	master      []byte    // of TLS 1.2
	handshake   [2][]byte // of TLS 1.3, of the client and of the server
	application [2][]byte
}

// ReadKeys reads a key log: lines of a label, the client's random and a secret, both in hex. Lines of other labels, and those
// that begin with #, are passed over. The error tells the line.
func ReadKeys(r io.Reader) (*Keys, error) {
	k := &Keys{byRandom: map[[randomSize]byte]*secrets{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		if err := k.add(lines.Text()); err != nil {
			return nil, fmt.Errorf("key log: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("key log: %w", err)
	}
	return k, nil
}

// Len returns how many sessions there are secrets of.
func (k *Keys) Len() int { return len(k.byRandom) }

func (k *Keys) add(line string) error {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return nil
	}
	if len(words) != 3 {
		return fmt.Errorf("%d words, want 3: a label, a random and a secret", len(words))
	}
	random, err := hex.DecodeString(words[1])
	if err != nil || len(random) != randomSize {
		return fmt.Errorf("the random is not %d bytes in hex", randomSize)
	}
	secret, err := hex.DecodeString(words[2])
	if err != nil || len(secret) == 0 || len(secret) > maxSecret {
		return fmt.Errorf("the secret is not 1 to %d bytes in hex", maxSecret)
	}
	s := k.byRandom[[randomSize]byte(random)]
	if s == nil {
		if len(k.byRandom) == maxKeys {
			return fmt.Errorf("more than %d sessions", maxKeys)
		}
		s = new(secrets)
		k.byRandom[[randomSize]byte(random)] = s
	}
	switch words[0] {
	case "CLIENT_RANDOM":
		s.master = secret
	case "CLIENT_HANDSHAKE_TRAFFIC_SECRET":
		s.handshake[client] = secret
	case "SERVER_HANDSHAKE_TRAFFIC_SECRET":
		s.handshake[server] = secret
	case "CLIENT_TRAFFIC_SECRET_0":
		s.application[client] = secret
	case "SERVER_TRAFFIC_SECRET_0":
		s.application[server] = secret
	}
	return nil
}
