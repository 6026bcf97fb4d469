// Package etcdwire decodes protobuf messages as the decoders of real etcds do, with their errors
// and in their words: etcd up to 3.6 has code that gogo generated, later ones google's library. The
// two differ in what they refuse. A known field of a wrong wire type is an error for gogo and an
// unknown field for google; a message that is cut is io.ErrUnexpectedEOF itself for gogo, which
// etcd takes for a torn write; only google looks at whether a proto3 string is UTF-8.
//
// It is no decoder to work with: it tells what an etcd makes of bytes that may be damaged.
package etcdwire
