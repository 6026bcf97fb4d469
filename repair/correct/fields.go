package correct

// fields looks for a header and fields of the record that explain the damage, around data as it is.
func (s *search) fields() (found, bool) { return found{}, false }
