package decode

import (
	"bytes"
	"strconv"
	"time"
)

// readJSON reads an object in JSON: as custom resources are stored, and everything where the API server
// is told so.
func (m *moments) readJSON(value []byte) {
	o, ok := parseManifest(value)
	if !ok {
		return
	}
	lease, event := string(o.Kind) == "Lease", string(o.Kind) == "Event"
	m.ofNode = bytes.Equal(o.Namespace, nodeLeases)
	for name, text := range jsonMembers(value[:min(len(value), manifestSize)]) {
		switch {
		case string(name) == "metadata":
			if m.readMetaJSON(text); !lease && !event {
				return
			}
		case string(name) == "spec" && lease:
			m.readLeaseJSON(text)
		case event:
			m.readEventJSON(name, text)
		}
	}
}

func (m *moments) readMetaJSON(meta []byte) {
	var deletion, grace int64
	for name, text := range jsonMembers(meta) {
		switch string(name) {
		case "creationTimestamp":
			m.created = jsonTime(text)
		case "deletionTimestamp":
			deletion = jsonTime(text)
		case "deletionGracePeriodSeconds":
			grace = jsonNumber(text)
		case "annotations":
			m.readAnnotations(text)
		case "managedFields":
			for field := range jsonElements(text) {
				m.changed = max(m.changed, jsonTime(jsonMember(field, "time")))
			}
		}
	}
	m.setDeletion(deletion, grace)
}

// readAnnotations looks for the lease of who is elected, which is JSON in a string.
func (m *moments) readAnnotations(annotations []byte) {
	text, err := strconv.Unquote(string(jsonMember(annotations, leaderElected)))
	if err == nil {
		m.readLeader([]byte(text))
	}
}

// readLeader reads the lease of who is elected, which stood in an annotation before there were Leases.
func (m *moments) readLeader(text []byte) {
	for name, text := range jsonMembers(text) {
		m.readLeaseMember(name, text)
	}
}

func (m *moments) readLeaseJSON(spec []byte) {
	for name, text := range jsonMembers(spec) {
		m.readLeaseMember(name, text)
	}
}

func (m *moments) readLeaseMember(name, text []byte) {
	switch string(name) {
	case "holderIdentity":
		m.holder = host(jsonText(text))
	case "leaseDurationSeconds":
		m.setDuration(jsonNumber(text))
	case "acquireTime":
		m.acquired = jsonTime(text)
	case "renewTime":
		m.renewed = jsonTime(text)
	}
}

func (m *moments) readEventJSON(name, text []byte) {
	switch string(name) {
	case "source":
		m.reporter = jsonText(jsonMember(text, "host"))
	case "firstTimestamp", "lastTimestamp", "eventTime":
		m.reported = max(m.reported, jsonTime(text))
	}
}

// jsonMember returns the member of an object, nil if there is none.
func jsonMember(object []byte, want string) []byte {
	for name, text := range jsonMembers(object) {
		if string(name) == want {
			return text
		}
	}
	return nil
}

// jsonTime returns a time that is written as RFC 3339 has it, 0 for anything else.
func jsonTime(text []byte) int64 {
	word := jsonText(text)
	if len(word) < len(time.DateTime) || len(word) > len(time.RFC3339Nano) {
		return 0
	}
	at, err := time.Parse(time.RFC3339Nano, string(word))
	if err != nil {
		return 0
	}
	return unixNano(at.Unix(), int64(at.Nanosecond()))
}

func jsonNumber(text []byte) int64 {
	const digits = 20
	if len(text) > digits {
		return 0
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
