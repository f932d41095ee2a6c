/* SHA-256 (FIPS 180-4). */
#ifndef CHGI_STORE_SHA256_H
#define CHGI_STORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { CHGI_SHA256_TEXT = 65 /* 64 hexadecimal digits and a NUL */ };

typedef struct chgi_sha256 {
    uint32_t state[8];
    uint64_t length;   /* bytes so far */
    uint8_t block[64]; /* the part of a block that waits for more */
} chgi_sha256;

void chgi_sha256_start(chgi_sha256 *sha);
void chgi_sha256_add(chgi_sha256 *sha, const void *data, size_t length);
/** Write the sum as lower-case hexadecimal digits; `sha` is used up. */
void chgi_sha256_finish(chgi_sha256 *sha, char text[CHGI_SHA256_TEXT]);

/** The sum of one piece of memory. */
void chgi_sha256_of(const void *data, size_t length, char text[CHGI_SHA256_TEXT]);

#endif
