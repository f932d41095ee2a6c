/* Checkpoints: what was put in comes out; no damage goes unseen; of two files one is always whole.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _POSIX_C_SOURCE 200809L
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "task/restart.h"
#include "tap.h"

static chgnet_context *ctx;
static int n_warning;

static void on_warning(const char *text, void *user)
{
    (void)user;
    tap_note("warning: %s", text);
    n_warning++;
}

/* A checkpoint that says `number`. */
static void make(chgi_restart *c, int64_t number)
{
    const double values[3] = {1.0 / 3, -0.0, (double)number};
    chgi_restart_start(c, "test");
    chgi_restart_put_text(c, "text", "a text that makes what follows unaligned");
    chgi_restart_put_doubles(c, "values", 3, values);
    chgi_restart_put_int(c, "number", number);
    chgi_restart_put_doubles(c, "nothing", 0, values);
}

static void write_one(const char *path, int64_t number)
{
    chgi_restart c = {0};
    make(&c, number);
    if (chgi_restart_write(ctx, path, &c) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    chgi_restart_destroy(&c);
}

/* The number in a checkpoint; minus the status when it is refused. */
static int64_t read_number(const char *path)
{
    chgi_restart c = {0};
    int64_t number = 0;
    chgnet_status status = chgi_restart_read(ctx, path, "test", &c);
    if (status == CHGNET_OK)
        status = chgi_restart_get_int(ctx, &c, "number", &number);
    chgi_restart_destroy(&c);
    return status == CHGNET_OK ? number : -(int64_t)status;
}

/* Without the fsync of chgi_file_write, and in a new file: some file systems sync one that is cut and written again. */
static void put_bytes(const char *path, const char *data, size_t length)
{
    (void)unlink(path);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        tap_bail("cannot write");
}

static void test_content(void)
{
    chgi_restart c = {0};
    double values[3];
    const char *text;
    int64_t number;
    size_t count;
    const void *found;
    write_one("c", 17);
    if (chgi_restart_read(ctx, "c", "test", &c) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    tap_ok(chgi_restart_get_doubles(ctx, &c, "values", 3, values) == CHGNET_OK && values[0] == 1.0 / 3 &&
               values[1] == 0 && signbit(values[1]) && values[2] == 17,
           "numbers come back bit for bit");
    tap_ok(chgi_restart_get_text(ctx, &c, "text", &text) == CHGNET_OK && strncmp(text, "a text", 6) == 0,
           "a text comes back");
    tap_ok(chgi_restart_get_int(ctx, &c, "number", &number) == CHGNET_OK && number == 17, "an integer comes back");
    tap_ok(chgi_restart_find_doubles(ctx, &c, "nothing", &count, &found) == CHGNET_OK && count == 0,
           "a list without numbers too");
    tap_is_int(chgi_restart_get_doubles(ctx, &c, "values", 2, values), CHGNET_EINPUT, "another count is refused");
    tap_is_int(chgi_restart_get_int(ctx, &c, "values", &number), CHGNET_EINPUT, "another type is refused");
    tap_is_int(chgi_restart_get_int(ctx, &c, "numbers", &number), CHGNET_EINPUT, "another name is refused");
    tap_is_int(chgi_restart_read(ctx, "c", "relax", &c), CHGNET_EINPUT, "another kind of run is refused");
    tap_ok(strstr(chgnet_context_error(ctx), "c: ") && strstr(chgnet_context_error(ctx), "`test`"), "and named");
    chgi_restart_destroy(&c);
}

static void test_two(void)
{
    tap_ok(!chgi_restart_exists("two"), "there is none at first");
    tap_is_int(read_number("two"), -CHGNET_EINPUT, "a missing one is bad input");
    for (int64_t i = 1; i <= 3; i++)
        write_one("two", i);
    tap_is_int(read_number("two"), 3, "the newest is read");
    tap_is_int(read_number("two.old"), 2, "the one before is kept");
    tap_is_int(n_warning, 0, "without a warning");
    (void)unlink("two");
    tap_ok(chgi_restart_exists("two"), "a crash between the two renames: there still is one");
    tap_is_int(read_number("two"), 2, "the older one is read");
    tap_is_int(n_warning, 1, "with a warning");
    put_bytes("two", "torn", 4);
    tap_is_int(read_number("two"), -CHGNET_EINPUT, "nothing whole is left: refused");
    write_one("two", 5);
    write_one("two", 6);
    put_bytes("two", "torn", 4);
    tap_is_int(read_number("two"), 5, "a torn one: the older is read");
    write_one("two", 7);
    tap_is_int(read_number("two.old"), 5, "and the torn one does not take its place");
    chgi_restart c = {0};
    make(&c, 8);
    tap_is_int(chgi_restart_write_first(ctx, "two", &c), CHGNET_OK, "a new run");
    tap_ok(read_number("two") == 8 && access("two.old", F_OK) != 0, "leaves nothing of an older one");
    make(&c, 9);
    tap_is_int(chgi_restart_write(ctx, "nowhere/two", &c), CHGNET_EIO, "a folder that is not there");
    if (mkdir("two.new", 0777) == 0) {
        tap_is_int(chgi_restart_write(ctx, "two", &c), CHGNET_EIO, "where it cannot be written");
        tap_is_int(read_number("two"), 8, "the last one stays");
    }
    chgi_restart_destroy(&c);
}

/* Every byte changed and every length cut must be seen. */
static void test_damage(void)
{
    char *data;
    size_t length;
    write_one("whole", 3);
    if (chgi_file_read(ctx, "whole", &data, &length) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    int64_t unseen = 0;
    for (size_t i = 0; i < length; i++) {
        data[i] = (char)(data[i] ^ 1);
        put_bytes("damaged", data, length);
        unseen += read_number("damaged") != -CHGNET_EINPUT;
        data[i] = (char)(data[i] ^ 1);
    }
    tap_is_int(unseen, 0, "every changed byte is seen");
    for (size_t i = 0; i < length; i++) {
        put_bytes("damaged", data, i);
        unseen += read_number("damaged") != -CHGNET_EINPUT;
    }
    tap_is_int(unseen, 0, "every length that is too short is seen");
    put_bytes("damaged", data, length + 1); /* the NUL behind the bytes */
    tap_is_int(read_number("damaged"), -CHGNET_EINPUT, "and one that is too long");
    put_bytes("damaged", data, length);
    tap_is_int(read_number("damaged"), 3, "the undamaged bytes are read");
    chgi_memory_free(data);
}

int main(void)
{
    char folder[] = "restart-XXXXXX", command[64];
    if (chgnet_context_create(&ctx) != CHGNET_OK || !mkdtemp(folder) || chdir(folder) != 0)
        tap_bail("no folder");
    chgnet_context_on_warning(ctx, on_warning, NULL);
    test_content();
    test_two();
    test_damage();
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    if (chdir("..") != 0 || system(command) != 0)
        tap_note("%s is left", folder);
    chgnet_context_destroy(ctx);
    return tap_done();
}
