package msgcmd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/client/pkg/v3/tlsutil"
	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// peerTLS is what a relay's flags say about TLS. Names and meaning are etcd's: towards those who dial it the relay is what a member
// with these flags is, and towards the member behind it, too.
type peerTLS struct {
	info  transport.TLSInfo // with files as they were named
	given string            // a flag that was given; "": none, members speak plain text
}

func (p *peerTLS) register(cmd *cobra.Command) {
	fl, i := cmd.Flags(), &p.info
	fl.StringVar(&i.CertFile, "peer-cert-file", "", "speak TLS, and show those who dial --listen the certificate in this `FILE`")
	fl.StringVar(&i.KeyFile, "peer-key-file", "", "the `FILE` of the key of --peer-cert-file")
	fl.StringVar(&i.ClientCertFile, "peer-client-cert-file", "", "show the member at --to the certificate in this `FILE`, if not --peer-cert-file")
	fl.StringVar(&i.ClientKeyFile, "peer-client-key-file", "", "the `FILE` of the key of --peer-client-cert-file")
	fl.StringVar(&i.TrustedCAFile, "peer-trusted-ca-file", "",
		"verify certificates with the authorities in this `FILE`, on either side; who dials needs one then (default: the system's, at --to only)")
	fl.BoolVar(&i.ClientCertAuth, "peer-client-cert-auth", false, "who dials needs a certificate, without --peer-trusted-ca-file too")
	fl.StringVar(&i.CRLFile, "peer-crl-file", "", "refuse who dials with a certificate that the list in this `FILE` revokes")
	fl.StringSliceVar(&i.AllowedCNs, "peer-cert-allowed-cn", nil, "the common `NAMES` that certificates may have")
	fl.StringSliceVar(&i.AllowedHostnames, "peer-cert-allowed-hostname", nil, "the `HOSTS` that certificates may be for")
	fl.BoolVar(&i.SkipClientSANVerify, "peer-skip-client-san-verification", false,
		"take a certificate that isn't for the address that its owner dials from")
}

// check refuses flags that make no sense together.
func (p *peerTLS) check(cmd *cobra.Command, relays bool) error {
	for _, name := range []string{
		"peer-skip-client-san-verification", "peer-cert-allowed-hostname", "peer-cert-allowed-cn", "peer-crl-file",
		"peer-client-cert-auth", "peer-trusted-ca-file", "peer-client-key-file", "peer-client-cert-file", "peer-key-file", "peer-cert-file",
	} {
		if cmd.Flags().Changed(name) {
			p.given = "--" + name
		}
	}
	i := &p.info
	switch {
	case p.given == "":
		return nil
	case !relays:
		return ui.Usagef(cmd, "%s goes with --listen and --to; what an interface hears of TLS can't be read", p.given)
	case i.CertFile == "":
		return ui.Usagef(cmd, "%s without --peer-cert-file FILE: the certificate that --listen shows", p.given)
	case i.KeyFile == "":
		return ui.Usagef(cmd, "--peer-key-file FILE is missing: the key of --peer-cert-file %s", ui.Quote(i.CertFile))
	case i.ClientCertFile == "" && i.ClientKeyFile != "":
		return ui.Usagef(cmd, "--peer-client-cert-file FILE is missing: the certificate of --peer-client-key-file %s", ui.Quote(i.ClientKeyFile))
	case i.ClientCertFile != "" && i.ClientKeyFile == "":
		return ui.Usagef(cmd, "--peer-client-key-file FILE is missing: the key of --peer-client-cert-file %s", ui.Quote(i.ClientCertFile))
	case len(i.AllowedCNs) > 0 && len(i.AllowedHostnames) > 0:
		return ui.Usagef(cmd, "--peer-cert-allowed-cn and --peer-cert-allowed-hostname, want one of them")
	}
	return nil
}

// open returns the settings with files as the process finds them, once all of them can be used, and what --to is dialled
// with. Certificates and keys are read again for each connection.
func (p *peerTLS) open(a *ui.App) (info transport.TLSInfo, dial *tls.Config, err error) {
	info = p.info
	for _, file := range []*string{
		&info.CertFile, &info.KeyFile, &info.ClientCertFile, &info.ClientKeyFile, &info.TrustedCAFile, &info.CRLFile,
	} {
		if *file != "" {
			*file = a.Path(*file)
		}
	}
	for _, f := range []struct {
		flag, name string
		check      func() error
	}{
		{"--peer-cert-file", p.info.CertFile, func() error { return usable(info.CertFile, info.KeyFile, a.Now()) }},
		{"--peer-client-cert-file", p.info.ClientCertFile, func() error { return usable(info.ClientCertFile, info.ClientKeyFile, a.Now()) }},
		{"--peer-trusted-ca-file", p.info.TrustedCAFile, func() error { return usableAuthorities(info.TrustedCAFile) }},
		{"--peer-crl-file", p.info.CRLFile, func() error { return usableList(info.CRLFile) }},
	} {
		if f.name == "" {
			continue
		}
		if err := f.check(); err != nil {
			return info, nil, fmt.Errorf("%s %s: %w", f.flag, ui.Quote(f.name), err)
		}
	}
	dial, err = info.ClientConfig()
	return info, dial, err
}

// usable refuses a certificate that nobody would take now, or that isn't its key's.
func usable(certFile, keyFile string, now time.Time) error {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	return inTime(pair.Leaf, now)
}

// inTime returns an error if a certificate isn't valid at a time.
func inTime(c *x509.Certificate, now time.Time) error {
	switch {
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate expired at %s", moment(c.NotAfter))
	case now.Before(c.NotBefore):
		return fmt.Errorf("the certificate is valid from %s on only", moment(c.NotBefore))
	}
	return nil
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func usableAuthorities(file string) error {
	pool, err := tlsutil.NewCertPool([]string{file})
	if err == nil && pool.Equal(x509.NewCertPool()) {
		return errors.New("no certificate in PEM")
	}
	return err
}

func usableList(file string) error {
	b, err := os.ReadFile(file)
	if err == nil {
		_, err = x509.ParseRevocationList(b)
	}
	return err
}
