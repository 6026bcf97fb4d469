package nodecmd

import (
	"github.com/spf13/pflag"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// value is what a flag sets.
type value = pflag.Value

// setting is one thing that can be said about a member: by a flag, by a variable of the environment
// (ETCD_ and the name in capitals), and by a key of the config file.
type setting struct {
	name  string
	help  string // empty: the flag isn't shown, since it can't be changed
	value func(s *settings) value
	old   []string // names that it had in earlier releases
	key   string   // in the config file, with dots between; empty: the name; "-": it isn't there
	file  bool     // it is in the config file only
}

// group is a heading of the help text, with the settings below it.
type group struct {
	title    string
	settings []setting
}

// groups are all settings there are: see the files run_table*.go.
var groups = []group{
	{"The member", memberSettings},
	{"The cluster", clusterSettings},
	{"TLS", tlsSettings},
	{"Users", authSettings},
	{"What is watched over", watchSettings},
	{"The log of what it does", logFlags},
	{"Unsafe", unsafeSettings},
	{"", refusedSettings},
}

// each calls f with every setting, those of the feature gates' old flags among them.
func each(f func(s *setting)) {
	for _, g := range groups {
		for i := range g.settings {
			f(&g.settings[i])
		}
	}
	for i := range featureGates {
		if g := &featureGates[i]; g.old != "" {
			f(&setting{name: g.old, value: func(s *settings) value { return g.value(s) }})
		}
	}
}

// register adds all flags to a set, bound to s.
func register(fs *pflag.FlagSet, s *settings) {
	fs.SortFlags = false
	each(func(row *setting) {
		if row.file {
			return
		}
		v := row.value(s)
		for i, name := range append([]string{row.name}, row.old...) {
			f := fs.VarPF(v, name, "", row.help)
			f.Hidden = i > 0 || row.help == ""
			if b, ok := v.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
				f.NoOptDefVal = "true"
			}
		}
	})
}

// variable returns the name of the environment variable of a flag, as etcd has it.
func variable(flag string) string { return "ETCD_" + capitals(flag) }

func capitals(flag string) string {
	b := []byte(flag)
	for i, c := range b {
		switch {
		case c == '-':
			b[i] = '_'
		case 'a' <= c && c <= 'z':
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// fromEnvironment takes what the command line doesn't give from etcd's variables. It returns the flags whose
// variables are there.
func fromEnvironment(a *ui.App, fs *pflag.FlagSet) (found []string, err error) {
	each(func(row *setting) {
		names := append([]string{row.name}, row.old...)
		if row.file || err != nil || changed(fs, names) {
			return
		}
		for _, name := range names {
			text := a.Getenv(variable(name))
			if text == "" {
				continue
			}
			if e := fs.Lookup(name).Value.Set(text); e != nil {
				err = &badSetting{variable(name), text, e}
			}
			found = append(found, name)
			return
		}
	})
	return found, err
}

// changed reports whether the command line has one of several flags.
func changed(fs *pflag.FlagSet, names []string) bool {
	for _, name := range names {
		if fs.Changed(name) {
			return true
		}
	}
	return false
}

// badSetting is what can't be taken, from the environment or the config file.
type badSetting struct {
	name, text string
	err        error
}

func (e *badSetting) Error() string { return e.name + "=" + ui.Quote(e.text) + ": " + e.err.Error() }
func (e *badSetting) Unwrap() error { return e.err }
