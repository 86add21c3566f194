//go:build !linux

package ring

import "context"

// Interfaces returns an error.
func Interfaces() ([]Interface, error) { return nil, &Error{Err: ErrSystem} }

// DefaultInterface returns an error.
func DefaultInterface() (string, error) { return "", &Error{Err: ErrSystem} }

func look(_ context.Context, name string) (Sight, error) {
	return Sight{}, &Error{Interface: name, Err: ErrSystem}
}
