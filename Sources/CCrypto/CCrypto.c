#include "CCrypto.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>

// What is used of OpenSSL 3's interface, declared here so that no header of it is needed to build.
typedef struct evp_md_st EVP_MD;
typedef struct hmac_ctx_st HMAC_CTX;

struct ccrypto {
  void *library;
  const EVP_MD *(*sha256)(void);
  int (*digest)(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *, void *);
  unsigned char *(*hmac)(
      const EVP_MD *, const void *, int, const unsigned char *, size_t, unsigned char *, unsigned int *);
  HMAC_CTX *(*hmac_new)(void);
  void (*hmac_free)(HMAC_CTX *);
  int (*hmac_init)(HMAC_CTX *, const void *, int, const EVP_MD *, void *);
  int (*hmac_update)(HMAC_CTX *, const unsigned char *, size_t);
  int (*hmac_final)(HMAC_CTX *, unsigned char *, unsigned int *);
  int (*random)(unsigned char *, int);
};

ccrypto *ccrypto_open(void) {
  ccrypto *crypto = calloc(1, sizeof *crypto);
  if (!crypto) return NULL;
  crypto->library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (crypto->library) {
    *(void **)&crypto->sha256 = dlsym(crypto->library, "EVP_sha256");
    *(void **)&crypto->digest = dlsym(crypto->library, "EVP_Digest");
    *(void **)&crypto->hmac = dlsym(crypto->library, "HMAC");
    *(void **)&crypto->hmac_new = dlsym(crypto->library, "HMAC_CTX_new");
    *(void **)&crypto->hmac_free = dlsym(crypto->library, "HMAC_CTX_free");
    *(void **)&crypto->hmac_init = dlsym(crypto->library, "HMAC_Init_ex");
    *(void **)&crypto->hmac_update = dlsym(crypto->library, "HMAC_Update");
    *(void **)&crypto->hmac_final = dlsym(crypto->library, "HMAC_Final");
    *(void **)&crypto->random = dlsym(crypto->library, "RAND_bytes");
  }
  if (crypto->sha256 && crypto->digest && crypto->hmac && crypto->hmac_new && crypto->hmac_free &&
      crypto->hmac_init && crypto->hmac_update && crypto->hmac_final && crypto->random)
    return crypto;
  ccrypto_close(crypto);
  return NULL;
}

void ccrypto_close(ccrypto *crypto) {
  if (!crypto) return;
  // OpenSSL registers functions that run at exit, so it is never unloaded.
  free(crypto);
}

int ccrypto_sha256(ccrypto *crypto, const uint8_t *bytes, size_t count, uint8_t *result) {
  return crypto->digest(bytes, count, result, NULL, crypto->sha256(), NULL) == 1 ? 0 : -1;
}

int ccrypto_hmac_sha256(
    ccrypto *crypto, const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count, uint8_t *result) {
  if (key_count > INT_MAX) return -1;
  return crypto->hmac(crypto->sha256(), key, (int)key_count, bytes, count, result, NULL) ? 0 : -1;
}

int ccrypto_iterate(
    ccrypto *crypto, const uint8_t *key, size_t key_count, uint32_t iterations, uint8_t *link, uint8_t *result) {
  HMAC_CTX *context = key_count <= INT_MAX ? crypto->hmac_new() : NULL;
  // No key is an empty one: NULL would be another meaning.
  int is_good = context && crypto->hmac_init(context, key ? key : link, (int)key_count, crypto->sha256(), NULL);
  for (uint32_t done = 0; is_good && done < iterations; done++) {
    is_good = (done == 0 || crypto->hmac_init(context, NULL, 0, NULL, NULL)) &&
        crypto->hmac_update(context, link, CCRYPTO_SHA256) && crypto->hmac_final(context, link, NULL);
    for (int index = 0; index < CCRYPTO_SHA256; index++) result[index] ^= link[index];
  }
  if (context) crypto->hmac_free(context);
  return is_good ? 0 : -1;
}

int ccrypto_random(ccrypto *crypto, uint8_t *bytes, size_t count) {
  return count <= INT_MAX && crypto->random(bytes, (int)count) == 1 ? 0 : -1;
}
