package decode

// AppendValue appends the value of a key for people.
func AppendValue(dst, _, value []byte, s *Style) []byte { return appendValue(dst, value, s) }

// AppendValueJSON appends the members that stand for the value of a key.
func AppendValueJSON(dst, _, value []byte, s *Style) []byte {
	return appendValueJSON(dst, "value", value, s)
}

// AppendKey appends a key for people: bare where it can't be mistaken for anything else on the line,
// quoted otherwise.
func AppendKey(dst, key []byte) []byte { return appendWord(dst, key, -1) }
