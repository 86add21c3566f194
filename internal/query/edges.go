package query

// OnEdges reports whether e looks at nothing but what tells edges apart, so that
// sums of edges over hours and days answer it as well as records do.
func OnEdges(e Expr) bool {
	switch e := e.(type) {
	case nil:
		return true
	case And:
		return OnEdges(e.L) && OnEdges(e.R)
	case Or:
		return OnEdges(e.L) && OnEdges(e.R)
	case Not:
		return OnEdges(e.X)
	case Ports:
		return e.Side == OfServer
	case Net, FamilyIs, ProtoIs, AppIs, VLANIs, ObserverIs:
		return true
	}
	return false
}
