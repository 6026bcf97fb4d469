package etcdlog

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Level is how a server rates what it logs.
type Level uint8

// The levels. Lines that have none, such as a panic of Go's runtime, are LevelUnknown.
const (
	LevelUnknown Level = iota
	LevelInfo          // and below
	LevelWarn
	LevelError
	LevelFatal // the server ends with it
)

var levels = map[string]Level{
	"debug": LevelInfo, "info": LevelInfo, "warn": LevelWarn, "error": LevelError,
	"dpanic": LevelFatal, "panic": LevelFatal, "fatal": LevelFatal,
	"T": LevelInfo, "D": LevelInfo, "I": LevelInfo, "N": LevelInfo, "W": LevelWarn, "E": LevelError, "C": LevelFatal,
}

// Line is one line of a log.
type Line struct {
	N     int    // its number, from 1 on
	Time  string // as it stands there; empty if it has none
	Level Level
	Text  string // what it says, without what was put before it

	etcd   bool   // it has the form of etcd's lines
	match  string // the text, and whatever else the line says
	fields map[string]any
}

// What is put before a line: by journalctl, by a container runtime, by klog, and by kubectl --timestamps.
var prefixes = []*regexp.Regexp{
	regexp.MustCompile(`^(\S+) (?:stdout|stderr) [FP] `),
	regexp.MustCompile(`^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?) \S+ [^ :\[]+(?:\[\d+\])?: `),
	regexp.MustCompile(`^(\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)) \S+ [^ :\[]+(?:\[\d+\])?: `),
	regexp.MustCompile(`^[IWEF](\d{4} \d\d:\d\d:\d\d\.\d+) +\d+ \S+\] `),
	regexp.MustCompile(`^(\d{4}-\d\d-\d\dT[\d:.]+Z) `),
}

var (
	// capnslog is the form of 3.4: time, level, and the package's name with the text.
	capnslog = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) ([CEWNIDT]) \| (.*)$`)
	// console is zap's form for people: time, level, caller, text and fields, between tabs.
	console = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\S+)\t(debug|info|warn|error|dpanic|panic|fatal)\t(?:[^\t]*\t)?(.*)$`)
	// raftLine is how 3.4 logs what its raft says.
	raftLine = regexp.MustCompile(`^raft(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (?:(INFO|WARN|ERROR|DEBUG): )?(.*)$`)
)

// maxWraps is how many layers are taken off a line: a journal of what a container runtime wrote.
const maxWraps = 4

// parseLine takes a line apart.
func parseLine(n int, text string) Line {
	l := Line{N: n}
	text = strings.ReplaceAll(strings.TrimRight(text, "\r\n"), "\u00a0", " ") // which protobuf's errors have at times
	for range maxWraps {
		inner, ok := l.unwrap(text)
		if !ok {
			break
		}
		text = inner
	}
	switch {
	case l.isJSON(text), l.isText(text):
		l.etcd = true
	default:
		l.Text, l.match = text, text
	}
	return l
}

// unwrap takes off what was put around a line.
func (l *Line) unwrap(text string) (inner string, ok bool) {
	if strings.HasPrefix(text, "{") {
		return l.unwrapJSON(text)
	}
	for _, p := range prefixes {
		if m := p.FindStringSubmatch(text); m != nil {
			l.Time = m[1]
			return text[len(m[0]):], true
		}
	}
	return text, false
}

// unwrapJSON takes a line out of a log that is kept in JSON: Docker's, or that of journalctl -o json.
func (l *Line) unwrapJSON(text string) (inner string, ok bool) {
	var wrapped struct {
		Log     *string `json:"log"`
		Time    string  `json:"time"`
		Message *string `json:"MESSAGE"`
	}
	if json.Unmarshal([]byte(text), &wrapped) != nil {
		return text, false
	}
	if wrapped.Log != nil {
		l.Time = wrapped.Time
		return strings.TrimRight(*wrapped.Log, "\n"), true
	}
	if wrapped.Message != nil {
		return *wrapped.Message, true
	}
	return text, false
}

// isJSON takes in a line of zap's, if it is one.
func (l *Line) isJSON(text string) bool {
	if !strings.HasPrefix(text, `{"level":`) {
		return false
	}
	if json.Unmarshal([]byte(text), &l.fields) != nil {
		return l.isCutJSON(text)
	}
	level, _ := l.fields["level"].(string)
	l.Level = levels[level]
	if ts, ok := l.fields["ts"].(string); ok {
		l.Time = ts
	}
	l.Text = l.field("msg")
	for _, name := range []string{"error", "panic"} {
		if s := l.field(name); s != "" {
			l.Text += ": " + s
		}
	}
	var b strings.Builder
	b.WriteString(l.Text)
	names := make([]string, 0, len(l.fields))
	for name := range l.fields {
		if !slices.Contains([]string{"level", "ts", "caller", "msg", "error", "panic", "stacktrace"}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, " %s=%v", name, l.fields[name])
	}
	l.match = b.String()
	return true
}

func (l *Line) field(name string) string {
	s, _ := l.fields[name].(string)
	return s
}

// isCutJSON takes in a line of zap's that is cut off: it was too long, or the log ends in it.
func (l *Line) isCutJSON(text string) bool {
	rest, isLevel := strings.CutPrefix(text, `{"level":"`)
	level, rest, ok := strings.Cut(rest, `"`)
	if !isLevel || !ok {
		return false
	}
	l.Level, l.fields = levels[level], nil
	l.Text = strings.TrimPrefix(rest, ",")
	l.match = l.Text
	return true
}

// isText takes in a line for people, of 3.4 or of zap, if it is one.
func (l *Line) isText(text string) bool {
	if m := capnslog.FindStringSubmatch(text); m != nil {
		l.Time, l.Level, l.Text = m[1], levels[m[2]], m[3]
	} else if m := console.FindStringSubmatch(text); m != nil {
		l.Time, l.Level, l.Text = m[1], levels[m[2]], strings.ReplaceAll(m[3], "\t", " ")
	} else if m := raftLine.FindStringSubmatch(text); m != nil {
		l.Time, l.Text = m[1], m[3]
		if m[2] == "INFO" || m[2] == "DEBUG" {
			l.Level = LevelInfo
		}
	} else {
		return false
	}
	l.match = l.Text
	return true
}
