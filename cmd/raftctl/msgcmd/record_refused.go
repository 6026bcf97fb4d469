package msgcmd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream/relay"
)

const (
	refusalAgain = time.Minute // after which the same refusal is told again: members try ten times a second
	maxRefusals  = 1 << 10     // kinds of them that are told
)

// refusals tells why connections don't come about for TLS's sake.
type refusals struct {
	a    *ui.App
	tls  *peerTLS
	mu   sync.Mutex
	told map[string]time.Time // lines, and when
	n    int
}

// listening takes in that TLS with who dialled a --listen didn't come about.
func (r *refusals) listening(c *tls.Conn, err error) {
	if op, ok := errors.AsType[*net.OpError](err); errors.Is(err, io.EOF) || ok && op.Op == "read" {
		return // it said nothing
	}
	who := c.RemoteAddr().String()
	if host, _, err := net.SplitHostPort(who); err == nil {
		who = host
	}
	who = fmt.Sprintf("%s, which dialled %v,", who, c.LocalAddr())
	if refusedBy(err) {
		r.tell(fmt.Sprintf("%s refuses %s: %s; want one for the host that it dialled, by an authority that it trusts",
			who, r.named(r.tls.info.CertFile, r.tls.info.KeyFile), r.reason(err)))
		return
	}
	r.tell(fmt.Sprintf("%s is refused: %s; want TLS%s", who, r.reason(err), r.wanted("")))
}

// dialled takes in that TLS with a --to didn't come about.
func (r *refusals) dialled(to string, err error) {
	who := "the member at " + ui.Printable(to)
	cert, key := r.tls.info.ClientCertFile, r.tls.info.ClientKeyFile
	if cert == "" {
		cert, key = r.tls.info.CertFile, r.tls.info.KeyFile
	}
	if refusedBy(err) {
		r.tell(fmt.Sprintf("%s refuses %s: %s; want one for the address that the relay dials from, by an authority that it trusts",
			who, r.named(cert, key), r.reason(err)))
		return
	}
	host, _, _ := net.SplitHostPort(to) // was checked
	r.tell(fmt.Sprintf("%s is refused: %s; want TLS%s", who, r.reason(err), r.wanted(" for "+ui.Printable(host))))
}

// refusedBy tells that the other side is who refuses.
func refusedBy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" || errors.Is(err, relay.ErrNoWord)
}

// wanted says which certificate is wanted of the other side.
func (r *refusals) wanted(whose string) string {
	text := " and a certificate" + whose
	switch ca := r.tls.info.TrustedCAFile; {
	case ca != "":
		return text + " by " + ui.Quote(ca)
	case whose == "" && !r.tls.info.ClientCertAuth:
		return ""
	}
	return text + " by an authority of the system's, as --peer-trusted-ca-file names none"
}

// named names a certificate of the relay's own, and says what is wrong with it by now.
func (r *refusals) named(certFile, keyFile string) string {
	text := ui.Quote(certFile)
	if err := usable(r.a.Path(certFile), r.a.Path(keyFile), r.a.Now()); err != nil {
		text += " (" + err.Error() + ")"
	}
	return text
}

// reason says what the error says, in the same words each time.
func (r *refusals) reason(err error) string {
	if bad, ok := errors.AsType[x509.CertificateInvalidError](err); ok && bad.Reason == x509.Expired {
		if late := inTime(bad.Cert, r.a.Now()); late != nil {
			return late.Error()
		}
	}
	return ui.Printable(err.Error())
}

// tell writes a line, unless it was written a moment ago.
func (r *refusals) tell(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	now := r.a.Now()
	last, again := r.told[line]
	if again && now.Sub(last) < refusalAgain || !again && len(r.told) >= maxRefusals {
		return
	}
	if r.told == nil {
		r.told = map[string]time.Time{}
	}
	r.told[line] = now
	fmt.Fprintln(r.a.Err, line)
}

// count returns how many connections were refused.
func (r *refusals) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}
