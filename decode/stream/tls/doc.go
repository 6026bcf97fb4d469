// Package tls reads what went over connections under TLS, for who has the secrets of their sessions: a key log in the
// form that Go's, OpenSSL's and other libraries write where they are told to (SSLKEYLOGFILE).
//
// It reads TLS 1.3, and TLS 1.2 with AES-GCM or ChaCha20-Poly1305, which are the suites that Go negotiates. It must see a
// connection from its beginning, since the hello of the client tells which secrets are meant. Of bytes that are
// missing later it tells that they are, and goes on with the next record.
package tls
