#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

// A macro.
static inline EVP_PKEY *uplink_make_rsa(size_t bits) { return EVP_RSA_gen(bits); }

// A macro.
static inline long uplink_memory_of(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

// Without one, libcrypto would ask whoever sits at the terminal.
static int uplink_no_password(char *buffer, int size, int writing, void *data) {
  (void)buffer, (void)size, (void)writing, (void)data;
  return -1;
}

static inline EVP_PKEY *uplink_read_private_key(BIO *bio) {
  return PEM_read_bio_PrivateKey(bio, NULL, uplink_no_password, NULL);
}

// PKCS#8, without a password.
static inline int uplink_write_private_key(BIO *bio, const EVP_PKEY *key) {
  return PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
}
