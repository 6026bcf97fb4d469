package decode

// AppendKey appends a key for people: bare where it can't be mistaken for anything else on the line,
// quoted otherwise.
func AppendKey(dst, key []byte) []byte { return appendWord(dst, key, -1) }
