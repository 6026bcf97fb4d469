//go:build !linux

package rawsocket

import "time"

// Socket hears packets.
type Socket struct{}

// Open returns ErrUnsupported.
func Open(string, ...uint16) (*Socket, error) { return nil, ErrUnsupported }

// Read returns ErrUnsupported.
func (*Socket) Read([]byte) (int, time.Time, error) { return 0, time.Time{}, ErrUnsupported }

// Dropped returns ErrUnsupported.
func (*Socket) Dropped() (int64, error) { return 0, ErrUnsupported }

// Stop does nothing.
func (*Socket) Stop() {}

// Close does nothing.
func (*Socket) Close() error { return nil }
