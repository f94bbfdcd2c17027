#define _GNU_SOURCE
#include "CTLS.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of OpenSSL 3's interface, which is promised to stay until OpenSSL 4. Declared here so that
   no header of it is needed to build. */
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;
typedef struct ssl_method_st SSL_METHOD;
typedef struct x509_st X509;
typedef struct x509_pubkey_st X509_PUBKEY;
typedef struct x509_vpm_st X509_VERIFY_PARAM;
typedef struct x509_store_ctx_st X509_STORE_CTX;
enum { FILETYPE_PEM = 1, VERIFY_NONE = 0, VERIFY_PEER = 1 };
enum { CTRL_MODE = 33, CTRL_SESSION_CACHE = 44, CTRL_HOST_NAME = 55, CTRL_MIN_VERSION = 123 };
enum { MODE_PARTIAL_WRITE = 1, MODE_MOVING_BUFFER = 2, MODE_RELEASE_BUFFERS = 0x10 };
/* A connection that ends without goodbye is a lost one, as on TCP: MQTT's packets say how long they are. */
#define OPTION_IGNORE_UNEXPECTED_EOF (UINT64_C(1) << 7)
enum { CACHE_CLIENT = 1, CACHE_NO_INTERNAL = 0x300, TLS_1_2 = 0x0303 };
enum { ERROR_SSL = 1, ERROR_WANT_READ = 2, ERROR_WANT_WRITE = 3, ERROR_SYSCALL = 5, ERROR_ZERO_RETURN = 6 };
/* Why a certificate is not believed (x509_vfy.h). */
enum {
  NO_ISSUER = 2, NOT_YET_VALID = 9, EXPIRED = 10, SELF_SIGNED = 18, SELF_SIGNED_IN_CHAIN = 19,
  NO_ISSUER_LOCALLY = 20, FIRST_UNVERIFIED = 21, HOST_MISMATCH = 62, ADDRESS_MISMATCH = 64
};

#define LIBRARY(X)                                                                                     \
  X(const SSL_METHOD *, TLS_client_method, (void))                                                     \
  X(SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *))                                                      \
  X(void, SSL_CTX_free, (SSL_CTX *))                                                                   \
  X(long, SSL_CTX_ctrl, (SSL_CTX *, int, long, void *))                                                \
  X(uint64_t, SSL_CTX_set_options, (SSL_CTX *, uint64_t))                                              \
  X(int, SSL_CTX_set_default_verify_paths, (SSL_CTX *))                                                \
  X(int, SSL_CTX_load_verify_file, (SSL_CTX *, const char *))                                          \
  X(int, SSL_CTX_load_verify_dir, (SSL_CTX *, const char *))                                           \
  X(int, SSL_CTX_use_certificate_chain_file, (SSL_CTX *, const char *))                                \
  X(int, SSL_CTX_use_PrivateKey_file, (SSL_CTX *, const char *, int))                                  \
  X(int, SSL_CTX_check_private_key, (const SSL_CTX *))                                                 \
  X(int, SSL_CTX_set_alpn_protos, (SSL_CTX *, const unsigned char *, unsigned))                        \
  X(void, SSL_CTX_set_verify, (SSL_CTX *, int, int (*)(int, X509_STORE_CTX *)))                        \
  X(SSL_SESSION *, SSL_get1_session, (SSL *))                                                          \
  X(int, SSL_SESSION_is_resumable, (const SSL_SESSION *))                                              \
  X(SSL *, SSL_new, (SSL_CTX *))                                                                       \
  X(void, SSL_free, (SSL *))                                                                           \
  X(long, SSL_ctrl, (SSL *, int, long, void *))                                                        \
  X(int, SSL_set_fd, (SSL *, int))                                                                     \
  X(int, SSL_set1_host, (SSL *, const char *))                                                         \
  X(X509_VERIFY_PARAM *, SSL_get0_param, (SSL *))                                                      \
  X(int, X509_VERIFY_PARAM_set1_ip_asc, (X509_VERIFY_PARAM *, const char *))                           \
  X(int, SSL_set_session, (SSL *, SSL_SESSION *))                                                      \
  X(void, SSL_SESSION_free, (SSL_SESSION *))                                                           \
  X(int, SSL_connect, (SSL *))                                                                         \
  X(int, SSL_read, (SSL *, void *, int))                                                               \
  X(int, SSL_write, (SSL *, const void *, int))                                                        \
  X(int, SSL_shutdown, (SSL *))                                                                        \
  X(void, SSL_set_shutdown, (SSL *, int))                                                              \
  X(int, SSL_pending, (const SSL *))                                                                   \
  X(int, SSL_session_reused, (const SSL *))                                                            \
  X(int, SSL_get_error, (const SSL *, int))                                                            \
  X(long, SSL_get_verify_result, (const SSL *))                                                        \
  X(X509 *, SSL_get0_peer_certificate, (const SSL *))                                                  \
  X(X509_PUBKEY *, X509_get_X509_PUBKEY, (const X509 *))                                               \
  X(int, i2d_X509_PUBKEY, (const X509_PUBKEY *, unsigned char **))                                     \
  X(unsigned char *, SHA256, (const unsigned char *, size_t, unsigned char *))                         \
  X(const char *, X509_verify_cert_error_string, (long))                                               \
  X(unsigned long, ERR_get_error, (void))                                                              \
  X(void, ERR_clear_error, (void))                                                                     \
  X(const char *, ERR_reason_error_string, (unsigned long))

struct ctls_context {
#define MEMBER(result, name, arguments) result (*name) arguments;
  LIBRARY(MEMBER)
#undef MEMBER
  SSL_CTX *context;
  /* The latest session the server gave us, offered at the next connection. */
  SSL_SESSION *session;
  char *texts[CTLS_TEXTS];
  uint8_t pin[32];
  int has_pin, is_insecure;
  char reason[256];
};

struct ctls_connection {
  ctls_context *context;
  SSL *ssl;
  int is_established;
  /* What the certificate has to be made for, where that is an address: empty otherwise. */
  char address[INET6_ADDRSTRLEN];
  char reason[256];
};

static void say(char *reason, size_t capacity, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, capacity, format, arguments);
  va_end(arguments);
}

static int load(ctls_context *context) {
  /* libssl brings libcrypto with it; a symbol of either is found through it. */
  void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) return 0;
#define LOOK_UP(result, name, arguments)                                                               \
  *(void **)&context->name = dlsym(library, #name);                                                    \
  if (!context->name) return 0;
  LIBRARY(LOOK_UP)
#undef LOOK_UP
  return 1;
}

/* Says what cannot be used, with the library's words for why. */
static int refuse(ctls_context *context, const char *what, const char *name) {
  unsigned long code = context->ERR_get_error();
  const char *reason = code ? context->ERR_reason_error_string(code) : NULL;
  context->ERR_clear_error();
  say(context->reason, sizeof context->reason, "%s %s cannot be used: %s", what, name,
      reason ? reason : "no reason is known");
  return 0;
}

static int use_files(ctls_context *context) {
  SSL_CTX *ssl = context->context;
  const char *ca_file = context->texts[CTLS_CA_FILE], *ca_directory = context->texts[CTLS_CA_DIRECTORY];
  if (ca_file && !context->SSL_CTX_load_verify_file(ssl, ca_file))
    return refuse(context, "the CA file", ca_file);
  if (ca_directory && !context->SSL_CTX_load_verify_dir(ssl, ca_directory))
    return refuse(context, "the CA directory", ca_directory);
  if (!ca_file && !ca_directory) context->SSL_CTX_set_default_verify_paths(ssl);
  const char *certificate = context->texts[CTLS_CERTIFICATE];
  if (certificate && context->SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1)
    return refuse(context, "the certificate", certificate);
  const char *key = context->texts[CTLS_KEY] ? context->texts[CTLS_KEY] : certificate;
  if (key && context->SSL_CTX_use_PrivateKey_file(ssl, key, FILETYPE_PEM) != 1)
    return refuse(context, "the key", key);
  if (key && !context->SSL_CTX_check_private_key(ssl)) return refuse(context, "the key", key);
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
  context->context = context->SSL_CTX_new(context->TLS_client_method());
  if (!context->context) return refuse(context, "OpenSSL", "");
  SSL_CTX *ssl = context->context;
  context->SSL_CTX_ctrl(ssl, CTRL_MIN_VERSION, TLS_1_2, NULL);
  /* What is written lies in a queue that moves between two attempts. */
  context->SSL_CTX_ctrl(ssl, CTRL_MODE, MODE_PARTIAL_WRITE | MODE_MOVING_BUFFER | MODE_RELEASE_BUFFERS, NULL);
  context->SSL_CTX_ctrl(ssl, CTRL_SESSION_CACHE, CACHE_CLIENT | CACHE_NO_INTERNAL, NULL);
  context->SSL_CTX_set_options(ssl, OPTION_IGNORE_UNEXPECTED_EOF);
  if (context->texts[CTLS_ALPN]) offer_protocol(context, context->texts[CTLS_ALPN]);
  int pin_alone = context->has_pin && !context->texts[CTLS_CA_FILE] && !context->texts[CTLS_CA_DIRECTORY];
  context->SSL_CTX_set_verify(ssl, context->is_insecure || pin_alone ? VERIFY_NONE : VERIFY_PEER, NULL);
  return use_files(context);
}

ctls_context *ctls_context_create(void) { return calloc(1, sizeof(ctls_context)); }

void ctls_context_free(ctls_context *context) {
  if (!context) return;
  if (context->session) context->SSL_SESSION_free(context->session);
  if (context->context) context->SSL_CTX_free(context->context);
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
  if (!load(context)) return "TLS needs OpenSSL 3, which is not here: sudo apt install openssl";
  if (set_up(context)) return NULL;
  if (context->context) context->SSL_CTX_free(context->context);
  context->context = NULL;
  return context->reason;
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
  SSL *ssl = connection ? context->SSL_new(context->context) : NULL;
  if (!ssl) {
    free(connection);
    return NULL;
  }
  connection->context = context;
  connection->ssl = ssl;
  context->SSL_set_fd(ssl, fd);
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
  keep_session(connection);
  /* Without this OpenSSL forgets the session of a connection that was lost, which is when it is wanted:
     its secrets are no less good. 3: as if both sides had said goodbye. */
  if (connection->is_established) connection->context->SSL_set_shutdown(connection->ssl, 3);
  connection->context->SSL_free(connection->ssl);
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
  say(connection->reason, sizeof connection->reason, "the broker's certificate is not accepted: %s%s%s",
      connection->context->X509_verify_cert_error_string(code), more, address);
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
    say(connection->reason, sizeof connection->reason, "%s", strerror(number));
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
    say(connection->reason, sizeof connection->reason, "TLS: %s", reason ? reason : "no reason is known");
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
    say(connection->reason, sizeof connection->reason,
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
