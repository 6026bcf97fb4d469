package nodecmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/client/pkg/v3/tlsutil"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// sources are where settings come from.
type sources struct {
	names   []string // under which they were given: those of flags, or keys of the config file
	ignored []string // flags that were given and don't count, since there is a config file
}

// read takes the settings from the environment and the config file.
func (s *settings) read(a *ui.App, flags *pflag.FlagSet) (from sources, err error) {
	if s.configFile == "" {
		s.configFile = a.Getenv(variable("config-file"))
	}
	flags.Visit(func(f *pflag.Flag) { from.names = append(from.names, f.Name) })
	if s.configFile == "" {
		names, err := fromEnvironment(a, flags)
		if bad, ok := errors.AsType[*badSetting](err); ok {
			err = ui.UsageError{Err: bad}
		}
		from.names = append(from.names, names...)
		return from, err
	}
	from.ignored = ignoredFlags(from.names)
	name := s.configFile
	*s = *newSettings()
	s.configFile = name
	from.names, err = fromFile(a, s, name)
	return from, err
}

// maxElectionTimeout is the longest that etcd takes.
const maxElectionTimeout = 50 * time.Second

// wrong returns what is wrong with a setting.
func wrong(format string, args ...any) error {
	return ui.UsageError{Err: fmt.Errorf(format+"; see 'raftctl node run --help'", args...)}
}

// resolve checks settings that depend on each other, and fills in what depends on others.
func (s *settings) resolve(a *ui.App) error {
	n := &s.node
	switch {
	case n.Name == "":
		return wrong("--name is empty")
	case n.Tick <= 0:
		return wrong("--heartbeat-interval 0, want more")
	case 5*n.Tick > n.ElectionTimeout:
		return wrong("--election-timeout %v, want 5 times the --heartbeat-interval of %v or more", n.ElectionTimeout, n.Tick)
	case n.ElectionTimeout > maxElectionTimeout:
		return wrong("--election-timeout %v, want %v or less", n.ElectionTimeout, maxElectionTimeout)
	case n.LeaseCheckpointPersist && !n.LeaseCheckpoints:
		return wrong("LeaseCheckpointPersist goes with LeaseCheckpoint")
	case n.CompactHashInterval <= 0:
		return wrong("--compact-hash-check-time 0, want more")
	case len(s.serve.ClientURLs) == 0:
		return wrong("--listen-client-urls is empty")
	case len(n.ListenPeerURLs) == 0:
		return wrong("--listen-peer-urls is empty")
	}
	n.Join = s.state == "existing"
	n.MaxSnapshots, n.MaxSegments, n.RecordSegments = orAll(s.maxSnaps), orAll(s.maxWALs), orAll(s.maxRecorded)
	n.ClientCertAuth = s.serve.TLS.ClientCertAuth
	s.serve.API.TimeHistograms = s.metrics == "extensive"
	if n.DataDir == "" {
		n.DataDir = n.Name + ".raftctl"
	}
	s.findFiles(a)
	for _, check := range []func() error{
		s.resolveURLs, s.resolveCluster, s.resolveRetention, s.resolveTLS, s.checkTokens,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// orAll returns how many files are kept; 0 stands for all.
func orAll(n uint) int {
	if n == 0 {
		return -1
	}
	return int(min(n, 1<<30))
}

// resolveURLs finds out where the member is found, if that isn't said: where it listens.
func (s *settings) resolveURLs() error {
	for _, side := range []struct {
		listen    []string
		advertise *[]string
		flag      string
		info      *transport.TLSInfo
		auto      bool
		cert      string
	}{
		{s.serve.ClientURLs, &s.node.AdvertiseClientURLs, "--advertise-client-urls",
			&s.serve.TLS, s.clientAutoTLS, "--cert-file and --key-file, or --auto-tls"},
		{s.node.ListenPeerURLs, &s.node.AdvertisePeerURLs, "--initial-advertise-peer-urls",
			&s.node.PeerTLS, s.peerAutoTLS, "--peer-cert-file and --peer-key-file, or --peer-auto-tls"},
	} {
		if len(*side.advertise) == 0 {
			if i := slices.IndexFunc(side.listen, anywhere); i >= 0 {
				return wrong("%s is missing: nobody finds the member at %s", side.flag, side.listen[i])
			}
			*side.advertise = side.listen
		}
		certified := side.auto || side.info.CertFile != "" && side.info.KeyFile != ""
		if i := slices.IndexFunc(side.listen, encrypted); i >= 0 && !certified {
			return wrong("%s wants %s", side.listen[i], side.cert)
		}
	}
	return nil
}

// resolveCluster checks who begins a new cluster. A member that has run before doesn't look at it.
func (s *settings) resolveCluster() error {
	n := &s.node
	if n.InitialCluster == "" {
		return nil
	}
	members, err := types.NewURLsMap(n.InitialCluster)
	if err != nil {
		return wrong("--initial-cluster %s: %w", ui.Quote(n.InitialCluster), err)
	}
	if _, err := os.Stat(filepath.Join(n.DataDir, "member")); err == nil {
		return nil
	}
	if members[n.Name] == nil {
		return wrong("--initial-cluster %s has no member %s, the --name", ui.Quote(n.InitialCluster), ui.Quote(n.Name))
	}
	return nil
}

// checkTokens refuses what is no kind of tokens. The options of JWT are looked at where their files are read.
func (s *settings) checkTokens() error {
	kind, _, _ := strings.Cut(s.node.AuthToken, ",")
	if kind != "simple" && kind != "jwt" && s.node.AuthToken != "" {
		return wrong("--auth-token %s, want simple, or jwt and its options", ui.Quote(s.node.AuthToken))
	}
	return nil
}

// resolveRetention reads how much history is kept: a number of revisions, of hours, or a duration.
func (s *settings) resolveRetention() error {
	n, err := strconv.ParseUint(s.retention, 10, 62)
	if s.node.AutoCompactionMode == "revision" {
		if err != nil {
			return wrong("--auto-compaction-retention %s, want a number of revisions", ui.Quote(s.retention))
		}
		s.node.AutoCompactionRetention = time.Duration(n)
		return nil
	}
	if err == nil && n <= maxUnits/3600 {
		s.node.AutoCompactionRetention = time.Duration(n) * time.Hour
		return nil
	}
	d, err := time.ParseDuration(s.retention)
	if err != nil || d < 0 {
		return wrong("--auto-compaction-retention %s, want a number of hours, or a duration such as 90m",
			ui.Quote(s.retention))
	}
	s.node.AutoCompactionRetention = d
	return nil
}

// findFiles makes paths such that the process can open them.
func (s *settings) findFiles(a *ui.App) {
	files := []*string{&s.node.DataDir, &s.node.WALDir, &s.node.RecordMessages, &s.keyLog}
	for _, info := range []*transport.TLSInfo{&s.serve.TLS, &s.node.PeerTLS} {
		files = append(files, &info.CertFile, &info.KeyFile, &info.TrustedCAFile, &info.ClientCertFile,
			&info.ClientKeyFile, &info.CRLFile)
	}
	for _, file := range files {
		if *file != "" {
			*file = a.Path(*file)
		}
	}
}

// resolveTLS completes what both sides of TLS have in common.
func (s *settings) resolveTLS() error {
	suites, err := tlsutil.GetCipherSuites(s.cipherSuites)
	if err != nil {
		return wrong("--cipher-suites: %w", err)
	}
	lowest, err := tlsutil.GetTLSVersion(s.tlsMin)
	if err != nil {
		return wrong("--tls-min-version: %w", err)
	}
	highest, err := tlsutil.GetTLSVersion(s.tlsMax)
	if err != nil {
		return wrong("--tls-max-version: %w", err)
	}
	switch {
	case highest != 0 && lowest > highest:
		return wrong("--tls-min-version %s is above --tls-max-version %s", s.tlsMin, s.tlsMax)
	case s.tlsMin == "TLS1.3" && len(suites) > 0:
		return wrong("--cipher-suites can't be chosen for TLS 1.3")
	}
	for _, info := range []*transport.TLSInfo{&s.serve.TLS, &s.node.PeerTLS} {
		info.CipherSuites, info.MinVersion, info.MaxVersion = suites, lowest, highest
	}
	s.node.PeerTLS.SkipClientSANVerify = s.node.SkipPeerSANs
	return nil
}

// makeCertificates makes the certificates that --auto-tls and --peer-auto-tls ask for, where the files are
// that etcd would make: they are used again by the next start.
func (s *settings) makeCertificates() error {
	for _, side := range []struct {
		wanted bool
		info   *transport.TLSInfo
		urls   []string
		folder string
	}{
		{s.clientAutoTLS, &s.serve.TLS, append(append([]string(nil), s.serve.ClientURLs...), s.serve.HTTPURLs...), "client"},
		{s.peerAutoTLS, &s.node.PeerTLS, s.node.ListenPeerURLs, "peer"},
	} {
		if !side.wanted || !side.info.Empty() {
			continue
		}
		var hosts []string
		for _, u := range side.urls {
			hosts = append(hosts, hostPort(u))
		}
		if err := os.MkdirAll(s.node.DataDir, 0o700); err != nil {
			return err
		}
		folder := filepath.Join(s.node.DataDir, "fixtures", side.folder)
		made, err := transport.SelfCert(zap.NewNop(), folder, hosts, s.selfSignedYears)
		if err != nil {
			return err
		}
		made.CipherSuites = side.info.CipherSuites
		made.MinVersion, made.MaxVersion = side.info.MinVersion, side.info.MaxVersion
		*side.info = made
	}
	return nil
}
