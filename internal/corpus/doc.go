// Package corpus gives tests the data directories that real etcd wrote, and what etcd's own tools
// say of them. They lie compressed in testdata/, whose README lists them and says how to make
// them again. Only tests import this package.
//
// [Dir] unpacks an archive once for all test processes, into build/corpus, which is ignored by
// version control. What it returns is shared: a test that changes files takes a [Copy].
package corpus
