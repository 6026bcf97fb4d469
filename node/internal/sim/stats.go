package sim

import "reflect"

// Stats counts what came to pass.
type Stats struct {
	Seeds, Messages        int64
	Writes, Reads, Unknown int64 // answered; and without an answer
	Unjudged               int64 // worlds: porcupine found no verdict
	Lives, Crashes, Terms  int64
	BadDisks               int64 // that failed
	Snapshots              int64 // that arrived
	Added, Removed         int64
	Promoted, Moved        int64         // learners, and leaders
	Faults                 [faults]int64 // tried
}

// Add adds what came to pass in another world.
func (s *Stats) Add(o *Stats) {
	sum, other := reflect.ValueOf(s).Elem(), reflect.ValueOf(o).Elem()
	for i := range sum.NumField() {
		if f := sum.Field(i); f.Kind() == reflect.Int64 {
			f.SetInt(f.Int() + other.Field(i).Int())
		}
	}
	for i, n := range o.Faults {
		s.Faults[i] += n
	}
}

// Missing names what never came to pass. Worlds in which much is missing prove little.
func (s *Stats) Missing() (names []string) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Type.Kind() == reflect.Int64 && v.Field(i).IsZero() && f.Name != "Unjudged" {
			names = append(names, f.Name)
		}
	}
	for i, n := range s.Faults {
		if n == 0 {
			names = append(names, fault(i).String())
		}
	}
	return names
}

// count counts something.
func (w *world) count(n *int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*n++
}

// countIf counts what succeeded.
func (w *world) countIf(err error, n *int64) {
	if err == nil {
		w.count(n)
	}
}

func (w *world) countOps() {
	for _, o := range w.ops {
		switch {
		case !o.answered():
			w.stats.Unknown++
		case o.kind == opRead:
			w.stats.Reads++
		default:
			w.stats.Writes++
		}
	}
}
