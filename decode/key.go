package decode

// AppendKey appends a key for people: bare where it can't be mistaken for anything else on the line,
// quoted otherwise.
func AppendKey(dst, key []byte) []byte { return appendWord(dst, key, -1) }

// Prefix returns the part of a key that groups it with others: up to its last slash, or all of a key
// without one; 1024 bytes at most. It aliases the key.
func Prefix(key []byte) []byte { return prefixOf(key) }
