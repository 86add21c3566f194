// Package conformance compares what the readers and the decoder find in public
// captures with what others find in them.
package conformance
