package nodecmd

import (
	"io"
	"log/slog"
	"os"
	"sync"
)

// openKeyLog has the secrets of TLS sessions written to a file, if that is wanted. It returns what closes it.
func (s *settings) openKeyLog(log *slog.Logger) (io.Closer, error) {
	if s.keyLog == "" {
		return closers(nil), nil
	}
	f, err := os.OpenFile(s.keyLog, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	log.Warn("whoever has this file can read what this member says and hears over TLS", "tls-keylog", s.keyLog)
	k := &keyLog{f: f, log: log}
	s.node.KeyLog, s.serve.KeyLog = k, k
	return f, nil
}

// keyLog is a file of secrets of TLS sessions. That one can't be written is told once, and costs no connection.
type keyLog struct {
	f      *os.File
	log    *slog.Logger
	failed sync.Once
}

// Write implements io.Writer.
func (k *keyLog) Write(line []byte) (int, error) {
	if _, err := k.f.Write(line); err != nil {
		k.failed.Do(func() {
			k.log.Error("the secrets of a TLS session can't be written", "tls-keylog", k.f.Name(), "error", err)
		})
	}
	return len(line), nil
}
