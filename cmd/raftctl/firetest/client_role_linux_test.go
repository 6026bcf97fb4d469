package firetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// namesOnce is how often one name is used: what has no answer makes the search for an order long.
const namesOnce = 12

// roleClient adds, deletes and lists roles, as etcd's authentication has them.
func (s *story) roleClient(client int, rng *rand.Rand) func() bool {
	count := 0
	return func() bool {
		s.pause(rng, 200*time.Millisecond)
		n := naming{verb: verb(rng.IntN(3)), name: fmt.Sprintf("role %d", count/namesOnce)}
		count++
		c := s.clients[rng.IntN(len(s.seats))]
		ctx, cancel := s.timeout()
		defer cancel()
		n.call, n.ret = s.now(), never
		var err error
		switch n.verb {
		case add:
			_, err = c.RoleAdd(ctx, n.name)
			n.there = errors.Is(err, rpctypes.ErrRoleAlreadyExist)
			n.known = err == nil || n.there
		case remove:
			_, err = c.RoleDelete(ctx, n.name)
			n.there = err == nil
			n.known = err == nil || errors.Is(err, rpctypes.ErrRoleNotFound)
		case look:
			list, err := c.RoleList(ctx)
			if n.known = err == nil; n.known {
				n.there = slices.Contains(list.Roles, n.name)
			}
		}
		if n.known {
			n.ret = s.now()
		}
		record(s, &s.found.namings, n)
		return n.known
	}
}
