package etcdtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certs are the files of a TLS setup: an authority, and what it certified. All are in PEM.
type Certs struct {
	CA                    string // the authority
	ServerCert, ServerKey string // for 127.0.0.1 and ServerName
	ClientCert, ClientKey string

	client *http.Client
	by     authority
}

// ServerName is the host name in the server's certificate.
const ServerName = "etcd.test"

// NewCerts makes an authority of its own, and certificates for a server and a client.
func NewCerts(tb testing.TB) *Certs {
	tb.Helper()
	a := authority{tb: tb, dir: tb.TempDir()}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	c := new(Certs)
	c.CA, _ = a.issue("ca", a.cert)
	// etcd also connects to itself with the server's certificate, so that it serves both uses.
	c.ServerCert, c.ServerKey = a.issue("server", a.leaf(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth))
	c.ClientCert, c.ClientKey = a.issue("client", a.leaf(x509.ExtKeyUsageClientAuth))
	c.by = a
	pair, err := tls.LoadX509KeyPair(c.ClientCert, c.ClientKey)
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	c.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
	}}
	return c
}

// ClientFlags are the flags with which etcdctl speaks to the server.
func (c *Certs) ClientFlags() []string {
	return []string{"--cacert", c.CA, "--cert", c.ClientCert, "--key", c.ClientKey}
}

// PeerFlags are the flags with which a member speaks TLS to others, and wants a certificate of theirs.
func (c *Certs) PeerFlags() []string {
	return []string{"--peer-cert-file", c.ServerCert, "--peer-key-file", c.ServerKey,
		"--peer-trusted-ca-file", c.CA, "--peer-client-cert-auth"}
}

// Issue makes one more certificate, of a member, which change may alter before it is signed.
func (c *Certs) Issue(name string, change func(*x509.Certificate)) (certFile, keyFile string) {
	c.by.tb.Helper()
	leaf := c.by.leaf(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
	change(leaf)
	return c.by.issue(name, leaf)
}

// Revoke writes a list of the authority's that revokes the certificates of these numbers.
func (c *Certs) Revoke(numbers ...int64) (crlFile string) {
	c.by.tb.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: c.by.cert.NotAfter}
	for _, n := range numbers {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(n), RevocationTime: list.ThisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, c.by.cert, c.by.key)
	if err != nil {
		c.by.tb.Fatal(err)
	}
	path := filepath.Join(c.by.dir, "revoked.crl")
	if err := os.WriteFile(path, der, 0o600); err != nil {
		c.by.tb.Fatal(err)
	}
	return path
}

func (c *Certs) serverFlags() []string {
	return []string{
		"--cert-file", c.ServerCert, "--key-file", c.ServerKey,
		"--client-cert-auth", "--trusted-ca-file", c.CA,
	}
}

// authority signs certificates.
type authority struct {
	tb   testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (a *authority) leaf(uses ...x509.ExtKeyUsage) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "somebody"},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: uses,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{ServerName},
	}
}

// issue makes a key, signs a certificate for it, and writes both to files. The first one is that of
// the authority itself.
func (a *authority) issue(name string, template *x509.Certificate) (certFile, keyFile string) {
	a.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.tb.Fatal(err)
	}
	own := a.key == nil
	if own {
		a.key = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		a.tb.Fatal(err)
	}
	if own {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.tb.Fatal(err)
		}
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.tb.Fatal(err)
	}
	return a.write(name+".crt", "CERTIFICATE", der), a.write(name+".key", "PRIVATE KEY", keyDER)
}

func (a *authority) write(name, kind string, der []byte) string {
	a.tb.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.tb.Fatal(err)
	}
	return path
}
