/* TLS 1.2 and later by OpenSSL 3, which is loaded when a TLS server is configured and not before: a device
   that needs none pays neither memory nor a dependency. */
#ifndef CTLS_H
#define CTLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct ctls_context ctls_context;
typedef struct ctls_connection ctls_connection;

/* Whom to trust and who we are: texts, copied. */
typedef enum {
  /* PEM files, or a directory of them; neither: the system's authorities. */
  CTLS_CA_FILE,
  CTLS_CA_DIRECTORY,
  CTLS_CERTIFICATE,
  /* Not given: the certificate's file has it. */
  CTLS_KEY,
  /* Of an encrypted key. Nobody is ever asked for it. */
  CTLS_KEY_PASSWORD,
  /* The protocol to be offered. */
  CTLS_ALPN,
  CTLS_TEXTS
} ctls_text;

/* NULL: out of memory. Settings first, then `ctls_context_open`. */
ctls_context *ctls_context_create(void);
/* After its connections. NULL: nothing to do. */
void ctls_context_free(ctls_context *context);
void ctls_set_text(ctls_context *context, ctls_text which, const char *text);
/* SHA-256 of the server's public key (SubjectPublicKeyInfo, DER), 32 bytes. With a pin and neither file nor
   directory the pin alone decides. */
void ctls_set_pin(ctls_context *context, const uint8_t *digest);
/* Accepts whatever certificate comes. */
void ctls_set_insecure(ctls_context *context);
/* NULL, or why the library or a file cannot be used; it may be tried again. Waits for the disk. */
const char *ctls_context_open(ctls_context *context);
/* What of the settings has turned out to have no effect, said once; NULL: nothing. */
const char *ctls_warning(ctls_context *context);
/* What keeps CTLS_CA_FILE (or the directory), CTLS_CERTIFICATE or CTLS_KEY from being used, asked for in this order;
   NULL: nothing. `is_absent`: it may be there on another machine. Such a context is for this only. */
const char *ctls_trouble(ctls_context *context, ctls_text which, int *is_absent);

/* A connection on a non-blocking socket that is connected already, and stays the caller's to close. `host` is what the
   certificate must be made for. The session of an earlier connection is offered. NULL: no memory or no file left. */
ctls_connection *ctls_connect(ctls_context *context, int fd, const char *host);
void ctls_free(ctls_connection *connection);

enum { CTLS_DONE = 0, CTLS_WANTS_READ = -1, CTLS_WANTS_WRITE = -2, CTLS_CLOSED = -3, CTLS_FAILED = -4 };
/* Computes for a while and reads the authorities' directory, so it is for a thread that may wait. */
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
