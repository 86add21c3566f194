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
	Caption []string // lines below the title: time window, what was folded
	W, H    float64
	Boxes   []Box // containers before what stands in them
	Links   []Link
	Legend  Legend
	Made    string // "Portolan 0.1.0"; "" = not said
}

// A Box is a container or a host.
type Box struct {
	ID        string // [a-z0-9-]+, unique on the page, the same for the same host in every drawing
	Parent    string // the container it stands in, "" = the page
	Rect      Rect
	Container bool
	Shape     Shape
	Title     string // the host's name or address, the network
	Sub       string // second line: the address, "12 hosts"
	Family    Family // colour
	Ports     []Port // service chips inside the box, placed; links end at them
	Data      []Datum
}

// A Port is a service chip in its server's box.
type Port struct {
	ID     string // unique on the page
	Rect   Rect
	Text   string // "443 https"
	Family Family
}

// A Link is one line: everything that one client box uses of one server box.
type Link struct {
	ID       string
	From, To string  // boxes; the arrow points to To, the server
	Points   []Point // from the border of From to the border of To, orthogonal
	Width    float64
	Family   Family
	Dashed   bool // direction inferred, not seen
	Layer    Layer
	Label    Label
	Data     []Datum
}

// A Label is the text on a link: server ports with service names.
type Label struct {
	Text string
	Rect Rect // overlaps no other label and no box
}

// A Datum is one fact behind a shape, shown as a tooltip and kept as data by formats that can.
type Datum struct{ Key, Value string }

type Point struct{ X, Y float64 }

// A Rect is a rectangle by its upper left corner and size.
type Rect struct{ X, Y, W, H float64 }

// A Shape is how a box looks.
type Shape uint8

const (
	RoundedBox Shape = iota
	Circle           // a virtual machine
	Square           // a physical machine
	StackBox         // several hosts
	Cloud            // the Internet
)

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

// A LegendLine is one entry: a family's colour, and the ports of it on the page.
type LegendLine struct {
	Family Family
	Text   string
}
