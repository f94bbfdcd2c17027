/* Inside CTLS: OpenSSL's functions, and what a context knows. */
#ifndef CTLS_LIBRARY_H
#define CTLS_LIBRARY_H

#include "CTLS.h"

#include <time.h>

enum { CTLS_REASON = 400 };

/* What is used of OpenSSL 3's interface, which is promised to stay until OpenSSL 4. Declared here so that
   no header of it is needed to build. */
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;
typedef struct ssl_method_st SSL_METHOD;
typedef struct asn1_string_st ASN1_TIME;
typedef struct x509_st X509;
typedef struct x509_pubkey_st X509_PUBKEY;
typedef struct x509_vpm_st X509_VERIFY_PARAM;
typedef struct x509_store_ctx_st X509_STORE_CTX;
enum { FILETYPE_PEM = 1, VERIFY_NONE = 0, VERIFY_PEER = 1 };
enum { CTRL_MODE = 33, CTRL_SESSION_CACHE = 44, CTRL_HOST_NAME = 55, CTRL_MIN_VERSION = 123 };
enum { MODE_PARTIAL_WRITE = 1, MODE_MOVING_BUFFER = 2, MODE_RELEASE_BUFFERS = 0x10 };
/* A connection that ends without goodbye is a lost one, as on TCP: MQTT's packets say how long they are. */
#define OPTION_IGNORE_UNEXPECTED_EOF (UINT64_C(1) << 7)
/* Certificates are looked at in the handshake alone, which the loop does not wait for. */
#define OPTION_NO_RENEGOTIATION (UINT64_C(1) << 30)
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
  X(void, SSL_CTX_set_default_passwd_cb, (SSL_CTX *, int (*)(char *, int, int, void *)))               \
  X(void, SSL_CTX_set_default_passwd_cb_userdata, (SSL_CTX *, void *))                                 \
  X(X509 *, SSL_CTX_get0_certificate, (const SSL_CTX *))                                               \
  X(const ASN1_TIME *, X509_get0_notBefore, (const X509 *))                                            \
  X(const ASN1_TIME *, X509_get0_notAfter, (const X509 *))                                             \
  X(int, X509_cmp_current_time, (const ASN1_TIME *))                                                   \
  X(int, ASN1_TIME_to_tm, (const ASN1_TIME *, struct tm *))                                            \
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
  int is_loaded;
  SSL_CTX *context;
  /* The latest session the server gave us, offered at the next connection. */
  SSL_SESSION *session;
  char *texts[CTLS_TEXTS];
  uint8_t pin[32];
  int has_pin, is_insecure;
  /* Files are only looked at. */
  int is_check;
  /* Of the latest file: it is not there; its password was asked for. */
  int is_absent, is_password_wanted;
  /* The key was read without its password. */
  int is_password_needless;
  char reason[CTLS_REASON];
};

__attribute__((format(printf, 2, 3))) void ctls_say(char reason[CTLS_REASON], const char *format, ...);
/* 0: the context's reason says what keeps it from being used. */
int ctls_use_authorities(ctls_context *context);
int ctls_use_certificate(ctls_context *context);
int ctls_use_key(ctls_context *context);
/* Whether the client's certificate is out of its time; the words for it. */
int ctls_is_out_of_time(ctls_context *context, char words[CTLS_REASON]);

#endif
