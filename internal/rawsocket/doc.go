// Package rawsocket hears the packets that an interface of this machine sends and receives, as tcpdump does. It takes
// the right to open raw sockets (CAP_NET_RAW), and Linux.
package rawsocket

import "errors"

// ErrUnsupported is returned where packets can't be heard on this system.
var ErrUnsupported = errors.New("packets can be heard on Linux only; elsewhere use tcpdump -w -")
