#include "store/pickle.h"

#include <string.h>

#include "base/memory.h"

/* The operations of protocol 2 that a checkpoint needs; values from Python's pickletools. */
enum {
    OP_MARK = '(',
    OP_STOP = '.',
    OP_BINFLOAT = 'G',
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BININT2 = 'M',
    OP_NONE = 'N',
    OP_BINPERSID = 'Q',
    OP_REDUCE = 'R',
    OP_BINUNICODE = 'X',
    OP_EMPTY_LIST = ']',
    OP_APPEND = 'a',
    OP_BUILD = 'b',
    OP_GLOBAL = 'c',
    OP_EMPTY_DICT = '}',
    OP_APPENDS = 'e',
    OP_BINGET = 'h',
    OP_LONG_BINGET = 'j',
    OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r',
    OP_SETITEM = 's',
    OP_TUPLE = 't',
    OP_EMPTY_TUPLE = ')',
    OP_SETITEMS = 'u',
    OP_PROTO = 0x80,
    OP_TUPLE1 = 0x85,
    OP_TUPLE2 = 0x86,
    OP_TUPLE3 = 0x87,
    OP_NEWTRUE = 0x88,
    OP_NEWFALSE = 0x89,
    OP_LONG1 = 0x8a
};

/* The globals; Counter is in the checkpoints of upstream's trainer with a MultiStepLR schedule. */
enum { GLOBAL_ORDERED_DICT, GLOBAL_REBUILD_TENSOR, GLOBAL_FLOAT_STORAGE, GLOBAL_COUNTER, N_GLOBAL };
static const char *const global_names[N_GLOBAL] = {
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch.FloatStorage",
    "collections.Counter",
};

typedef chgi_pickle_value value;

/* Memory is handed out in blocks that are freed together. */
typedef struct block {
    struct block *next;
    size_t used, size;
} block;

enum { BLOCK_SIZE = 1 << 16, BLOCK_HEAD = 64, MOST_BYTES = 1 << 30 };

typedef struct machine {
    chgnet_context *ctx;
    const uint8_t *bytes;
    size_t length, at;
    block *blocks;
    value **stack;
    size_t depth, stack_capacity;
    size_t *marks; /* depths of the stack */
    size_t n_mark, mark_capacity;
    value **memo;
    size_t n_memo, memo_capacity;
    bool stopped;
} machine;

static chgnet_status refuse(machine *m, const char *problem)
{
    return chgi_context_fail(
        m->ctx, CHGNET_EINPUT,
        "the checkpoint's pickle %s at byte %zu; a checkpoint as upstream's trainer saves it is needed", problem,
        m->at);
}

/* ---- memory ----------------------------------------------------------------------------------- */

static void *take(machine *m, size_t size)
{
    size = (size + 7) / 8 * 8;
    if (!m->blocks || m->blocks->size - m->blocks->used < size) {
        size_t room = size > BLOCK_SIZE - BLOCK_HEAD ? size + BLOCK_HEAD : BLOCK_SIZE;
        block *fresh = chgi_memory_new(room, 1);
        if (!fresh)
            return NULL;
        *fresh = (block){.next = m->blocks, .used = BLOCK_HEAD, .size = room};
        m->blocks = fresh;
    }
    void *taken = (char *)m->blocks + m->blocks->used;
    m->blocks->used += size;
    return taken;
}

static chgnet_status push(machine *m, value *v)
{
    CHGI_TRY(chgi_memory_grow(m->ctx, &m->stack, &m->stack_capacity, m->depth + 1, sizeof *m->stack));
    m->stack[m->depth++] = v;
    return CHGNET_OK;
}

static chgnet_status push_new(machine *m, value content)
{
    value *v = take(m, sizeof *v);
    if (!v)
        return chgi_context_nomem(m->ctx, 1, sizeof *v);
    *v = content;
    return push(m, v);
}

/* Append to a list or dictionary; its room doubles. */
static chgnet_status append(machine *m, value *list, value *item)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 4;
        value **items = take(m, capacity * sizeof *items);
        if (!items)
            return chgi_context_nomem(m->ctx, capacity, sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return CHGNET_OK;
}

/* ---- stack ------------------------------------------------------------------------------------ */

/* The lowest place of the stack that the operations may reach: nothing below the last mark. */
static size_t floor_of(const machine *m)
{
    return m->n_mark ? m->marks[m->n_mark - 1] : 0;
}

static chgnet_status need(machine *m, size_t count)
{
    return m->depth - floor_of(m) >= count ? CHGNET_OK : refuse(m, "takes more values than there are");
}

static value *top(const machine *m, size_t below)
{
    return m->stack[m->depth - 1 - below];
}

static chgnet_status pop_mark(machine *m, size_t *start)
{
    if (m->n_mark == 0)
        return refuse(m, "closes a group that was not opened");
    *start = m->marks[--m->n_mark];
    return CHGNET_OK;
}

static chgnet_status push_mark(machine *m)
{
    CHGI_TRY(chgi_memory_grow(m->ctx, &m->marks, &m->mark_capacity, m->n_mark + 1, sizeof *m->marks));
    m->marks[m->n_mark++] = m->depth;
    return CHGNET_OK;
}

/* A tuple from the values from `start` up. */
static chgnet_status make_tuple(machine *m, size_t start)
{
    size_t count = m->depth - start;
    value tuple = {.kind = CHGI_PICKLE_TUPLE, .count = (uint32_t)count};
    tuple.items = take(m, (count ? count : 1) * sizeof *tuple.items);
    if (!tuple.items)
        return chgi_context_nomem(m->ctx, count, sizeof *tuple.items);
    if (count)
        memcpy(tuple.items, m->stack + start, count * sizeof *tuple.items);
    m->depth = start;
    return push_new(m, tuple);
}

static chgnet_status make_short_tuple(machine *m, size_t count)
{
    CHGI_TRY(need(m, count));
    return make_tuple(m, m->depth - count);
}

static chgnet_status make_long_tuple(machine *m)
{
    size_t start = 0;
    CHGI_TRY(pop_mark(m, &start));
    return make_tuple(m, start);
}

static bool is_dict(const value *v)
{
    return v->kind == CHGI_PICKLE_DICT || v->kind == CHGI_PICKLE_ORDERED;
}

/* Append the values from `start` up to the list or dictionary below them. */
static chgnet_status extend(machine *m, size_t start, bool dict)
{
    if (start <= floor_of(m))
        return refuse(m, "takes more values than there are");
    value *target = m->stack[start - 1];
    if (dict ? !is_dict(target) : target->kind != CHGI_PICKLE_LIST)
        return refuse(m, dict ? "sets an item of something that is no dictionary"
                              : "appends to something that is no list");
    if (dict && (m->depth - start) % 2 != 0)
        return refuse(m, "has a key without a value");
    for (size_t i = start; i < m->depth; i++)
        CHGI_TRY(append(m, target, m->stack[i]));
    m->depth = start;
    return CHGNET_OK;
}

static chgnet_status extend_by_mark(machine *m, bool dict)
{
    size_t start = 0;
    CHGI_TRY(pop_mark(m, &start));
    return extend(m, start, dict);
}

static chgnet_status extend_by_count(machine *m, size_t count, bool dict)
{
    CHGI_TRY(need(m, count + 1));
    return extend(m, m->depth - count, dict);
}

/* ---- reading bytes ---------------------------------------------------------------------------- */

static chgnet_status take_bytes(machine *m, size_t count, const uint8_t **bytes)
{
    if (m->length - m->at < count)
        return refuse(m, "ends too early: the file is truncated");
    *bytes = m->bytes + m->at;
    m->at += count;
    return CHGNET_OK;
}

/* An unsigned little-endian number. */
static chgnet_status take_number(machine *m, size_t count, uint64_t *number)
{
    const uint8_t *bytes = NULL;
    CHGI_TRY(take_bytes(m, count, &bytes));
    *number = 0;
    for (size_t i = 0; i < count; i++)
        *number |= (uint64_t)bytes[i] << (8 * i);
    return CHGNET_OK;
}

static chgnet_status push_integer(machine *m, size_t count)
{
    uint64_t number = 0;
    CHGI_TRY(take_number(m, count, &number));
    int64_t integer = count == 4 ? (int64_t)(number ^ 0x80000000u) - 0x80000000ll : (int64_t)number;
    return push_new(m, (value){.kind = CHGI_PICKLE_INT, .integer = integer});
}

/* A longer integer, two's complement in up to eight bytes. */
static chgnet_status push_long(machine *m)
{
    uint64_t count = 0, number = 0;
    CHGI_TRY(take_number(m, 1, &count));
    if (count > 8)
        return refuse(m, "has an integer of more than 64 bits");
    CHGI_TRY(take_number(m, (size_t)count, &number));
    if (count > 0 && count < 8 && number >> (8 * count - 1))
        number |= ~(uint64_t)0 << (8 * count);
    int64_t integer;
    memcpy(&integer, &number, sizeof integer);
    return push_new(m, (value){.kind = CHGI_PICKLE_INT, .integer = integer});
}

static chgnet_status push_real(machine *m)
{
    const uint8_t *bytes = NULL;
    uint64_t bits = 0;
    CHGI_TRY(take_bytes(m, 8, &bytes));
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i]; /* the one big-endian number of the format */
    value v = {.kind = CHGI_PICKLE_REAL};
    memcpy(&v.real, &bits, sizeof v.real);
    return push_new(m, v);
}

static chgnet_status push_text(machine *m)
{
    uint64_t count = 0;
    const uint8_t *bytes = NULL;
    CHGI_TRY(take_number(m, 4, &count));
    CHGI_TRY(take_bytes(m, (size_t)count, &bytes));
    return push_new(m, (value){.kind = CHGI_PICKLE_TEXT, .count = (uint32_t)count, .text = (const char *)bytes});
}

/* A line without its newline. */
static chgnet_status take_line(machine *m, const char **line, size_t *length)
{
    const uint8_t *start = m->bytes + m->at, *end = memchr(start, '\n', m->length - m->at);
    if (!end)
        return refuse(m, "ends too early: the file is truncated");
    *line = (const char *)start;
    *length = (size_t)(end - start);
    m->at += *length + 1;
    return CHGNET_OK;
}

/* ---- memo ------------------------------------------------------------------------------------- */

static chgnet_status put(machine *m, size_t width)
{
    uint64_t place = 0;
    CHGI_TRY(take_number(m, width, &place));
    CHGI_TRY(need(m, 1));
    if (place > m->n_memo)
        return refuse(m, "numbers its memo out of order");
    if (place == m->n_memo) {
        CHGI_TRY(chgi_memory_grow(m->ctx, &m->memo, &m->memo_capacity, m->n_memo + 1, sizeof *m->memo));
        m->n_memo++;
    }
    m->memo[place] = top(m, 0);
    return CHGNET_OK;
}

static chgnet_status get(machine *m, size_t width)
{
    uint64_t place = 0;
    CHGI_TRY(take_number(m, width, &place));
    if (place >= m->n_memo)
        return refuse(m, "recalls a value that was not kept");
    return push(m, m->memo[place]);
}

/* ---- globals, storages, tensors --------------------------------------------------------------- */

static bool names_global(const char *full, const char *module, size_t module_length, const char *name,
                         size_t name_length)
{
    return strlen(full) == module_length + 1 + name_length && memcmp(full, module, module_length) == 0 &&
           full[module_length] == '.' && memcmp(full + module_length + 1, name, name_length) == 0;
}

static chgnet_status push_global(machine *m)
{
    const char *module = NULL, *name = NULL;
    size_t module_length = 0, name_length = 0;
    CHGI_TRY(take_line(m, &module, &module_length));
    CHGI_TRY(take_line(m, &name, &name_length));
    for (int i = 0; i < N_GLOBAL; i++)
        if (names_global(global_names[i], module, module_length, name, name_length))
            return push_new(m, (value){.kind = CHGI_PICKLE_GLOBAL, .integer = i});
    return chgi_context_fail(m->ctx, CHGNET_EINPUT,
                             "the checkpoint uses the global '%.*s.%.*s'; only collections.OrderedDict, "
                             "torch._utils._rebuild_tensor_v2 and torch.FloatStorage are needed for CHGNet's weights",
                             module_length > 100 ? 100 : (int)module_length, module,
                             name_length > 100 ? 100 : (int)name_length, name);
}

static bool is_global(const value *v, int which)
{
    return v->kind == CHGI_PICKLE_GLOBAL && v->integer == which;
}

/* ("storage", torch.FloatStorage, entry, device, number of values) names a storage. */
static chgnet_status push_storage(machine *m)
{
    CHGI_TRY(need(m, 1));
    const value *id = top(m, 0);
    bool good = id->kind == CHGI_PICKLE_TUPLE && id->count == 5 && chgi_pickle_is_text(id->items[0], "storage") &&
                is_global(id->items[1], GLOBAL_FLOAT_STORAGE) && id->items[2]->kind == CHGI_PICKLE_TEXT &&
                id->items[3]->kind == CHGI_PICKLE_TEXT && id->items[4]->kind == CHGI_PICKLE_INT &&
                id->items[4]->integer >= 0;
    if (!good)
        return refuse(m, "names a storage in a wrong way");
    value storage = {.kind = CHGI_PICKLE_STORAGE, .count = 2};
    storage.items = take(m, 2 * sizeof *storage.items);
    if (!storage.items)
        return chgi_context_nomem(m->ctx, 2, sizeof *storage.items);
    storage.items[0] = id->items[2];
    storage.items[1] = id->items[4];
    m->depth--;
    return push_new(m, storage);
}

static bool are_sizes(const value *v)
{
    if (v->kind != CHGI_PICKLE_TUPLE || v->count > CHGI_PICKLE_MAX_RANK)
        return false;
    for (uint32_t i = 0; i < v->count; i++)
        if (v->items[i]->kind != CHGI_PICKLE_INT || v->items[i]->integer < 0)
            return false;
    return true;
}

/* Whether the last value of the view lies inside the storage: offset + sum (size - 1) stride < values. */
static bool view_fits(const value *storage, const value *offset, const value *sizes, const value *strides)
{
    int64_t values = storage->items[1]->integer, last = offset->integer;
    for (uint32_t i = 0; i < sizes->count; i++)
        if (sizes->items[i]->integer == 0)
            return last <= values;
    for (uint32_t i = 0; i < sizes->count; i++) {
        int64_t steps = sizes->items[i]->integer - 1, stride = strides->items[i]->integer;
        if (last >= values || (stride > 0 && steps > (values - last) / stride))
            return false;
        last += steps * stride;
    }
    return last < values;
}

/* _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks[, metadata]) */
static chgnet_status make_tensor(machine *m, const value *arguments)
{
    value *const *a = arguments->items;
    bool good = (arguments->count == 6 || arguments->count == 7) && a[0]->kind == CHGI_PICKLE_STORAGE &&
                a[1]->kind == CHGI_PICKLE_INT && a[1]->integer >= 0 && are_sizes(a[2]) && are_sizes(a[3]) &&
                a[2]->count == a[3]->count && a[4]->kind == CHGI_PICKLE_BOOL && is_dict(a[5]) &&
                (arguments->count == 6 || is_dict(a[6]) || a[6]->kind == CHGI_PICKLE_NONE);
    if (!good)
        return refuse(m, "builds a tensor from wrong arguments");
    if (!view_fits(a[0], a[1], a[2], a[3]))
        return refuse(m, "has a tensor that reaches beyond its storage");
    return push_new(m, (value){.kind = CHGI_PICKLE_TENSOR, .count = 4, .items = arguments->items});
}

/* The only calls: an empty OrderedDict, a Counter of a dictionary, a tensor. */
static chgnet_status reduce(machine *m)
{
    CHGI_TRY(need(m, 2));
    const value *function = top(m, 1), *arguments = top(m, 0);
    if (function->kind != CHGI_PICKLE_GLOBAL || arguments->kind != CHGI_PICKLE_TUPLE)
        return refuse(m, "calls something that is no function");
    m->depth -= 2;
    if (function->integer == GLOBAL_REBUILD_TENSOR)
        return make_tensor(m, arguments);
    if (function->integer == GLOBAL_ORDERED_DICT && arguments->count == 0)
        return push_new(m, (value){.kind = CHGI_PICKLE_ORDERED});
    if (function->integer == GLOBAL_COUNTER && arguments->count <= 1 &&
        (arguments->count == 0 || arguments->items[0]->kind == CHGI_PICKLE_DICT))
        return push_new(m, (value){.kind = CHGI_PICKLE_ORDERED}); /* a schedule's milestones: not kept */
    return refuse(m, "calls a function with wrong arguments");
}

/* Attributes of an OrderedDict (PyTorch's _metadata): checked for their type, then dropped. */
static chgnet_status build(machine *m)
{
    CHGI_TRY(need(m, 2));
    if (top(m, 1)->kind != CHGI_PICKLE_ORDERED || !is_dict(top(m, 0)))
        return refuse(m, "sets attributes of something that is no OrderedDict");
    m->depth--;
    return CHGNET_OK;
}

/* ---- the machine ------------------------------------------------------------------------------ */

static chgnet_status check_protocol(machine *m)
{
    uint64_t version = 0;
    CHGI_TRY(take_number(m, 1, &version));
    return version == 2 && m->at == 2 ? CHGNET_OK : refuse(m, "is not of protocol 2");
}

/* Operations that only make a value. */
static chgnet_status run_data(machine *m, int op)
{
    switch (op) {
    case OP_NONE:
        return push_new(m, (value){.kind = CHGI_PICKLE_NONE});
    case OP_NEWTRUE:
        return push_new(m, (value){.kind = CHGI_PICKLE_BOOL, .integer = 1});
    case OP_NEWFALSE:
        return push_new(m, (value){.kind = CHGI_PICKLE_BOOL});
    case OP_BININT:
        return push_integer(m, 4);
    case OP_BININT1:
        return push_integer(m, 1);
    case OP_BININT2:
        return push_integer(m, 2);
    case OP_LONG1:
        return push_long(m);
    case OP_BINFLOAT:
        return push_real(m);
    case OP_BINUNICODE:
        return push_text(m);
    case OP_EMPTY_LIST:
        return push_new(m, (value){.kind = CHGI_PICKLE_LIST});
    case OP_EMPTY_DICT:
        return push_new(m, (value){.kind = CHGI_PICKLE_DICT});
    case OP_EMPTY_TUPLE:
        return make_short_tuple(m, 0);
    case OP_TUPLE:
        return make_long_tuple(m);
    case OP_TUPLE1:
        return make_short_tuple(m, 1);
    case OP_TUPLE2:
        return make_short_tuple(m, 2);
    case OP_TUPLE3:
        return make_short_tuple(m, 3);
    default:
        return chgi_context_fail(m->ctx, CHGNET_EINPUT,
                                 "the checkpoint's pickle uses operation 0x%02x at byte %zu; a "
                                 "checkpoint of CHGNet does not need it",
                                 (unsigned)op, m->at - 1);
    }
}

static chgnet_status run_one(machine *m, int op)
{
    switch (op) {
    case OP_PROTO:
        return check_protocol(m);
    case OP_MARK:
        return push_mark(m);
    case OP_STOP:
        m->stopped = true;
        return CHGNET_OK;
    case OP_BINPUT:
        return put(m, 1);
    case OP_LONG_BINPUT:
        return put(m, 4);
    case OP_BINGET:
        return get(m, 1);
    case OP_LONG_BINGET:
        return get(m, 4);
    case OP_APPEND:
        return extend_by_count(m, 1, false);
    case OP_APPENDS:
        return extend_by_mark(m, false);
    case OP_SETITEM:
        return extend_by_count(m, 2, true);
    case OP_SETITEMS:
        return extend_by_mark(m, true);
    case OP_GLOBAL:
        return push_global(m);
    case OP_BINPERSID:
        return push_storage(m);
    case OP_REDUCE:
        return reduce(m);
    case OP_BUILD:
        return build(m);
    default:
        return run_data(m, op);
    }
}

static chgnet_status run(machine *m)
{
    if (m->length > MOST_BYTES) /* counts of values fit into 32 bits */
        return refuse(m, "is larger than 1 GiB");
    if (m->length < 2 || m->bytes[0] != OP_PROTO)
        return refuse(m, "is not of protocol 2");
    while (!m->stopped) {
        const uint8_t *op = NULL;
        CHGI_TRY(take_bytes(m, 1, &op));
        CHGI_TRY(run_one(m, *op));
    }
    if (m->at != m->length)
        return refuse(m, "goes on after its end");
    if (m->depth != 1 || m->n_mark != 0)
        return refuse(m, "does not end with one value");
    return CHGNET_OK;
}

chgnet_status chgi_pickle_read(chgnet_context *ctx, const uint8_t *bytes, size_t length, chgi_pickle *pickle)
{
    machine m = {.ctx = ctx, .bytes = bytes, .length = length};
    chgnet_status status = run(&m);
    *pickle = (chgi_pickle){.blocks = m.blocks};
    if (status == CHGNET_OK)
        pickle->root = m.stack[0];
    else
        chgi_pickle_destroy(pickle);
    chgi_memory_free(m.stack);
    chgi_memory_free(m.marks);
    chgi_memory_free(m.memo);
    return status;
}

void chgi_pickle_destroy(chgi_pickle *pickle)
{
    for (block *b = pickle->blocks; b;) {
        block *next = b->next;
        chgi_memory_free(b);
        b = next;
    }
    *pickle = (chgi_pickle){0};
}

bool chgi_pickle_is_text(const chgi_pickle_value *v, const char *text)
{
    return v && v->kind == CHGI_PICKLE_TEXT && v->count == strlen(text) && memcmp(v->text, text, v->count) == 0;
}

const chgi_pickle_value *chgi_pickle_get(const chgi_pickle_value *dict, const char *key)
{
    if (!dict || !is_dict(dict))
        return NULL;
    for (uint32_t i = dict->count; i >= 2; i -= 2)
        if (chgi_pickle_is_text(dict->items[i - 2], key))
            return dict->items[i - 1];
    return NULL;
}
