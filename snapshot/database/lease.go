package database

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
)

// Lease is a lease. The keys that are attached to it say so themselves.
type Lease struct {
	ID        int64
	TTL       int64 // seconds, as granted
	Remaining int64 // seconds at the last checkpoint; 0 where none was taken
}

// maxLeases bounds how many leases are held in memory.
const maxLeases = 1 << 20

// Leases reads bucket lease, by ascending ID. The error joins all items that can't be read; the others
// are there all the same.
func (db *DB) Leases() ([]Lease, error) {
	var list []Lease
	err := db.readItems(bucketLease, func(key string, value []byte) error {
		l, err := parseLease(key, value)
		if err == nil && len(list) == maxLeases {
			err = fmt.Errorf("more than %d", maxLeases)
		}
		if err != nil {
			return err
		}
		list = append(list, l)
		return nil
	})
	return list, err
}

// The fields of etcd's leasepb.Lease.
const leaseID, leaseTTL, leaseRemaining = 1, 2, 3

func parseLease(key string, value []byte) (l Lease, err error) {
	id, err := parseLeaseID(key)
	if err != nil {
		return l, err
	}
	err = wirefield.Each(value, func(f wirefield.Field) error {
		switch f.Num {
		case leaseID:
			l.ID = int64(f.Uint)
		case leaseTTL:
			l.TTL = int64(f.Uint)
		case leaseRemaining:
			l.Remaining = int64(f.Uint)
		default:
			return nil
		}
		return f.Want(protowire.VarintType)
	})
	if err == nil && l.ID != id {
		err = fmt.Errorf("it describes lease %x", uint64(l.ID))
	}
	return l, err
}

// Alarm is a condition that etcd has raised and that stays until somebody takes it back.
type Alarm struct {
	Member uint64
	Kind   AlarmKind
}

// AlarmKind is a kind of alarm.
type AlarmKind uint8

// The kinds, with etcd's numbers.
const (
	AlarmNone AlarmKind = iota
	AlarmNoSpace
	AlarmCorrupt
)

var alarmNames = [...]string{"NONE", "NOSPACE", "CORRUPT"}

// String returns the kind as etcd names it.
func (k AlarmKind) String() string {
	if int(k) < len(alarmNames) {
		return alarmNames[k]
	}
	return fmt.Sprintf("ALARM %d", uint8(k))
}

// The fields of etcd's AlarmMember.
const alarmMember, alarmKind = 1, 2

// Alarms reads bucket alarm. The error joins all items that can't be read; the others are there all the
// same.
func (db *DB) Alarms() ([]Alarm, error) {
	var list []Alarm
	err := db.readItems(bucketAlarm, func(key string, _ []byte) error {
		var a Alarm
		err := wirefield.Each([]byte(key), func(f wirefield.Field) error {
			switch f.Num {
			case alarmMember:
				a.Member = f.Uint
			case alarmKind:
				if f.Uint > math.MaxUint8 {
					return errors.New("no kind of alarm")
				}
				a.Kind = AlarmKind(f.Uint)
			}
			return f.Want(protowire.VarintType)
		})
		if err == nil && len(list) == maxListed {
			err = errTooMany
		}
		if err != nil {
			return err
		}
		list = append(list, a)
		return nil
	})
	slices.SortFunc(list, func(a, b Alarm) int { return compareID(a.Member, b.Member) })
	return list, err
}
