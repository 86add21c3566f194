package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxOpen is how many brackets of a YAML file may be open at a time. Ours needs
// two; the parser takes the square of the time for deep ones.
const maxOpen = 32

// An element is one text of an assignment, and where it stands.
type element struct {
	text   string
	origin Origin
	column int
}

// An assignment gives a setting a value. The value of a list is all of its
// elements.
type assignment struct {
	key      string
	origin   Origin
	column   int
	elements []element
	isList   bool // the elements stand in a list
}

// parseYAML reads a configuration file that is called name. It finds every
// unknown key and every value of a wrong shape; texts are not looked into yet.
func parseYAML(name string, data []byte) ([]assignment, error) {
	if line := deep(data); line > 0 {
		return nil, wrong(Origin{File, name, line}, 0, "", fmt.Errorf("more than %d brackets are open", maxOpen))
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	r := yamlReader{name: name, known: knownKeys()}
	documents := 0
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if documents++; documents > 1 {
			r.fail(doc.Body.GetToken(), "", errors.New("a second document begins: one is allowed"))
			break
		}
		r.mapping("", doc.Body)
	}
	return r.found, errors.Join(r.errs...)
}

// deep returns the line in which too many brackets are open, or 0.
func deep(data []byte) int {
	open, line := 0, 1
	for _, c := range data {
		switch c {
		case '[', '{':
			if open++; open > maxOpen {
				return line
			}
		case ']', '}':
			open = max(open-1, 0)
		case '\n':
			line++
		}
	}
	return 0
}

// syntaxError takes place and message from an error of the parser.
func syntaxError(name string, err error) error {
	var e interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &e) || e.GetToken() == nil || e.GetToken().Position == nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return wrong(Origin{File, name, 0}, 0, "", hintError{errors.New(first), "is it YAML?"})
	}
	at := e.GetToken().Position
	message, _, _ := strings.Cut(e.GetMessage(), "\n")
	return wrong(Origin{File, name, at.Line}, at.Column, "", hintError{errors.New(message), "is it YAML? text with : # [ ] { } or @ stands in quotes"})
}

// knownKeys maps the keys of settings to true, and those of levels above to
// false.
func knownKeys() map[string]bool {
	known := map[string]bool{}
	for _, s := range new(Config).settings() {
		known[s.key] = true
		if group, _, found := strings.Cut(s.key, "."); found {
			known[group] = false
		}
	}
	return known
}

// A yamlReader walks the nodes of a file.
type yamlReader struct {
	name  string
	known map[string]bool
	found []assignment
	errs  []error
}

func (r *yamlReader) at(t *token.Token) (Origin, int) {
	if t == nil || t.Position == nil {
		return Origin{File, r.name, 0}, 0
	}
	return Origin{File, r.name, t.Position.Line}, t.Position.Column
}

func (r *yamlReader) fail(t *token.Token, key string, err error) {
	origin, column := r.at(t)
	r.errs = append(r.errs, wrong(origin, column, key, err))
}

// mapping reads the keys below path, which is empty or ends in a dot.
func (r *yamlReader) mapping(path string, n ast.Node) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.fail(n.GetToken(), strings.TrimSuffix(path, "."), hintf("write: interfaces: [eth0]", "keys and values are expected, found %s", shape(n)))
		return
	}
	for _, pair := range m.Values {
		if _, plain := pair.Key.(*ast.StringNode); !plain || pair.Value == nil {
			r.fail(pair.Key.GetToken(), "", fmt.Errorf("%q cannot be a key here", pair.Key.GetToken().Value))
			continue
		}
		r.pair(path, pair)
	}
}

func (r *yamlReader) pair(path string, pair *ast.MappingValueNode) {
	name := pair.Key.(*ast.StringNode).Value
	key := path + name
	isSetting, known := r.known[key]
	switch {
	case !known || strings.Contains(name, "."):
		r.fail(pair.Key.GetToken(), "", r.unknown(path, name))
	case isSetting:
		r.setting(key, pair)
	default:
		r.mapping(key+".", pair.Value)
	}
}

// unknown is the error of a key that is not there.
func (r *yamlReader) unknown(path, name string) error {
	var here, all []string
	for key, isSetting := range r.known {
		rest, below := strings.CutPrefix(key, path)
		if below && !strings.Contains(rest, ".") {
			here = append(here, rest)
		}
		if isSetting {
			all = append(all, key)
		}
	}
	hint := ""
	if group, rest, dotted := strings.Cut(name, "."); dotted && r.known[path+name] {
		hint = fmt.Sprintf("write %q, and below it %q", group+":", rest+":")
	} else if near := nearest(name, here); near != "" {
		hint = fmt.Sprintf("did you mean %q?", path+near)
	} else if near := nearest(path+name, all); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else {
		for _, key := range all {
			if strings.HasSuffix(key, "."+name) {
				hint = fmt.Sprintf("did you mean %q?", key)
			}
		}
	}
	return hintError{fmt.Errorf("unknown key %q", path+name), hint}
}

func (r *yamlReader) setting(key string, pair *ast.MappingValueNode) {
	origin, column := r.at(pair.Key.GetToken())
	a := assignment{key: key, origin: origin, column: column}
	nodes := []ast.Node{pair.Value}
	if seq, ok := pair.Value.(*ast.SequenceNode); ok {
		nodes, a.isList = seq.Values, true
	}
	for _, n := range nodes {
		text, err := scalarText(n)
		if err != nil {
			r.fail(n.GetToken(), key, err)
			return
		}
		origin, column := r.at(n.GetToken())
		a.elements = append(a.elements, element{text, origin, column})
	}
	r.found = append(r.found, a)
}

// scalarText returns a scalar as it was written.
func scalarText(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return "", hintError{errors.New("no value"), "leave the key out for its default, or write \"\" for nothing"}
	}
	return "", fmt.Errorf("a value is expected, found %s", shape(n))
}

// shape names what stands in a file, for people.
func shape(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys below"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias, which are not for this file"
	case *ast.TagNode:
		return "a tag, which is not for this file"
	}
	return "a single value"
}

// isNtopng reports whether data is a file of ntopng's options: its first line
// that says something begins with a dash and a letter. In YAML that begins a
// list at best, and our files are none.
func isNtopng(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		rest, dash := strings.CutPrefix(line, "-")
		rest = strings.TrimPrefix(rest, "-")
		r, _ := utf8.DecodeRuneInString(rest)
		return dash && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '1' && r <= '9')
	}
	return false
}
