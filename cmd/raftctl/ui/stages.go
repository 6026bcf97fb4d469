package ui

// Stages shows the progress of one thing after another, each under its name.
type Stages struct {
	a    *App
	name string
	bar  *Progress
}

// NewStages begins to show progress. Nothing is shown before the first Set.
func NewStages(a *App) *Stages { return &Stages{a: a} }

// Set tells how many bytes of how many are done of what has a name. Another name than before ends that.
func (s *Stages) Set(name string, done, total int64) {
	if name != s.name {
		s.Done()
		s.name, s.bar = name, NewProgress(s.a, name, total)
	}
	s.bar.Set(done)
}

// Done removes the bar, whether the end was reached or not.
func (s *Stages) Done() {
	s.bar.Done()
	s.name, s.bar = "", nil
}
