/* TLS 1.2 and later by OpenSSL 3, which is loaded when a TLS server is configured and not before: a device
   that needs none pays neither memory nor a dependency. */
#ifndef CTLS_H
#define CTLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What to trust and who we are. Strings may be NULL and are copied. */
typedef struct {
  const char *ca_file;
  const char *ca_directory;
  const char *certificate;
  const char *key;
  /* NULL: not offered. */
  const char *alpn;
  /* SHA-256 of the server's public key (SubjectPublicKeyInfo, DER), 32 bytes, or NULL. With a pin and
     neither file nor directory the pin alone decides. */
  const uint8_t *pin;
  /* Accepts whatever certificate comes. */
  int insecure;
} ctls_settings;

typedef struct ctls_context ctls_context;
typedef struct ctls_connection ctls_connection;

/* NULL, and words in `reason`, when the library or a file cannot be used. */
ctls_context *ctls_context_create(const ctls_settings *settings, char *reason, size_t capacity);

/* A connection on a non-blocking socket that is connected already. `host` is what the certificate must be
   made for. The session of an earlier connection is offered. NULL: out of memory. */
ctls_connection *ctls_connect(ctls_context *context, int fd, const char *host);
void ctls_free(ctls_connection *connection);

enum { CTLS_DONE = 0, CTLS_WANTS_READ = -1, CTLS_WANTS_WRITE = -2, CTLS_CLOSED = -3, CTLS_FAILED = -4 };
int ctls_handshake(ctls_connection *connection);
/* Bytes, or one of the above. After CTLS_FAILED `ctls_reason` says why. */
ssize_t ctls_read(ctls_connection *connection, void *buffer, size_t count);
ssize_t ctls_write(ctls_connection *connection, const void *bytes, size_t count);
/* Says that nothing more will be written; does not wait. */
void ctls_finish(ctls_connection *connection);
/* Whether bytes have been decrypted and wait in memory, where no poll sees them. */
int ctls_has_input(const ctls_connection *connection);
/* Whether the handshake was shortened by an earlier session. */
int ctls_is_resumed(const ctls_connection *connection);
const char *ctls_reason(ctls_connection *connection);

#endif
