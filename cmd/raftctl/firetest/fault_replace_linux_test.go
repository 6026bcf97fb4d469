package firetest

// replaceOne gives the place of a member to a new one.
func replaceOne(s *story) { s.replace(s.someone()) }
