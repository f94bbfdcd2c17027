#define _GNU_SOURCE
#include "CWSLAY.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* What is used of wslay 1.1's interface, declared here so that no header of it is needed to build. */
typedef struct wslay_frame_context wslay_frame_context;
typedef struct {
  ssize_t (*send)(const uint8_t *, size_t, int, void *);
  ssize_t (*receive)(uint8_t *, size_t, int, void *);
  int (*generate_mask)(uint8_t *, size_t, void *);
} wslay_frame_callbacks;
typedef struct {
  uint8_t fin;
  uint8_t rsv;
  uint8_t opcode;
  uint64_t payload_length;
  uint8_t mask;
  const uint8_t *data;
  size_t data_length;
} wslay_frame_iocb;
enum { ERR_WANT_READ = -100 };

struct cwslay {
  int (*context_init)(wslay_frame_context **, const wslay_frame_callbacks *, void *);
  void (*context_free)(wslay_frame_context *);
  ssize_t (*frame_send)(wslay_frame_context *, wslay_frame_iocb *);
  ssize_t (*frame_recv)(wslay_frame_context *, wslay_frame_iocb *);
  wslay_frame_context *context;
  cwslay_receive receive;
  void *user;
  /* Where the frame that is being written goes. */
  uint8_t *out;
  size_t room, written;
};

static ssize_t store(const uint8_t *bytes, size_t count, int flags, void *user) {
  (void)flags;
  cwslay *frames = user;
  if (count > frames->room - frames->written) count = frames->room - frames->written;
  if (count == 0) return -1;
  memcpy(frames->out + frames->written, bytes, count);
  frames->written += count;
  return (ssize_t)count;
}

static ssize_t fetch(uint8_t *buffer, size_t capacity, int flags, void *user) {
  (void)flags;
  cwslay *frames = user;
  ssize_t count = frames->receive(frames->user, buffer, capacity);
  return count > 0 ? count : -1;
}

static int generate_mask(uint8_t *buffer, size_t count, void *user) {
  (void)user;
  return getrandom(buffer, count, 0) == (ssize_t)count ? 0 : -1;
}

cwslay *cwslay_create(cwslay_receive receive, void *user) {
  void *library = dlopen("libwslay.so.1", RTLD_NOW | RTLD_LOCAL);
  cwslay *frames = library ? calloc(1, sizeof *frames) : NULL;
  if (!frames) return NULL;
  *(void **)&frames->context_init = dlsym(library, "wslay_frame_context_init");
  *(void **)&frames->context_free = dlsym(library, "wslay_frame_context_free");
  *(void **)&frames->frame_send = dlsym(library, "wslay_frame_send");
  *(void **)&frames->frame_recv = dlsym(library, "wslay_frame_recv");
  frames->receive = receive;
  frames->user = user;
  if (frames->context_init && frames->context_free && frames->frame_send && frames->frame_recv &&
      cwslay_reset(frames))
    return frames;
  free(frames);
  return NULL;
}

void cwslay_free(cwslay *frames) {
  if (!frames) return;
  if (frames->context) frames->context_free(frames->context);
  free(frames);
}

int cwslay_reset(cwslay *frames) {
  wslay_frame_callbacks callbacks = {store, fetch, generate_mask};
  if (frames->context) frames->context_free(frames->context);
  frames->context = NULL;
  return frames->context_init(&frames->context, &callbacks, frames) == 0;
}

size_t cwslay_write(cwslay *frames, int opcode, const uint8_t *payload, size_t count, uint8_t *buffer,
                    size_t capacity) {
  frames->out = buffer;
  frames->room = capacity;
  frames->written = 0;
  wslay_frame_iocb frame = {
      .fin = 1, .opcode = (uint8_t)opcode, .mask = 1, .payload_length = count, .data = payload, .data_length = count};
  ssize_t sent = frames->frame_send(frames->context, &frame);
  return sent == (ssize_t)count ? frames->written : 0;
}

int cwslay_read(cwslay *frames, cwslay_piece *piece) {
  wslay_frame_iocb frame;
  memset(&frame, 0, sizeof frame);
  ssize_t count = frames->frame_recv(frames->context, &frame);
  if (count == ERR_WANT_READ) return 0;
  /* A server masks nothing and uses no extension that was not asked for (RFC 6455, 5.1 and 5.2). */
  if (count < 0 || frame.mask || frame.rsv) return -1;
  *piece = (cwslay_piece){frame.opcode, frame.fin, frame.payload_length, frame.data, frame.data_length};
  return 1;
}
