// Package archive shows a tar archive as a file system whose files can be read at any offset. The
// archive may be compressed with zstd, gzip, s2 or framed snappy; what it is is told by its
// content.
//
// The files of an uncompressed archive are read in place. Others are unpacked when the archive is
// opened, into one temporary file without a name, in which blocks of zeros are holes: segments of
// a log are mostly empty. Memory use doesn't depend on the size of the archive, apart from its list
// of names.
package archive
