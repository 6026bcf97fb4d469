// Package remote reads the state of a live etcd over its client API: it streams a snapshot, lists
// keys, and asks for status and hashes. It only reads, and speaks to the one member at an endpoint:
// what that member holds is what is returned, also where it lags behind the others or has no leader.
//
// # The snapshot stream
//
// A member sends its database as bbolt pages in a transaction of their own, so that they fit together
// while others write, and behind them the SHA-256 of these pages, 32 bytes. Each message says how many
// bytes of the database are still to come; so the end of the stream is known from its first message,
// and a stream that ends early or goes on behind it is an error, as is a wrong hash.
//
// # Bounded time
//
// Nothing waits for ever: connecting is bounded by [Config].DialTimeout, short requests by
// CallTimeout, and what takes long by StallTimeout between two pieces of it. A context that is
// cancelled ends all of them at once.
package remote
