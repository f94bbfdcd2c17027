/* WebSocket frames by libwslay, which is loaded when a WebSocket server is configured and not before. */
#ifndef CWSLAY_H
#define CWSLAY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct cwslay cwslay;

/* Reads at most `capacity` bytes of the stream below; 0 or less: none now. */
typedef ssize_t (*cwslay_receive)(void *user, uint8_t *buffer, size_t capacity);

/* NULL: the library is not here, or out of memory. */
cwslay *cwslay_create(cwslay_receive receive, void *user);
/* NULL: nothing to do. */
void cwslay_free(cwslay *frames);
/* A new connection: what was read of the old one is forgotten. 0: out of memory. */
int cwslay_reset(cwslay *frames);

typedef enum {
  CWSLAY_CONTINUATION = 0, CWSLAY_TEXT = 1, CWSLAY_BINARY = 2, CWSLAY_CLOSE = 8, CWSLAY_PING = 9, CWSLAY_PONG = 10
} CWSLAY_OPCODE;

/* Writes one masked frame with that payload; answers its length. `capacity` is at least `count` + 14. */
size_t cwslay_write(cwslay *frames, int opcode, const uint8_t *payload, size_t count, uint8_t *buffer, size_t capacity);

/* A piece of a frame's payload. `data` lives until the next call. */
typedef struct {
  int opcode;
  int is_final;
  uint64_t payload_length;
  const uint8_t *data;
  size_t count;
} cwslay_piece;
/* 1: a piece; 0: more has to come; -1: the server breaks the protocol. */
int cwslay_read(cwslay *frames, cwslay_piece *piece);

#endif
