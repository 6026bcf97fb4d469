package nodecmd

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// maxConfigFile bounds what is read of a config file: etcd's sample, with all its comments, has 6 KiB.
const maxConfigFile = 1 << 20

// maxConfigDepth bounds how deep a config file nests; etcd's nests two deep.
const maxConfigDepth = 4

// fromFile takes all settings from a config file, in the form that etcd's has, and returns the keys that it has.
func fromFile(a *ui.App, s *settings, name string) (keys []string, err error) {
	f, err := a.FS.Open(a.Path(name))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(data) > maxConfigFile {
		return nil, wrong("%s has more than %d bytes, which no config file has", ui.Quote(name), maxConfigFile)
	}
	if keys, err = parseFile(s, data); err != nil {
		return nil, ui.UsageError{Err: fmt.Errorf("%s: %w", ui.Quote(name), err)}
	}
	return keys, nil
}

// parseFile takes settings from the text of a config file, and returns the keys that it has.
func parseFile(s *settings, data []byte) (keys []string, err error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, err
	}
	if len(root.Content) == 0 {
		return nil, nil // comments only
	}
	p := fileParser{rows: map[string]value{}}
	each(func(row *setting) {
		v := row.value(s)
		key := row.key
		if key == "" {
			key = row.name
		}
		p.rows[key] = v
		for _, old := range row.old {
			p.rows[old] = v
		}
	})
	delete(p.rows, "-")
	err = p.mapping("", root.Content[0], 0)
	return p.keys, err
}

// fileParser sets values by their keys in the file.
type fileParser struct {
	rows map[string]value
	keys []string // that were set
}

func (p *fileParser) mapping(prefix string, n *yaml.Node, depth int) error {
	if n.Kind != yaml.MappingNode || depth > maxConfigDepth {
		return fmt.Errorf("line %d: want keys and values", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := prefix+n.Content[i].Value, n.Content[i+1]
		if v.Kind == yaml.MappingNode && p.isGroup(key+".") {
			if err := p.mapping(key+".", v, depth+1); err != nil {
				return err
			}
			continue
		}
		if err := p.set(key, v); err != nil {
			return fmt.Errorf("line %d: %s: %w", n.Content[i].Line, key, err)
		}
	}
	return nil
}

func (p *fileParser) isGroup(prefix string) bool {
	for key := range p.rows {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func (p *fileParser) set(key string, n *yaml.Node) error {
	if n.Tag == "!!null" && n.Kind == yaml.ScalarNode {
		return nil // the key alone stands for the default
	}
	p.keys = append(p.keys, key)
	v, ok := p.rows[key]
	switch {
	case key == "discovery-config":
		return errors.New(noDiscovery)
	case !ok:
		return errors.New("unknown key; see 'raftctl node run --help'")
	}
	text, err := nodeText(n)
	if err != nil {
		return err
	}
	if text == "" {
		return nil // as in etcd: empty stands for the default
	}
	if d, ok := v.(span); ok && d.unit == 0 {
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			text += "ns" // etcd's config files have durations in nanoseconds
		}
	}
	return v.Set(text)
}

// nodeText returns a value as a flag would have it.
func nodeText(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		var items []string
		for _, c := range n.Content {
			if c.Kind != yaml.ScalarNode {
				return "", errors.New("want a list of texts")
			}
			items = append(items, c.Value)
		}
		return strings.Join(items, ","), nil
	}
	return "", errors.New("want a value")
}

// ignoredFlags returns the flags of the command line that don't count beside a config file.
func ignoredFlags(given []string) []string {
	given = slices.DeleteFunc(given, func(name string) bool { return name == "config-file" || name == "version" })
	for i, name := range given {
		given[i] = "--" + name
	}
	return given
}
