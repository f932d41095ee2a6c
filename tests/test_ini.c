/* Configuration files: values, and every way to write one that is wrong.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stddef.h>
#include <unistd.h>

#include "base/ini.h"
#include "tap.h"

typedef struct values {
    const char *name;
    double length;
    int64_t count;
    bool flag;
    int kind;
} values;

static const chgi_ini_key known[] = {
    {"box", "name", CHGI_INI_TEXT, offsetof(values, name), 0, 0, NULL},
    {"box", "length", CHGI_INI_REAL, offsetof(values, length), 0, 100, NULL},
    {"run", "count", CHGI_INI_COUNT, offsetof(values, count), 1, 9, NULL},
    {"run", "flag", CHGI_INI_BOOL, offsetof(values, flag), 0, 0, NULL},
    {"run", "kind", CHGI_INI_CHOICE, offsetof(values, kind), 0, 0, "random basin exchange"},
    {0},
};

static chgnet_context *ctx;

static chgnet_status take(const char *text, size_t length, values *v)
{
    chgi_ini *ini = NULL;
    FILE *file = fopen("ini.tmp", "wb");
    if (!file || fwrite(text, 1, length, file) != length || fclose(file) != 0)
        tap_bail("cannot write a temporary file");
    chgnet_status status = chgi_ini_read(ctx, "ini.tmp", &ini);
    if (status == CHGNET_OK)
        status = chgi_ini_take(ctx, ini, known, v);
    if (status == CHGNET_OK && v->name)
        tap_is_text(v->name, "two words", "a text, without its comment");
    chgi_ini_destroy(ini);
    unlink("ini.tmp");
    return status;
}

static void is_refused(const char *text, const char *error)
{
    values v = {0};
    chgnet_status status = take(text, strlen(text), &v);
    tap_is_int(status, CHGNET_EINPUT, "refused");
    tap_is_text(chgnet_context_error(ctx), error, error);
}

static void test_values(void)
{
    static const char text[] =
        "# a comment\n; another\n[box]\r\n  name = two words # rest\n\tlength=2.5e1\n\n[run]\ncount = 9\n"
        "flag = yes\nkind = exchange";
    values v = {.length = -1};
    if (!tap_ok(take(text, sizeof text - 1, &v) == CHGNET_OK, "all kinds of values are read"))
        tap_note("%s", chgnet_context_error(ctx));
    tap_ok(v.length == 25 && v.count == 9 && v.flag && v.kind == 2, "with their values");
    values none = {.length = -1, .count = 5};
    tap_ok(take("", 0, &none) == CHGNET_OK && none.length == -1 && none.count == 5, "what is not there stays");
}

static void test_wrong(void)
{
    is_refused("[box]\nlenght = 2\n", "ini.tmp:2: unknown key lenght; did you mean length?");
    is_refused("[bix]\nlength = 2\n", "ini.tmp:2: unknown section bix; did you mean box?");
    is_refused("[box]\nwhatever = 2\n", "ini.tmp:2: unknown key whatever");
    is_refused("[box]\nlength = 101\n", "ini.tmp:2: length = 101 is wrong; give a number from 0 to 100");
    is_refused("[box]\nlength = nan\n", "ini.tmp:2: length = nan is wrong; give a number from 0 to 100");
    is_refused("[run]\ncount = 2.5\n", "ini.tmp:2: count = 2.5 is wrong; give a whole number from 1 to 9");
    is_refused("[run]\ncount = 0\n", "ini.tmp:2: count = 0 is wrong; give a whole number from 1 to 9");
    is_refused("[run]\nflag = maybe\n", "ini.tmp:2: flag = maybe is wrong; give one of: no yes false true");
    is_refused("[run]\nkind = basi\n", "ini.tmp:2: kind = basi is wrong; give one of: random basin exchange");
    is_refused("length = 2\n", "ini.tmp:1: a key before the first [section]");
    is_refused("[box]\nlength = 2\nlength = 3\n", "ini.tmp:3: length stands twice in [box], first in line 2; keep one");
    is_refused("[box]\nlength =\n", "ini.tmp:2: length has no value; give one or leave the line out");
    is_refused("[box\n", "ini.tmp:1: a section is one name in brackets, such as [search]");
    is_refused("[box] x\n", "ini.tmp:1: a section is one name in brackets, such as [search]");
    is_refused("[b x]\n", "ini.tmp:1: 'b x' is no name of a section; use a-z, 0-9, - and _");
    is_refused("[box]\nLength = 2\n", "ini.tmp:2: 'Length' is no key; use a-z, 0-9, - and _");
    is_refused("[box]\nlength 2\n", "ini.tmp:2: 'length 2' is neither [section] nor `key = value`");
    values v = {0};
    tap_is_int(take("[box]\n\0", 7, &v), CHGNET_EINPUT, "a zero byte");
}

/* Each key is compared with all before it. */
static void test_many(void)
{
    char text[80000];
    size_t n = (size_t)snprintf(text, sizeof text, "[run]\n");
    for (int k = 0; k < 4097; k++)
        n += (size_t)snprintf(text + n, sizeof text - n, "key%d = 1\n", k);
    is_refused(text, "ini.tmp:4098: more than 4096 keys; this is no configuration");
}

int main(void)
{
    chgi_ini *ini = NULL;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    tap_is_int(chgi_ini_read(ctx, "not/there.ini", &ini), CHGNET_EINPUT, "a missing file");
    test_values();
    test_wrong();
    test_many();
    chgnet_context_destroy(ctx);
    return tap_done();
}
