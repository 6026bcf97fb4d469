package tls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// suite is what a cipher suite comes to once keys are agreed on.
type suite struct {
	keySize  int
	hash     func() hash.Hash
	aead     func(key []byte) (cipher.AEAD, error)
	explicit bool // of TLS 1.2: eight bytes of the nonce come with each record
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// suites are all that are read, by their numbers.
var suites = map[uint16]suite{
	0x1301: {16, sha256.New, gcm, false},
	0x1302: {32, sha512.New384, gcm, false},
	0x1303: {32, sha256.New, chacha20poly1305.New, false},
	0x009c: {16, sha256.New, gcm, true},
	0x009d: {32, sha512.New384, gcm, true},
	0xc02b: {16, sha256.New, gcm, true},
	0xc02c: {32, sha512.New384, gcm, true},
	0xc02f: {16, sha256.New, gcm, true},
	0xc030: {32, sha512.New384, gcm, true},
	0xcca8: {32, sha256.New, chacha20poly1305.New, false},
	0xcca9: {32, sha256.New, chacha20poly1305.New, false},
}

// opener opens the records of one direction, each with the number that it has.
type opener struct {
	suite  suite
	aead   cipher.AEAD
	iv     []byte // 12 bytes, or 4 where the rest comes with the record
	seq    uint64
	secret []byte // of TLS 1.3, from which the next one comes
	plain  []byte // the last record
}

const ivSize = 12

// newOpener returns the opener of TLS 1.3 for a secret.
func newOpener(s suite, secret []byte) (*opener, error) {
	key, err := expandLabel(s.hash, secret, "key", s.keySize)
	if err != nil {
		return nil, err
	}
	iv, err := expandLabel(s.hash, secret, "iv", ivSize)
	if err != nil {
		return nil, err
	}
	aead, err := s.aead(key)
	if err != nil {
		return nil, err
	}
	return &opener{suite: s, aead: aead, iv: iv, secret: secret}, nil
}

// next returns the opener for what follows an update of keys.
func (o *opener) next() (*opener, error) {
	secret, err := expandLabel(o.suite.hash, o.secret, "traffic upd", o.suite.hash().Size())
	if err != nil {
		return nil, err
	}
	return newOpener(o.suite, secret)
}

// expandLabel is HKDF-Expand-Label of RFC 8446, section 7.1, with an empty context.
func expandLabel(h func() hash.Hash, secret []byte, label string, size int) ([]byte, error) {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(append(append(info, byte(len(label))), label...), 0)
	return hkdf.Expand(h, secret, string(info), size)
}

// openers12 returns the openers of TLS 1.2, of the client and of the server.
func openers12(s suite, master, clientRandom, serverRandom []byte) (pair [2]*opener, err error) {
	ivs := ivSize
	if s.explicit {
		ivs = 4
	}
	block := prf(s.hash, master, "key expansion", append(append([]byte(nil), serverRandom...), clientRandom...), 2*(s.keySize+ivs))
	for i := range pair {
		aead, err := s.aead(block[i*s.keySize : (i+1)*s.keySize])
		if err != nil {
			return pair, err
		}
		at := 2*s.keySize + i*ivs
		pair[i] = &opener{suite: s, aead: aead, iv: block[at : at+ivs]}
	}
	return pair, nil
}

// prf is the PRF of RFC 5246, section 5.
func prf(h func() hash.Hash, secret []byte, label string, seed []byte, size int) (out []byte) {
	seed = append([]byte(label), seed...)
	sum := func(parts ...[]byte) []byte {
		m := hmac.New(h, secret)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	for a := sum(seed); len(out) < size; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:size]
}

// open opens a record, its head of five bytes and what follows, and returns what it holds up to the next call. For TLS 1.3 the head is what is authenticated beside
// it; for 1.2 the number, and the length that it has when it is open.
func (o *opener) open(record []byte) ([]byte, error) {
	var nonce [ivSize]byte
	body := record[headSize:]
	if o.suite.explicit {
		if len(body) < 8 {
			return nil, errShort
		}
		copy(nonce[:], o.iv)
		copy(nonce[4:], body[:8])
		body = body[8:]
	} else {
		copy(nonce[:], o.iv)
		for i := range 8 {
			nonce[4+i] ^= byte(o.seq >> (56 - 8*i))
		}
	}
	if len(body) < o.aead.Overhead() {
		return nil, errShort
	}
	beside := record[:headSize]
	if o.secret == nil {
		b := binary.BigEndian.AppendUint64(make([]byte, 0, 13), o.seq)
		b = append(b, record[:3]...)
		beside = binary.BigEndian.AppendUint16(b, uint16(len(body)-o.aead.Overhead()))
	}
	plain, err := o.aead.Open(o.plain[:0], nonce[:], body, beside)
	if err != nil {
		return nil, err
	}
	o.plain = plain
	o.seq++
	return plain, nil
}
