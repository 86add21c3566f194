//go:build ndpi

#include "shim.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <ndpi_api.h>

// What differs between the releases. Signatures that changed between two
// releases are told from their type, so that a library built from its
// repository works, too.
//
//   4.2   init(preferences), giveup(.., guess, &guessed), process(5 arguments)
//   4.6   process takes what the caller knows of the flow
//   4.10  init(global context), giveup(.., &guessed), configuration by name; JA4
//   4.12  ndpi_protocol.proto holds the two numbers
//   5.0   giveup(module, flow), protocols are on by default, ndpi_protocol.state
#define RELEASE (NDPI_MAJOR * 100 + NDPI_MINOR)

#if RELEASE < 402
#error "nDPI 4.2 or later is needed"
#endif
#if RELEASE >= 600
#error "nDPI 6 wants to be told under which licence it is used: not supported"
#endif

#if RELEASE >= 412
#define NUMBERS(p) ((p).proto)
#else
#define NUMBERS(p) (p)
#endif

typedef struct ndpi_detection_module_struct module;
typedef struct ndpi_flow_struct conversation;

typedef ndpi_protocol (*giveup_guess)(module *, conversation *, u_int8_t, u_int8_t *);
typedef ndpi_protocol (*giveup_guessed)(module *, conversation *, u_int8_t *);
typedef ndpi_protocol (*giveup_plain)(module *, conversation *);

static ndpi_protocol with_guess(void (*f)(void), module *m, conversation *c, u_int8_t *guessed) {
  return ((giveup_guess)f)(m, c, 1, guessed);
}

static ndpi_protocol with_guessed(void (*f)(void), module *m, conversation *c, u_int8_t *guessed) {
  return ((giveup_guessed)f)(m, c, guessed);
}

static ndpi_protocol plain(void (*f)(void), module *m, conversation *c, u_int8_t *guessed) {
  (void)guessed;
  return ((giveup_plain)f)(m, c);
}

static ndpi_protocol give_up(module *m, conversation *c, u_int8_t *guessed) {
  return _Generic(&ndpi_detection_giveup,
                  giveup_guess: with_guess,
                  giveup_guessed: with_guessed,
                  giveup_plain: plain)((void (*)(void))ndpi_detection_giveup, m, c, guessed);
}

static bool run(void (*f)(void), module *m) {
  ((void (*)(module *))f)(m);
  return true;
}

static bool run_checked(void (*f)(void), module *m) {
  return ((int (*)(module *))f)(m) == 0;
}

static bool finalize(module *m) {
  return _Generic(&ndpi_finalize_initialization,
                  void (*)(module *): run,
                  int (*)(module *): run_checked)((void (*)(void))ndpi_finalize_initialization, m);
}

static ndpi_protocol process(module *m, conversation *c, const uint8_t *ip, uint16_t length, uint64_t ms) {
#if RELEASE >= 406
  return ndpi_detection_process_packet(m, c, ip, length, ms, NULL);
#else
  return ndpi_detection_process_packet(m, c, ip, length, ms);
#endif
}

// is_enough reports whether further packets would change nothing.
static bool is_enough(module *m, conversation *c, const ndpi_protocol *p) {
#if RELEASE >= 500
  (void)m;
  return p->state == NDPI_STATE_MONITORING || (p->state == NDPI_STATE_CLASSIFIED && c->extra_packets_func == NULL);
#else
  return NUMBERS(*p).app_protocol != NDPI_PROTOCOL_UNKNOWN && !ndpi_extra_dissection_possible(m, c);
#endif
}

// PACKET_MAX is the longest IPv4 packet; lengths are 16 bits in the library.
// Dissectors that read past the end of a packet find PADDING zero bytes.
#define PACKET_MAX 65535
#define PADDING 256

struct engine {
  module *module;
  conversation **flows; // flow n is flows[n-1]
  uint32_t *spare;      // numbers of flows that are free
  uint32_t made, spares, room, max;
  conversation *guess; // the flow of shim_guess, empty between its calls
  struct verdict verdict;
  // The module keeps pointers into the packet it saw last: it must be ours.
  uint8_t packet[PACKET_MAX + PADDING];
};

static conversation *new_conversation(void) {
  conversation *c = ndpi_flow_malloc(sizeof *c);
  if (c != NULL) memset(c, 0, sizeof *c);
  return c;
}

enum open_result shim_open(struct engine **out, const char *protocols, uint32_t max_flows) {
  if (ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(conversation)) return OPEN_OTHER_LIBRARY;
  struct engine *e = calloc(1, sizeof *e);
  if (e == NULL) return OPEN_NO_MEMORY;
  e->max = max_flows;
  e->guess = new_conversation();
  e->module = ndpi_init_detection_module(0); // no preferences, or no global context
  if (e->module == NULL || e->guess == NULL) {
    shim_close(e);
    return OPEN_NO_MEMORY;
  }
#if RELEASE < 500
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  ndpi_set_protocol_detection_bitmask2(e->module, &all);
#endif
  if (protocols != NULL && ndpi_load_protocols_file(e->module, protocols) < 0) {
    shim_close(e);
    return OPEN_BAD_PROTOCOLS;
  }
  if (!finalize(e->module)) {
    shim_close(e);
    return OPEN_NOT_FINAL;
  }
  *out = e;
  return OPEN_OK;
}

void shim_close(struct engine *e) {
  if (e == NULL) return;
  for (uint32_t i = 0; i < e->made; i++) ndpi_free_flow(e->flows[i]);
  if (e->guess != NULL) ndpi_free_flow(e->guess);
  if (e->module != NULL) ndpi_exit_detection_module(e->module);
  free(e->flows);
  free(e->spare);
  free(e);
}

// grow makes room for twice as many flows.
static bool grow(struct engine *e) {
  uint32_t room = e->room == 0 ? 64 : e->room * 2;
  if (room > e->max) room = e->max;
  conversation **flows = realloc(e->flows, room * sizeof *flows);
  if (flows == NULL) return false;
  e->flows = flows;
  uint32_t *spare = realloc(e->spare, room * sizeof *spare);
  if (spare == NULL) return false;
  e->spare = spare;
  e->room = room;
  return true;
}

// take returns the number of an empty flow, 0 if there is none.
static uint32_t take(struct engine *e) {
  if (e->spares > 0) return e->spare[--e->spares];
  if (e->made == e->max || (e->made == e->room && !grow(e))) return 0;
  conversation *c = new_conversation();
  if (c == NULL) return 0;
  e->flows[e->made++] = c;
  return e->made;
}

// empty ends what a flow remembers.
static void empty(conversation *c) {
  ndpi_free_flow_data(c);
  memset(c, 0, sizeof *c);
}

// show shows a packet, and reports whether enough was seen.
static bool show(struct engine *e, conversation *c, const uint8_t *ip, uint32_t length, uint64_t ms) {
  if (length > PACKET_MAX) length = PACKET_MAX;
  memcpy(e->packet, ip, length);
  memset(e->packet + length, 0, PADDING);
  ndpi_protocol p = process(e->module, c, e->packet, (uint16_t)length, ms);
  return is_enough(e->module, c, &p);
}

uint64_t shim_packet(struct engine *e, uint32_t flow, const uint8_t *ip, uint32_t length, uint64_t ms) {
  if (flow == 0) flow = take(e);
  if (flow == 0) return 0;
  return (uint64_t)flow << 1 | show(e, e->flows[flow - 1], ip, length, ms);
}

// copy takes what is in a field of the library, which need not end.
static uint8_t copy(char *to, size_t room, const char *from, size_t from_size) {
  size_t n = strnlen(from, from_size);
  if (n > room) n = room;
  memcpy(to, from, n);
  return (uint8_t)n;
}

#define COPY(to, from) copy(to, sizeof(to), from, sizeof(from))

static bool speaks(const conversation *c, uint16_t id) {
  return c->detected_protocol_stack[0] == id || c->detected_protocol_stack[1] == id;
}

// tell writes down what the conversation said of itself. The fields for TLS and
// SSH share their place with those of other protocols: they are read only if
// the library saw the protocol, and no pointer among them is followed.
static void tell(const conversation *c, struct verdict *v, bool server_first) {
  v->info_length = COPY(v->info, c->host_server_name);
  bool tls = speaks(c, NDPI_PROTOCOL_TLS) || speaks(c, NDPI_PROTOCOL_DTLS), quic = speaks(c, NDPI_PROTOCOL_QUIC);
  if (tls || quic) {
    // The client's hello says 1.2 whatever it means.
    if (quic || c->protos.tls_quic.server_cipher != 0) v->tls_version = c->protos.tls_quic.ssl_version;
#if RELEASE >= 410
    v->ja4_length = COPY(v->ja4, c->protos.tls_quic.ja4_client);
#endif
  } else if (speaks(c, NDPI_PROTOCOL_SSH)) {
    // Without a SYN, the library takes the side that speaks first for the client.
    v->software_length = server_first ? COPY(v->software, c->protos.ssh.client_signature)
                                      : COPY(v->software, c->protos.ssh.server_signature);
  }
#if RELEASE >= 408
  else if (c->http.server != NULL) {
    v->software_length = copy(v->software, sizeof v->software, c->http.server, sizeof v->software);
  }
#endif
}

static bool is_guess(const conversation *c) {
  return c->confidence == NDPI_CONFIDENCE_MATCH_BY_PORT || c->confidence == NDPI_CONFIDENCE_MATCH_BY_IP;
}

// judge writes down what the library makes of a conversation.
static void judge(module *m, conversation *c, struct verdict *v) {
  u_int8_t guessed = 0;
  v->app = c->detected_protocol_stack[0];
  v->master = c->detected_protocol_stack[1];
  if (v->app == NDPI_PROTOCOL_UNKNOWN) {
    ndpi_protocol p = give_up(m, c, &guessed);
    v->app = NUMBERS(p).app_protocol;
    v->master = NUMBERS(p).master_protocol;
  }
  v->guessed = v->app != NDPI_PROTOCOL_UNKNOWN && (guessed || is_guess(c));
}

const struct verdict *shim_verdict(struct engine *e, uint32_t flow, int server_first) {
  conversation *c = e->flows[flow - 1];
  struct verdict *v = &e->verdict;
  memset(v, 0, sizeof *v);
  judge(e->module, c, v);
  if (!v->guessed) tell(c, v, server_first);
  empty(c);
  e->spare[e->spares++] = flow;
  return v;
}

const struct verdict *shim_guess(struct engine *e, const uint8_t *ip, uint32_t length) {
  memset(&e->verdict, 0, sizeof e->verdict);
  show(e, e->guess, ip, length, 0);
  judge(e->module, e->guess, &e->verdict);
  empty(e->guess);
  return &e->verdict;
}

const char *shim_name(struct engine *e, uint32_t id) {
  return id < shim_protocols(e) ? ndpi_get_proto_name(e->module, (uint16_t)id) : NULL;
}

uint32_t shim_protocols(struct engine *e) {
#if RELEASE >= 500
  return ndpi_get_num_protocols(e->module);
#else
  return ndpi_get_num_supported_protocols(e->module);
#endif
}

const char *shim_version(void) { return ndpi_revision(); }
