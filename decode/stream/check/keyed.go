package check

// keyed is a map of bounded size: a key that is new takes the place of the oldest.
type keyed[K comparable, V any] struct {
	most  int
	m     map[K]*V
	order []K // a ring once it is full
	next  int
	lost  bool // some key was dropped
}

func newKeyed[K comparable, V any](most int) *keyed[K, V] {
	return &keyed[K, V]{most: most, m: map[K]*V{}}
}

// get returns the value of a key, nil where there is none.
func (k *keyed[K, V]) get(key K) *V { return k.m[key] }

// put returns the value of a key, a new one where there is none.
func (k *keyed[K, V]) put(key K) (v *V, isNew bool) {
	if v = k.m[key]; v != nil {
		return v, false
	}
	if len(k.order) == k.most {
		delete(k.m, k.order[k.next])
		k.order[k.next] = key
		k.next = (k.next + 1) % k.most
		k.lost = true
	} else {
		k.order = append(k.order, key)
	}
	v = new(V)
	k.m[key] = v
	return v, true
}
