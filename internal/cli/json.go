package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// stamp prints ns since 1970 as RFC 3339 in UTC.
func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// printJSON prints v on one line, without HTML escapes.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// jsonText is v as printJSON prints it, without the newline. Values that JSON
// has no form for, such as big numbers of SQL, become text.
func jsonText(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := printJSON(&b, v); err != nil {
		b.Reset()
		if err := printJSON(&b, fmt.Sprint(v)); err != nil {
			return nil, err
		}
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
