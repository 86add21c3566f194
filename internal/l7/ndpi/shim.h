// The part of libndpi that the binding uses, the same for every release of the
// library. An engine belongs to one thread at a time.
#ifndef PORTOLAN_NDPI_SHIM_H
#define PORTOLAN_NDPI_SHIM_H

#include <stdint.h>

struct engine;

enum open_result {
  OPEN_OK,
  OPEN_OTHER_LIBRARY, // the library is not the one of the header
  OPEN_NO_MEMORY,
  OPEN_BAD_PROTOCOLS, // the protocols file was not accepted
  OPEN_NOT_FINAL,     // the library refused to start
};

// Room for what a conversation says of itself, without a final zero byte.
#define INFO_MAX 255
#define JA4_MAX 63
#define SOFTWARE_MAX 127

struct verdict {
  uint16_t master, app; // the library's numbers, as it gives them
  uint16_t tls_version; // 0 = the server's hello was not seen
  uint8_t guessed;      // from ports or addresses alone
  uint8_t info_length, ja4_length, software_length;
  char info[INFO_MAX], ja4[JA4_MAX], software[SOFTWARE_MAX];
};

// shim_open makes a detection module. protocols is the path of a file with
// protocols of one's own, or NULL. At most max_flows conversations are open at
// a time. No two calls may run at once, nor with shim_close.
enum open_result shim_open(struct engine **out, const char *protocols, uint32_t max_flows);
void shim_close(struct engine *e);

// shim_packet shows a packet, from its IP header on, of conversation flow; 0
// begins a new one. It copies the packet. It returns the conversation's number
// times two, plus one if enough was seen; 0 if there is no room for one more.
uint64_t shim_packet(struct engine *e, uint32_t flow, const uint8_t *ip, uint32_t length, uint64_t ms);

// shim_verdict ends conversation flow. server_first says that the first packet
// shown came from the server. The result is valid until the next call.
const struct verdict *shim_verdict(struct engine *e, uint32_t flow, int server_first);

// shim_guess guesses the application of a conversation that never carried
// payload, from a packet between its two ends. It fills in the two numbers and
// guessed alone. The result is valid until the next call.
const struct verdict *shim_guess(struct engine *e, const uint8_t *ip, uint32_t length);

// shim_name returns the name of protocol id, NULL if there is none. Numbers are
// below shim_protocols.
const char *shim_name(struct engine *e, uint32_t id);
uint32_t shim_protocols(struct engine *e);

const char *shim_version(void);

#endif
