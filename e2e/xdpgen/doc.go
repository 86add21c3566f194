// Package xdpgen sends frames faster than sockets can, to load a capture. The
// kernel makes them itself: it runs an XDP program again and again over one
// frame and takes each result for a frame that has arrived
// (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18).
package xdpgen
