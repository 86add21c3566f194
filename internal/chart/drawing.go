// Package chart lays a graph out: one geometry that every format and the web
// map draw. Layout is pure and deterministic: the same graph gives the same
// drawing.
package chart

// A Drawing is a laid-out picture. Lengths are CSS pixels; x grows to the
// right, y down; all coordinates are absolute on their page.
type Drawing struct {
	Pages []Page
}

// A Page is one sheet.
type Page struct {
	ID      string // [a-z0-9-]+, unique in the drawing
	Title   string
	TitleAt Rect
	Caption []string // lines below the title: time window, what was folded
	// CaptionAt holds the place of each line of Caption.
	CaptionAt []Rect
	W, H      float64
	Boxes     []Box // containers before what stands in them
	Links     []Link
	Legend    Legend
	Made      string // "made with Portolan 0.1.0"; "" = not said
	MadeAt    Rect
}

// A Box is a container or a host.
type Box struct {
	ID        string // [a-z0-9-]+, unique on the page, the same for the same host in every drawing
	Parent    string // the container it stands in, "" = the page
	Rect      Rect
	Container bool
	Shape     Shape
	Title     string // the host's name or address, the network
	TitleAt   Rect   // where Title stands, inside Rect
	Sub       string // second line: the address, "12 hosts"
	SubAt     Rect
	Family    Family // of what the host serves most, Neutral for one that only asks
	Ports     []Port // service chips inside the box, placed
	Data      []Datum
}

// A Port is a service chip in its server's box.
type Port struct {
	ID     string // unique on the page
	Rect   Rect
	Text   string // "443"
	Family Family
}

// A Link is one line: everything that one client box uses of one server box.
type Link struct {
	ID       string
	From, To string  // boxes; the arrow points to To, the server
	Points   []Point // from the border of From to the border of To, orthogonal
	Width    float64 // 1 to 6, by the logarithm of the bytes
	Family   Family
	Dashed   bool // direction inferred, not seen
	Layer    Layer
	Label    Label
	Data     []Datum
}

// A Label is the text on a link: server ports with service names.
type Label struct {
	Text string
	Rect Rect // on a horizontal run of its link; overlaps no other label and no box
}

// A Datum is one fact behind a shape, shown as a tooltip and kept as data by formats that can.
type Datum struct{ Key, Value string }

// A Point is a place on a page.
type Point struct{ X, Y float64 }

// A Rect is a rectangle by its upper left corner and size.
type Rect struct{ X, Y, W, H float64 }

// Overlaps reports whether r and o share an area; touching is not overlapping.
func (r Rect) Overlaps(o Rect) bool {
	return r.X < o.X+o.W && o.X < r.X+r.W && r.Y < o.Y+o.H && o.Y < r.Y+r.H
}

// Contains reports whether o lies within r, borders included.
func (r Rect) Contains(o Rect) bool {
	return r.X <= o.X && o.X+o.W <= r.X+r.W && r.Y <= o.Y && o.Y+o.H <= r.Y+r.H
}

// A Shape is how a box looks.
type Shape uint8

const (
	RoundedBox Shape = iota
	Circle           // a virtual machine: round ends
	Square           // a physical machine: sharp corners
	StackBox         // several hosts
	Cloud            // the Internet: dashed border
)

// Radius returns the radius of the corners of a host's box, in pixels.
func (s Shape) Radius() float64 {
	switch s {
	case Circle:
		return 14
	case Square:
		return 0
	}
	return 6
}

// A Family is a family of services: the one thing that colour means.
type Family uint8

const (
	Other Family = iota
	Web
	Database
	File
	Messaging // caches and queues
	Mail
	Admin
	Core // DNS, NTP, directory, monitoring
	Neutral
)

// A Layer groups links that are shown or hidden together.
type Layer uint8

const (
	Flows          Layer = iota
	Infrastructure       // DNS, NTP, directory, monitoring
)

// A Legend explains colours, shapes and widths.
type Legend struct {
	Rect  Rect
	Lines []LegendLine
}

// A Mark is the sample that a legend line shows.
type Mark uint8

const (
	FamilyMark Mark = iota // a short line in the family's colour
	WidthMark              // a line of LegendLine.Width
	DashMark               // a dashed line
	ShapeMark              // a small box of LegendLine.Shape
)

// A LegendLine is one entry: a sample, and what it means.
type LegendLine struct {
	Mark   Mark
	Family Family
	Shape  Shape
	Width  float64
	MarkAt Rect
	Text   string
	TextAt Rect
}
