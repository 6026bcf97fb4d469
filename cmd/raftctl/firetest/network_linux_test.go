package firetest

import (
	"fmt"
	"testing"
)

// network is a switch to which each member is connected by a cable, from a network namespace of its own, and the clients from that of
// the tests. Members are numbered from 1; the clients are 0.
//
// Who reaches whom is told by the tables of neighbours: a packet for a neighbour with a wrong address is carried to nobody, and nobody is
// told so. That works one way, too, and connections stay open, as where a cable is broken.
type network struct {
	tb   testing.TB
	size int
}

// nowhere is an address that no interface has.
const nowhere = "02:00:00:00:ff:ff"

func addressOf(member int) string  { return fmt.Sprintf("10.77.0.%d", 100+member) }
func hardwareOf(member int) string { return fmt.Sprintf("02:00:00:00:00:%02x", 1+member) }
func spaceOf(member int) string    { return fmt.Sprintf("m%d", member) }

// newNetwork connects so many members and the clients.
func newNetwork(tb testing.TB, size int) *network {
	tb.Helper()
	n := &network{tb: tb, size: size}
	n.ip("link", "add", "switch", "address", hardwareOf(0), "type", "bridge")
	tb.Cleanup(func() { n.ip("link", "del", "switch") })
	n.ip("address", "add", addressOf(0)+"/24", "dev", "switch")
	n.ip("link", "set", "switch", "up")
	for m := 1; m <= size; m++ {
		space, plug := spaceOf(m), fmt.Sprintf("plug%d", m)
		n.ip("netns", "add", space)
		tb.Cleanup(func() { n.ip("netns", "del", space) })
		n.ip("link", "add", plug, "type", "veth", "peer", "name", "cable", "address", hardwareOf(m), "netns", space)
		tb.Cleanup(func() { n.ip("link", "del", plug) })
		n.ip("link", "set", plug, "master", "switch", "up")
		n.ip("-n", space, "link", "set", "lo", "up")
		n.ip("-n", space, "address", "add", addressOf(m)+"/24", "dev", "cable")
		n.ip("-n", space, "link", "set", "cable", "up")
	}
	n.heal()
	return n
}

func (n *network) ip(args ...string) {
	n.tb.Helper()
	if err := run("ip", args...); err != nil {
		n.tb.Error(err)
	}
}

// cut loses what one says to another from now on.
func (n *network) cut(from, to int) { n.neighbour(from, to, nowhere) }

// heal lets all reach each other.
func (n *network) heal() {
	for from := range n.size + 1 {
		for to := range n.size + 1 {
			if from != to {
				n.neighbour(from, to, hardwareOf(to))
			}
		}
	}
}

func (n *network) neighbour(from, to int, hardware string) {
	n.tb.Helper()
	args := []string{"neighbour", "replace", addressOf(to), "lladdr", hardware, "nud", "permanent", "dev"}
	if from == 0 {
		n.ip(append(args, "switch")...)
		return
	}
	n.ip(append([]string{"-n", spaceOf(from)}, append(args, "cable")...)...)
}
