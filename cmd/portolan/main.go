// Portolan charts a network: hosts, their server ports, and who talks to whom.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/portolan/portolan/internal/cli"
)

// Stamped by the Makefile; "go install" leaves them to the build information.
var version, date string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], cli.System(version, date)))
}
