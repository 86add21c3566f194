package config

import "strconv"

// A Layer is a kind of place that settings come from; a later one wins.
type Layer uint8

// The layers.
const (
	Default Layer = iota
	File
	Environment
	Flag
)

// An Origin is where a value came from. The zero Origin is the default.
type Origin struct {
	Layer Layer
	Name  string // of the file, the variable, or the flag with its dashes
	Line  int    // in the file, from 1
}

func (o Origin) String() string {
	switch o.Layer {
	case File:
		return "file " + o.Name + ":" + strconv.Itoa(o.Line)
	case Environment:
		return "environment " + o.Name
	case Flag:
		return "flag " + o.Name
	case Default:
	}
	return "default"
}

// A Note says what came of a setting that could not be taken as it is.
type Note struct {
	Origin Origin
	Option string // as ntopng calls it; empty for other settings
	Text   string
}

func (n Note) String() string {
	where := n.Origin.String()
	if n.Origin.Layer == File {
		where = n.Origin.Name + ":" + strconv.Itoa(n.Origin.Line)
	}
	if n.Option != "" && n.Origin.Layer == File {
		where += ": " + n.Option
	}
	return where + ": " + n.Text
}
