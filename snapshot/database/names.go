package database

// BucketNames returns the names of the buckets that every database of etcd has, in their order.
func BucketNames() []string {
	var names []string
	for _, b := range buckets {
		if b.required {
			names = append(names, b.name)
		}
	}
	return names
}
