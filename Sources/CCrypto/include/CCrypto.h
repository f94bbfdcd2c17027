// The few functions of OpenSSL's libcrypto that authentication needs. The library is loaded when it is used: a
// device that does not authenticate so needs no OpenSSL.
#ifndef CCRYPTO_H
#define CCRYPTO_H

#include <stddef.h>
#include <stdint.h>

typedef struct ccrypto ccrypto;

enum { CCRYPTO_SHA256 = 32 };

// NULL when libcrypto is not there.
ccrypto *ccrypto_open(void);
void ccrypto_close(ccrypto *crypto);

// Each answers 0, or -1 when the library refuses. Results have 32 bytes.
int ccrypto_sha256(ccrypto *crypto, const uint8_t *bytes, size_t count, uint8_t *result);
int ccrypto_hmac_sha256(
    ccrypto *crypto, const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count, uint8_t *result);
// So many iterations of PBKDF2 (RFC 8018): each replaces `link` by its HMAC, and combines `result` with that.
int ccrypto_iterate(
    ccrypto *crypto, const uint8_t *key, size_t key_count, uint32_t iterations, uint8_t *link, uint8_t *result);
// Random bytes that nobody can guess.
int ccrypto_random(ccrypto *crypto, uint8_t *bytes, size_t count);

#endif
