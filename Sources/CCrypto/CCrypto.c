#include "CCrypto.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>

// What is used of OpenSSL 3's interface, declared here so that no header of it is needed to build.
typedef struct evp_md_st EVP_MD;

struct ccrypto {
  void *library;
  const EVP_MD *(*sha256)(void);
  int (*digest)(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *, void *);
  unsigned char *(*hmac)(
      const EVP_MD *, const void *, int, const unsigned char *, size_t, unsigned char *, unsigned int *);
  int (*pbkdf2)(const char *, int, const unsigned char *, int, int, const EVP_MD *, int, unsigned char *);
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
    *(void **)&crypto->pbkdf2 = dlsym(crypto->library, "PKCS5_PBKDF2_HMAC");
    *(void **)&crypto->random = dlsym(crypto->library, "RAND_bytes");
  }
  if (crypto->sha256 && crypto->digest && crypto->hmac && crypto->pbkdf2 && crypto->random) return crypto;
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

int ccrypto_pbkdf2_sha256(
    ccrypto *crypto, const uint8_t *password, size_t password_count, const uint8_t *salt, size_t salt_count,
    uint32_t iterations, uint8_t *result) {
  if (password_count > INT_MAX || salt_count > INT_MAX || iterations > INT_MAX) return -1;
  // No password is an empty one: NULL would be another meaning.
  const char *text = password ? (const char *)password : "";
  return crypto->pbkdf2(text, (int)password_count, salt, (int)salt_count, (int)iterations, crypto->sha256(),
                        CCRYPTO_SHA256, result) == 1 ? 0 : -1;
}

int ccrypto_random(ccrypto *crypto, uint8_t *bytes, size_t count) {
  return count <= INT_MAX && crypto->random(bytes, (int)count) == 1 ? 0 : -1;
}
