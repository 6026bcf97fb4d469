package firetest

import (
	"fmt"
	"time"
)

// life is what a client knows of a lease and the key that hangs on it.
type life struct {
	key     string
	ttl     time.Duration
	renewed int64 // when the last grant or renewal was asked for that was answered
	revoked int64 // when its end was asked for; 0: never
}

// judgeLeases decides whether no lease ended before its time, and each in the end.
func judgeLeases(lives []life, all *truth) error {
	for _, l := range lives {
		events := all.byKey[l.key]
		if len(events) == 0 {
			continue // the put was lost, or refused: judgeStreams and judgeKV judge that
		}
		last := events[len(events)-1]
		if !last.deleted {
			return fmt.Errorf("%s, with a lease of %v, is still there", l.key, l.ttl)
		}
		at := all.at[last.rev]
		byClient := l.revoked != 0 && l.revoked <= at
		if early := l.renewed + int64(l.ttl) - at; early > 0 && !byClient {
			return fmt.Errorf("%s ended %v before the %v of its lease", l.key, time.Duration(early), l.ttl)
		}
	}
	return nil
}
