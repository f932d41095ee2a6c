/* SHA-256 against the vectors of FIPS 180-4 and its examples, and pieces against the whole.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "store/sha256.h"

#include "tap.h"

static void check(const char *message, const char *want)
{
    char got[CHGI_SHA256_TEXT];
    chgi_sha256_of(message, strlen(message), got);
    tap_ok(strcmp(got, want) == 0, "sum of a message of %zu bytes", strlen(message));
}

static void check_million(void)
{
    char piece[1000], got[CHGI_SHA256_TEXT];
    chgi_sha256 sha;
    memset(piece, 'a', sizeof piece);
    chgi_sha256_start(&sha);
    for (int i = 0; i < 1000; i++)
        chgi_sha256_add(&sha, piece, sizeof piece);
    chgi_sha256_finish(&sha, got);
    tap_ok(strcmp(got, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") == 0, "a million times a");
}

/* Every length around the block's, cut at every place. */
static void check_pieces(void)
{
    uint8_t bytes[200];
    int wrong = 0;
    for (int i = 0; i < 200; i++)
        bytes[i] = (uint8_t)(37 * i + 11);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        char whole[CHGI_SHA256_TEXT], pieces[CHGI_SHA256_TEXT];
        chgi_sha256_of(bytes, length, whole);
        for (size_t cut = 0; cut <= length; cut += 7) {
            chgi_sha256 sha;
            chgi_sha256_start(&sha);
            chgi_sha256_add(&sha, bytes, cut);
            chgi_sha256_add(&sha, bytes + cut, length - cut);
            chgi_sha256_finish(&sha, pieces);
            wrong += strcmp(whole, pieces) != 0;
        }
    }
    tap_is_int(wrong, 0, "pieces that give another sum than the whole");
}

int main(void)
{
    check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopq"
          "rstu",
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    check_million();
    check_pieces();
    return tap_done();
}
