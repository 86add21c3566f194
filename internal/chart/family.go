package chart

import (
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
)

// A Style is how one family looks on a light page: #rrggbb.
type Style struct{ Line, Fill string }

// styles holds the colours of every family. They were chosen to stay apart for
// people who do not tell red from green; Fill is 9 % of Line on white.
var styles = [...]Style{
	Other:     {"#3f6b1f", "#eef2eb"},
	Web:       {"#1f63d6", "#ebf1fb"},
	Database:  {"#7a45c4", "#f3eefa"},
	File:      {"#925200", "#f6f0e8"},
	Messaging: {"#0b7a6b", "#e9f3f2"},
	Mail:      {"#b8326f", "#f9edf2"},
	Admin:     {"#c0341d", "#f9edeb"},
	Core:      {"#5c6879", "#f0f2f4"},
	Neutral:   {"#4a5568", "#ffffff"},
}

// Style returns the colours of f.
func (f Family) Style() Style {
	if int(f) >= len(styles) {
		f = Other
	}
	return styles[f]
}

var familyNames = [...]string{
	Other: "Other", Web: "Web", Database: "Database", File: "File and backup",
	Messaging: "Cache and queue", Mail: "Mail", Admin: "Remote admin", Core: "Core services", Neutral: "",
}

// String returns the family's name for a legend.
func (f Family) String() string {
	if int(f) >= len(familyNames) {
		return familyNames[Other]
	}
	return familyNames[f]
}

// FamilyOf returns the family of a service.
func FamilyOf(proto flow.Proto, port uint16, app flow.App) Family {
	return Family(l7.FamilyOf(proto, port, app))
}
