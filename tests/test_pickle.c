/* The reader of pickles: plain data as PyTorch writes it, and every stream that must be refused.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "store/pickle.h"

#include "fake.h"
#include "tap.h"

static chgnet_context *ctx;

/* Copies the bytes, so that a sanitizer sees every read behind their end. */
static chgnet_status read_copy(const fake_bytes *p, size_t length, chgi_pickle *pickle, uint8_t **copy)
{
    *copy = malloc(length ? length : 1);
    if (!*copy)
        abort();
    if (length)
        memcpy(*copy, p->data, length);
    return chgi_pickle_read(ctx, *copy, length, pickle);
}

static void refused(fake_bytes p, const char *word, const char *name)
{
    chgi_pickle pickle;
    uint8_t *copy;
    chgnet_status status = read_copy(&p, p.length, &pickle, &copy);
    const char *error = chgnet_context_error(ctx);
    if (!tap_ok(status == CHGNET_EINPUT && strstr(error, word) && strstr(error, "; "), "refused: %s", name))
        tap_note("status %d: %s", status, chgnet_context_error(ctx));
    chgi_pickle_destroy(&pickle);
    free(copy);
    fake_free(&p);
}

/* A stream of protocol 2 from raw operations; `length` because they may hold zeros. */
static fake_bytes raw(const char *operations, size_t length)
{
    fake_bytes p = {0};
    fake_proto(&p);
    fake_add(&p, operations, length);
    return p;
}

#define REFUSED(operations, word, name) refused(raw(operations, sizeof operations - 1), word, name)

/* ---- what must be read ------------------------------------------------------------------------ */

static fake_bytes everything(void)
{
    fake_bytes p = {0};
    fake_proto(&p);
    fake_text(&p, "}q");
    fake_number(&p, 0, 1);
    fake_text(&p, "(");
    fake_key(&p, "numbers");
    fake_text(&p, "]r");
    fake_number(&p, 1, 4);
    fake_text(&p, "(K\xc8M\x10\x27");
    fake_int(&p, -5);
    fake_add(&p, "\x8a\0", 2);
    fake_add(&p, "\x8a\1\xff", 3);
    fake_add(&p, "\x8a\5\0\0\0\0\1", 7);
    fake_real(&p, -1.25);
    fake_text(&p, "e");
    fake_key(&p, "flags");
    fake_text(&p, "N\x88\x89\x87");
    fake_key(&p, "one");
    fake_text(&p, "]");
    fake_key(&p, "kept");
    fake_text(&p, "q");
    fake_number(&p, 2, 1);
    fake_text(&p, "a");
    fake_key(&p, "recalled");
    fake_text(&p, "h");
    fake_number(&p, 2, 1);
    fake_key(&p, "long");
    fake_text(&p, "j");
    fake_number(&p, 1, 4);
    fake_text(&p, "u");
    fake_key(&p, "tensor");
    fake_tensor t = fake_tensor_of("7", 3, 2);
    t.values = 20, t.offset = 1, t.row_stride = 5, t.stride = 4;
    fake_put_tensor(&p, &t);
    fake_text(&p, "s");
    fake_key(&p, "ordered");
    fake_global(&p, "collections", "OrderedDict");
    fake_text(&p, ")R}b");
    fake_text(&p, "s");
    fake_key(&p, "counter");
    fake_global(&p, "collections", "Counter");
    fake_text(&p, "}K\1K\1s\x85Rs");
    fake_key(&p, "tuples");
    fake_text(&p, "N\x85\x85(NNNNt\x86s.");
    return p;
}

static void check_numbers(const chgi_pickle_value *root)
{
    static const int64_t want[6] = {200, 10000, -5, 0, -1, (int64_t)1 << 32};
    const chgi_pickle_value *numbers = chgi_pickle_get(root, "numbers");
    if (!tap_ok(numbers && numbers->kind == CHGI_PICKLE_LIST && numbers->count == 7, "a list of seven"))
        return;
    for (int i = 0; i < 6; i++)
        tap_ok(numbers->items[i]->kind == CHGI_PICKLE_INT && numbers->items[i]->integer == want[i], "integer %lld",
               (long long)want[i]);
    tap_ok(numbers->items[6]->kind == CHGI_PICKLE_REAL && numbers->items[6]->real == -1.25, "a real number");
    tap_ok(chgi_pickle_get(root, "long") == numbers, "a value recalled by a long index");
}

static void check_rest(const chgi_pickle_value *root)
{
    const chgi_pickle_value *flags = chgi_pickle_get(root, "flags"), *tensor = chgi_pickle_get(root, "tensor");
    tap_ok(flags && flags->kind == CHGI_PICKLE_TUPLE && flags->count == 3 &&
               flags->items[0]->kind == CHGI_PICKLE_NONE && flags->items[1]->integer == 1 &&
               flags->items[2]->integer == 0,
           "None, True, False");
    tap_ok(chgi_pickle_is_text(chgi_pickle_get(root, "recalled"), "kept"), "a value recalled by a short index");
    tap_ok(tensor && tensor->kind == CHGI_PICKLE_TENSOR && chgi_pickle_is_text(tensor->items[0]->items[0], "7") &&
               tensor->items[0]->items[1]->integer == 20 && tensor->items[2]->items[1]->integer == 2,
           "a tensor that is a view with gaps");
    const chgi_pickle_value *ordered = chgi_pickle_get(root, "ordered"), *tuples = chgi_pickle_get(root, "tuples");
    tap_ok(ordered && ordered->kind == CHGI_PICKLE_ORDERED && ordered->count == 0, "an OrderedDict with attributes");
    tap_ok(chgi_pickle_get(root, "counter") != NULL, "a Counter");
    tap_ok(tuples && tuples->count == 2 && tuples->items[1]->count == 4, "nested tuples");
    tap_ok(!chgi_pickle_get(root, "absent") && !chgi_pickle_get(tensor, "absent") && !chgi_pickle_get(NULL, "absent"),
           "absent keys");
}

static void check_good(void)
{
    fake_bytes p = everything();
    chgi_pickle pickle;
    uint8_t *copy;
    if (tap_is_int(read_copy(&p, p.length, &pickle, &copy), CHGNET_OK, "a pickle with all operations")) {
        check_numbers(pickle.root);
        check_rest(pickle.root);
    } else {
        tap_note("%s", chgnet_context_error(ctx));
    }
    chgi_pickle_destroy(&pickle);
    free(copy);
    int read = 0;
    for (size_t length = 0; length < p.length; length++) {
        read += read_copy(&p, length, &pickle, &copy) != CHGNET_EINPUT;
        chgi_pickle_destroy(&pickle);
        free(copy);
    }
    tap_is_int(read, 0, "pickles truncated at any byte that are read");
    fake_free(&p);
}

/* ---- what must be refused --------------------------------------------------------------------- */

static void check_malicious(void)
{
    REFUSED("cos\nsystem\n(X\2\0\0\0idtR.", "'os.system'", "os.system");
    REFUSED("cposix\nsystem\n.", "'posix.system'", "posix.system");
    REFUSED("c__builtin__\neval\n.", "'__builtin__.eval'", "eval");
    REFUSED("ctorch\nLongStorage\n.", "'torch.LongStorage'", "a storage of integers");
    REFUSED("ccollections\nOrderedDicts\n.", "'collections.OrderedDicts'", "a name that only begins well");
    REFUSED("ccollections.OrderedDict\n\n.", "'collections.OrderedDict.'", "a module that holds the name");
    REFUSED("c\n\n.", "global '.'", "an empty global");
    REFUSED("\x8cK.", "operation 0x8c", "an operation of protocol 4");
    REFUSED("ios\nsystem\n.", "operation 0x69", "INST");
    REFUSED("(os.", "operation 0x6f", "OBJ");
    REFUSED("NN\x81.", "operation 0x81", "NEWOBJ");
    REFUSED("\x82\1.", "operation 0x82", "EXT1");
    REFUSED("\x93.", "operation 0x93", "STACK_GLOBAL");
    REFUSED("P1\n.", "operation 0x50", "PERSID");
    REFUSED("I1\n.", "operation 0x49", "INT as text");
    REFUSED("N0N.", "operation 0x30", "POP");
    REFUSED("N2\x86.", "operation 0x32", "DUP");
}

static void check_stack(void)
{
    REFUSED(".", "one value", "nothing");
    REFUSED("NN.", "one value", "two values");
    REFUSED("(N.", "one value", "an open group");
    REFUSED("N.N", "goes on", "bytes behind the end");
    REFUSED("\x85.", "more values than there are", "a tuple of what is not there");
    REFUSED("N(\x85.", "more values than there are", "a tuple across a group's border");
    REFUSED("t.", "not opened", "a group that was not opened");
    REFUSED("(u.", "more values than there are", "items without a dictionary");
    REFUSED("N(NNu.", "no dictionary", "items of None");
    REFUSED("](NNu.", "no dictionary", "items of a list");
    REFUSED("}(NNNu.", "without a value", "a key without a value");
    REFUSED("}Na.", "no list", "appending to a dictionary");
    REFUSED("N(Ne.", "no list", "appending to None");
    REFUSED("q\0N.", "more values than there are", "keeping what is not there");
    REFUSED("Nq\1.", "out of order", "a memo with a gap");
    REFUSED("Nr\xff\xff\xff\xff.", "out of order", "a memo of four thousand million");
    REFUSED("h\0.", "was not kept", "recalling what was not kept");
    REFUSED("j\xff\xff\xff\xff.", "was not kept", "recalling index 2^32-1");
    REFUSED("X\xff\xff\xff\xff"
            "abc.",
            "truncated", "a text of 4 GB");
    REFUSED("\x8a\x09\0\0\0\0\0\0\0\0\0.", "64 bits", "an integer of 72 bits");
    REFUSED("\x80\2N.", "not of protocol 2", "a second header");
    fake_bytes p = {0};
    fake_text(&p, "N.");
    refused(p, "not of protocol 2", "no header");
    p = (fake_bytes){0};
    fake_add(&p, "\x80\4N.", 4);
    refused(p, "not of protocol 2", "protocol 4");
}

static void check_calls(void)
{
    REFUSED("N)R.", "no function", "calling None");
    REFUSED("ccollections\nOrderedDict\nNR.", "no function", "arguments that are no tuple");
    REFUSED("ccollections\nOrderedDict\nN\x85R.", "wrong arguments", "an OrderedDict of something");
    REFUSED("ccollections\nCounter\nN\x85R.", "wrong arguments", "a Counter of None");
    REFUSED("ctorch\nFloatStorage\n)R.", "wrong arguments", "calling a storage type");
    REFUSED("}}b.", "no OrderedDict", "attributes of a dictionary");
    REFUSED("ccollections\nOrderedDict\n)RNb.", "no OrderedDict", "attributes that are no dictionary");
    REFUSED("ctorch._utils\n_rebuild_tensor_v2\n)R.", "wrong arguments", "a tensor of nothing");
    REFUSED("ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR.", "wrong arguments", "a tensor of six times None");
    REFUSED("NQ.", "wrong way", "a storage named None");
    REFUSED("(NNNNNtQ.", "wrong way", "a storage of five times None");
}

static void refused_tensor(fake_tensor t, const char *word, const char *name)
{
    fake_bytes p = {0};
    fake_proto(&p);
    fake_put_tensor(&p, &t);
    fake_text(&p, ".");
    refused(p, word, name);
}

static void check_tensors(void)
{
    const fake_tensor good = fake_tensor_of("0", 4, 3);
    fake_tensor t = good;
    t.type = "DoubleStorage";
    refused_tensor(t, "'torch.DoubleStorage'", "a tensor of another type");
    t = good, t.values = 11;
    refused_tensor(t, "beyond its storage", "a storage one value too short");
    t = good, t.values = -1;
    refused_tensor(t, "wrong way", "a storage of negative size");
    t = good, t.offset = 1;
    refused_tensor(t, "beyond its storage", "an offset of one");
    t = good, t.offset = INT32_MAX;
    refused_tensor(t, "beyond its storage", "the largest offset");
    t = good, t.offset = -1;
    refused_tensor(t, "wrong arguments", "a negative offset");
    t = good, t.row_stride = -3;
    refused_tensor(t, "wrong arguments", "a negative stride");
    t = good, t.stride = INT32_MAX;
    refused_tensor(t, "beyond its storage", "the largest stride");
    t = good, t.rows = t.row_stride = t.columns = t.stride = INT32_MAX;
    refused_tensor(t, "beyond its storage", "sizes whose product overflows");
    t = good, t.rows = -4;
    refused_tensor(t, "wrong arguments", "a negative size");
    t = good, t.columns = 0, t.offset = 13;
    refused_tensor(t, "beyond its storage", "an empty view behind the end");
}

/* 64-bit numbers: offset + steps * stride must not wrap around. */
static void check_overflow(void)
{
    static const char *const numbers[] = {"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8a\x08\0\0\0\0\0\0\0\x40",
                                          "\x8a\x08\1\0\0\0\0\0\0\x40"};
    for (size_t i = 0; i < 3; i++) {
        fake_bytes p = {0};
        fake_proto(&p);
        fake_global(&p, "torch._utils", "_rebuild_tensor_v2");
        fake_text(&p, "((");
        fake_key(&p, "storage");
        fake_global(&p, "torch", "FloatStorage");
        fake_key(&p, "0");
        fake_key(&p, "cpu");
        fake_add(&p, numbers[0], 10);
        fake_text(&p, "tQK\1(");
        fake_add(&p, numbers[i], 10);
        fake_add(&p, numbers[i], 10);
        fake_text(&p, "t(");
        fake_add(&p, numbers[i], 10);
        fake_add(&p, numbers[i], 10);
        fake_text(&p, "t\x89");
        fake_global(&p, "collections", "OrderedDict");
        fake_text(&p, ")RtR.");
        refused(p, "beyond its storage", "a view whose end overflows 64 bits");
    }
}

/* Deep nesting and a list that holds itself: read in proportion, without recursion. */
static void check_deep(void)
{
    enum { DEPTH = 1000000 };
    chgi_pickle pickle;
    uint8_t *copy;
    fake_bytes p = {0};
    fake_proto(&p);
    fake_text(&p, "N");
    for (int i = 0; i < DEPTH; i++)
        fake_text(&p, "\x85");
    fake_text(&p, ".");
    tap_is_int(read_copy(&p, p.length, &pickle, &copy), CHGNET_OK, "a million nested tuples");
    chgi_pickle_destroy(&pickle);
    free(copy);
    fake_free(&p);
    p = raw("]q\0h\0a.", 7);
    tap_is_int(read_copy(&p, p.length, &pickle, &copy), CHGNET_OK, "a list that holds itself");
    tap_ok(pickle.root && pickle.root->items[0] == pickle.root, "and does");
    chgi_pickle_destroy(&pickle);
    free(copy);
    fake_free(&p);
    fake_proto(&p);
    for (int i = 0; i < DEPTH; i++)
        fake_text(&p, "(");
    refused(p, "truncated", "a million open groups");
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        return 1;
    check_good();
    check_malicious();
    check_stack();
    check_calls();
    check_tensors();
    check_overflow();
    check_deep();
    chgnet_context_destroy(ctx);
    return tap_done();
}
