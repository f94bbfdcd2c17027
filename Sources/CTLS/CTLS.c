#define _GNU_SOURCE
#include "Library.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ctls_connection {
  ctls_context *context;
  SSL *ssl;
  /* The socket, under a number of our own. */
  int file;
  int is_established;
  /* What the certificate has to be made for, where that is an address: empty otherwise. */
  char address[INET6_ADDRSTRLEN];
  char reason[CTLS_REASON];
};

static int load(ctls_context *context) {
  if (context->is_loaded) return 1;
  /* libssl brings libcrypto with it; a symbol of either is found through it. */
  void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) return 0;
#define LOOK_UP(result, name, arguments)                                                               \
  *(void **)&context->name = dlsym(library, #name);                                                    \
  if (!context->name) return 0;
  LIBRARY(LOOK_UP)
#undef LOOK_UP
  context->is_loaded = 1;
  return 1;
}

static void offer_protocol(ctls_context *context, const char *name) {
  unsigned char list[256];
  size_t length = strlen(name);
  if (length == 0 || length > 254) return;
  list[0] = (unsigned char)length;
  memcpy(list + 1, name, length);
  context->SSL_CTX_set_alpn_protos(context->context, list, (unsigned)length + 1);
}

static int set_up(ctls_context *context) {
  if (!load(context)) {
    /* Another machine may have it. */
    context->is_absent = 1;
    ctls_say(context->reason, "TLS needs OpenSSL 3, which is not here: sudo apt install openssl");
    return 0;
  }
  if (context->context) return 1;
  SSL_CTX *ssl = context->context = context->SSL_CTX_new(context->TLS_client_method());
  if (!ssl) {
    ctls_say(context->reason, "OpenSSL cannot be used: are its settings right (openssl.cnf)?");
    context->ERR_clear_error();
    return 0;
  }
  context->SSL_CTX_ctrl(ssl, CTRL_MIN_VERSION, TLS_1_2, NULL);
  /* What is written lies in a queue that moves between two attempts. */
  context->SSL_CTX_ctrl(ssl, CTRL_MODE, MODE_PARTIAL_WRITE | MODE_MOVING_BUFFER | MODE_RELEASE_BUFFERS, NULL);
  context->SSL_CTX_ctrl(ssl, CTRL_SESSION_CACHE, CACHE_CLIENT | CACHE_NO_INTERNAL, NULL);
  context->SSL_CTX_set_options(ssl, OPTION_IGNORE_UNEXPECTED_EOF | OPTION_NO_RENEGOTIATION);
  if (context->texts[CTLS_ALPN]) offer_protocol(context, context->texts[CTLS_ALPN]);
  int pin_alone = context->has_pin && !context->texts[CTLS_CA_FILE] && !context->texts[CTLS_CA_DIRECTORY];
  context->SSL_CTX_set_verify(ssl, context->is_insecure || pin_alone ? VERIFY_NONE : VERIFY_PEER, NULL);
  return 1;
}

ctls_context *ctls_context_create(void) { return calloc(1, sizeof(ctls_context)); }

void ctls_context_free(ctls_context *context) {
  if (!context) return;
  if (context->session) context->SSL_SESSION_free(context->session);
  if (context->context) context->SSL_CTX_free(context->context);
  char *password = context->texts[CTLS_KEY_PASSWORD];
  if (password) explicit_bzero(password, strlen(password));
  for (int which = 0; which < CTLS_TEXTS; which++) free(context->texts[which]);
  free(context);
}

void ctls_set_text(ctls_context *context, ctls_text which, const char *text) {
  free(context->texts[which]);
  context->texts[which] = strdup(text);
}

void ctls_set_pin(ctls_context *context, const uint8_t *digest) {
  memcpy(context->pin, digest, sizeof context->pin);
  context->has_pin = 1;
}

void ctls_set_insecure(ctls_context *context) { context->is_insecure = 1; }

const char *ctls_context_open(ctls_context *context) {
  if (context->context) return NULL;
  if (set_up(context) && ctls_use_authorities(context) && ctls_use_certificate(context) && ctls_use_key(context))
    return NULL;
  if (context->context) context->SSL_CTX_free(context->context);
  context->context = NULL;
  return context->reason;
}

const char *ctls_trouble(ctls_context *context, ctls_text which, int *is_absent) {
  context->is_check = 1;
  context->is_absent = 0;
  int is_good = set_up(context);
  if (is_good && (which == CTLS_CA_FILE || which == CTLS_CA_DIRECTORY)) is_good = ctls_use_authorities(context);
  if (is_good && which == CTLS_KEY) is_good = ctls_use_key(context);
  if (is_good && which == CTLS_CERTIFICATE) {
    char words[CTLS_REASON];
    is_good = ctls_use_certificate(context);
    if (is_good && ctls_is_out_of_time(context, words)) {
      ctls_say(context->reason, "the certificate %s %s", context->texts[CTLS_CERTIFICATE], words);
      is_good = 0;
    }
  }
  *is_absent = context->is_absent;
  return is_good ? NULL : context->reason;
}

/* Whether the host is a numeric address. Its interface (`fe80::1%eth0`) is no business of the server's. */
static int take_address(ctls_connection *connection, const char *host) {
  unsigned char bytes[sizeof(struct in6_addr)];
  char *address = connection->address;
  size_t length = strcspn(host, "%");
  if (length < sizeof connection->address) {
    memcpy(address, host, length);
    if (host[length] == 0 && inet_pton(AF_INET, address, bytes) == 1) return 1;
    if (inet_pton(AF_INET6, address, bytes) == 1) return 1;
  }
  address[0] = 0;
  return 0;
}

ctls_connection *ctls_connect(ctls_context *context, int fd, const char *host) {
  ctls_connection *connection = calloc(1, sizeof *connection);
  if (!connection) return NULL;
  connection->context = context;
  /* The loop may close its own while another thread shakes hands; the number would be somebody else's then. */
  connection->file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  SSL *ssl = connection->ssl = connection->file < 0 ? NULL : context->SSL_new(context->context);
  if (!ssl) {
    ctls_free(connection);
    return NULL;
  }
  context->SSL_set_fd(ssl, connection->file);
  if (take_address(connection, host)) {
    context->X509_VERIFY_PARAM_set1_ip_asc(context->SSL_get0_param(ssl), connection->address);
  } else {
    context->SSL_ctrl(ssl, CTRL_HOST_NAME, 0, (void *)host);
    context->SSL_set1_host(ssl, host);
  }
  if (context->session) context->SSL_set_session(ssl, context->session);
  return connection;
}

/* Keeps the latest session for the next connection. In TLS 1.3 it comes some time after the handshake. */
static void keep_session(ctls_connection *connection) {
  ctls_context *context = connection->context;
  SSL_SESSION *session = context->SSL_get1_session(connection->ssl);
  if (!session) return;
  if (!connection->is_established || !context->SSL_SESSION_is_resumable(session)) {
    context->SSL_SESSION_free(session);
    return;
  }
  if (context->session) context->SSL_SESSION_free(context->session);
  context->session = session;
}

void ctls_free(ctls_connection *connection) {
  if (!connection) return;
  if (connection->ssl) {
    keep_session(connection);
    /* Without this OpenSSL forgets the session of a connection that was lost, which is when it is wanted:
       its secrets are no less good. 3: as if both sides had said goodbye. */
    if (connection->is_established) connection->context->SSL_set_shutdown(connection->ssl, 3);
    connection->context->SSL_free(connection->ssl);
  }
  if (connection->file >= 0) close(connection->file);
  free(connection);
}

/* Why the server's certificate is not believed, in words that say what to do. */
static void explain_certificate(ctls_connection *connection, long code) {
  const char *more = "", *address = "";
  switch (code) {
  case NO_ISSUER: case SELF_SIGNED: case SELF_SIGNED_IN_CHAIN: case NO_ISSUER_LOCALLY: case FIRST_UNVERIFIED:
    more = "; give the authority that signed it with 'ca'";
    break;
  case NOT_YET_VALID: more = "; is this device's clock set?"; break;
  case HOST_MISMATCH: more = "; it is made for another name than the URL has"; break;
  /* As a common name or a DNS name an address counts for nothing (RFC 9110, 4.3.5). */
  case ADDRESS_MISMATCH:
    more = "; an address needs subjectAltName IP:";
    address = connection->address;
    break;
  case EXPIRED: more = "; the broker needs a new one, or this device's clock is wrong"; break;
  }
  ctls_say(connection->reason, "the broker's certificate is not accepted: %s%s%s",
      connection->context->X509_verify_cert_error_string(code), more, address);
}

/* Servers do not always say that it is our certificate that they refuse, nor why. */
static void blame_certificate(ctls_connection *connection) {
  char words[CTLS_REASON], reason[CTLS_REASON];
  if (!ctls_is_out_of_time(connection->context, words)) return;
  memcpy(reason, connection->reason, sizeof reason);
  ctls_say(connection->reason, "%.150s; the certificate %.150s %.60s, or this device's clock is wrong", reason,
           connection->context->texts[CTLS_CERTIFICATE], words);
}

/* What a call that did not succeed means. */
static int outcome(ctls_connection *connection, int result) {
  ctls_context *context = connection->context;
  int number = errno;
  switch (context->SSL_get_error(connection->ssl, result)) {
  case ERROR_WANT_READ: return CTLS_WANTS_READ;
  case ERROR_WANT_WRITE: return CTLS_WANTS_WRITE;
  case ERROR_ZERO_RETURN: return CTLS_CLOSED;
  case ERROR_SYSCALL:
    context->ERR_clear_error();
    if (number == 0) return CTLS_CLOSED;
    ctls_say(connection->reason, "%s", strerror(number));
    blame_certificate(connection);
    return CTLS_FAILED;
  default: break;
  }
  long code = context->SSL_get_verify_result(connection->ssl);
  unsigned long error = context->ERR_get_error();
  const char *reason = error ? context->ERR_reason_error_string(error) : NULL;
  context->ERR_clear_error();
  if (reason && strcmp(reason, "unexpected eof while reading") == 0) return CTLS_CLOSED;
  if (code != 0 && reason && strcmp(reason, "certificate verify failed") == 0)
    explain_certificate(connection, code);
  else
    ctls_say(connection->reason, "TLS: %s", reason ? reason : "no reason is known");
  if (code == 0) blame_certificate(connection);
  return CTLS_FAILED;
}

/* Whether the server has the key that was pinned. */
static int matches_pin(const ctls_connection *connection) {
  const ctls_context *context = connection->context;
  X509 *certificate = context->SSL_get0_peer_certificate(connection->ssl);
  if (!certificate) return 0;
  unsigned char key[8192], *end = key, digest[32];
  X509_PUBKEY *public_key = context->X509_get_X509_PUBKEY(certificate);
  int length = context->i2d_X509_PUBKEY(public_key, NULL);
  if (length <= 0 || length > (int)sizeof key) return 0;
  context->i2d_X509_PUBKEY(public_key, &end);
  context->SHA256(key, (size_t)length, digest);
  return memcmp(digest, context->pin, sizeof digest) == 0;
}

int ctls_handshake(ctls_connection *connection) {
  errno = 0;
  int result = connection->context->SSL_connect(connection->ssl);
  if (result != 1) return outcome(connection, result);
  if (connection->context->has_pin && !matches_pin(connection)) {
    ctls_say(connection->reason,
        "the broker has another key than the pinned one: a new key, or somebody in between");
    return CTLS_FAILED;
  }
  connection->is_established = 1;
  return CTLS_DONE;
}

ssize_t ctls_read(ctls_connection *connection, void *buffer, size_t count) {
  errno = 0;
  int result = connection->context->SSL_read(connection->ssl, buffer, count > INT32_MAX ? INT32_MAX : (int)count);
  return result > 0 ? result : outcome(connection, result);
}

ssize_t ctls_write(ctls_connection *connection, const void *bytes, size_t count) {
  errno = 0;
  int result =
      connection->context->SSL_write(connection->ssl, bytes, count > INT32_MAX ? INT32_MAX : (int)count);
  return result > 0 ? result : outcome(connection, result);
}

void ctls_finish(ctls_connection *connection) {
  connection->context->SSL_shutdown(connection->ssl);
  connection->context->ERR_clear_error();
}

int ctls_has_input(const ctls_connection *connection) {
  return connection->context->SSL_pending(connection->ssl) > 0;
}

int ctls_is_resumed(const ctls_connection *connection) {
  return connection->context->SSL_session_reused(connection->ssl);
}

const char *ctls_reason(ctls_connection *connection) { return connection->reason; }
