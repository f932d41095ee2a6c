/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base/memory.h"
#include "crystal/phonopy.h"

/* A line of the file: `indent` blanks, then perhaps a dash, a key, and a value. */
typedef struct entry {
    size_t indent;
    bool dash;
    chgi_span key, value;
} entry;

typedef enum part { OTHER, LATTICE, POINTS, DISPLACEMENTS } part;

/* An item of a list, an atom or a displacement, is whole when it has two things. */
enum { HAS_NAME = 1, HAS_VECTOR = 2 };

typedef struct place {
    int32_t number;
    double at[3]; /* in fractions of the cell */
} place;

typedef struct reader {
    chgi_lines *lines;
    part part;
    bool in_supercell;
    size_t sub_indent;  /* of the supercell's keys; 0: not known */
    size_t item_indent; /* of the dashes of the list that is read */
    chgi_span key;      /* the last one: what follows on lines of its own belongs to it */
    int has;            /* of the item that is read */
    long item_line, displacements_line;
    int n_row;
    double cell[3][3];
    place *places;
    size_t n_place, place_capacity;
    chgi_displacement *displacements;
    size_t n_displacement, displacement_capacity;
} reader;

/* ---- lines ------------------------------------------------------------------------------------ */

static chgi_span trim(chgi_span s)
{
    while (s.length > 0 && strchr(" \t\r", s.text[0]))
        s = (chgi_span){s.text + 1, s.length - 1};
    while (s.length > 0 && strchr(" \t\r", s.text[s.length - 1]))
        s.length--;
    return s;
}

/* A comment begins with '#' behind a blank, outside of quotes. */
static chgi_span without_comment(chgi_span s)
{
    char quote = 0;
    for (size_t i = 0; i < s.length; i++) {
        if (quote)
            quote = s.text[i] == quote ? 0 : quote;
        else if (s.text[i] == '"' || s.text[i] == '\'')
            quote = s.text[i];
        else if (s.text[i] == '#' && (i == 0 || s.text[i - 1] == ' '))
            s.length = i;
    }
    return s;
}

/* Take "key:" off the front of what is left of a line. */
static void split(chgi_span s, entry *e)
{
    e->key = (chgi_span){s.text, 0};
    e->value = s;
    if (s.length == 0 || strchr("[\"'", s.text[0]))
        return;
    for (size_t i = 0; i < s.length; i++)
        if (s.text[i] == ':' && (i + 1 == s.length || s.text[i + 1] == ' ')) {
            e->key = trim((chgi_span){s.text, i});
            e->value = trim((chgi_span){s.text + i + 1, s.length - i - 1});
            return;
        }
}

/* The next line that is not blank.  \return false at the end of the file */
static bool next_entry(chgi_lines *lines, entry *e)
{
    chgi_span line;
    while (chgi_lines_next(lines, &line)) {
        line = without_comment(line);
        size_t indent = 0;
        while (indent < line.length && line.text[indent] == ' ')
            indent++;
        chgi_span rest = trim((chgi_span){line.text + indent, line.length - indent});
        if (rest.length == 0 || chgi_span_equals(rest, "---"))
            continue;
        e->indent = indent;
        e->dash = rest.text[0] == '-' && (rest.length == 1 || rest.text[1] == ' ');
        split(e->dash ? trim((chgi_span){rest.text + 1, rest.length - 1}) : rest, e);
        return true;
    }
    return false;
}

bool chgi_phonopy_recognise(const chgi_lines *lines)
{
    static const char *const keys[] = {"phonopy", "displacements", "supercell_matrix"};
    chgi_lines ahead = *lines;
    entry e;
    while (next_entry(&ahead, &e))
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (e.indent == 0 && !e.dash && e.value.length == 0 && chgi_span_equals(e.key, keys[k]))
                return true;
    return false;
}

static chgnet_status fail(const reader *r, const char *what, const char *right)
{
    return chgi_lines_fail(r->lines, r->lines->line, "%s; %s", what, right);
}

/* ---- values ----------------------------------------------------------------------------------- */

static chgi_span unquote(chgi_span s)
{
    bool quoted = s.length >= 2 && (s.text[0] == '"' || s.text[0] == '\'') && s.text[s.length - 1] == s.text[0];
    return quoted ? (chgi_span){s.text + 1, s.length - 2} : s;
}

/* [ x, y, z ] */
static chgnet_status take_vector(const reader *r, chgi_span s, const char *what, double vector[3])
{
    bool good = s.length >= 2 && s.text[0] == '[' && s.text[s.length - 1] == ']';
    chgi_span rest = {s.text + 1, good ? s.length - 2 : 0};
    for (int k = 0; good && k < 3; k++) {
        const char *comma = memchr(rest.text, ',', rest.length);
        size_t length = comma ? (size_t)(comma - rest.text) : rest.length;
        good = (comma != NULL) == (k < 2);
        if (good)
            CHGI_TRY(
                chgi_lines_length(r->lines, r->lines->line, trim((chgi_span){rest.text, length}), what, &vector[k]));
        if (comma)
            rest = (chgi_span){comma + 1, rest.length - length - 1};
    }
    return good ? CHGNET_OK
                : chgi_lines_fail(r->lines, r->lines->line, "%s '%.*s' is wrong; give it as [ x, y, z ]", what,
                                  CHGI_SPAN(s));
}

static chgnet_status take_symbol(const reader *r, chgi_span value, int32_t *number)
{
    chgi_span symbol = unquote(value);
    while (symbol.length > 0 && strchr("0123456789", symbol.text[symbol.length - 1])) /* Fe1 is a kind of Fe */
        symbol.length--;
    *number = chgi_element_number(symbol.text, symbol.length);
    return *number > 0 ? CHGNET_OK
                       : chgi_lines_fail(r->lines, r->lines->line, "'%.*s' is not an element; give a symbol such as Fe",
                                         CHGI_SPAN(value));
}

static chgnet_status take_atom(const reader *r, chgi_span value, int32_t *atom)
{
    int64_t n;
    if (!chgi_text_to_int(value.text, value.length, &n) || n < 1 || n > INT32_MAX)
        return chgi_lines_fail(r->lines, r->lines->line, "'%.*s' is not the number of an atom; they count from 1",
                               CHGI_SPAN(value));
    *atom = (int32_t)(n - 1);
    return CHGNET_OK;
}

static chgnet_status note(reader *r, int what)
{
    if (r->has & what)
        return chgi_lines_fail(r->lines, r->lines->line, "'%.*s' is there a second time; give it once",
                               CHGI_SPAN(r->key));
    r->has |= what;
    return CHGNET_OK;
}

static chgnet_status take_point_value(reader *r, chgi_span value)
{
    place *p = &r->places[r->n_place - 1];
    if (chgi_span_equals(r->key, "symbol")) {
        CHGI_TRY(note(r, HAS_NAME));
        return take_symbol(r, value, &p->number);
    }
    if (chgi_span_equals(r->key, "coordinates") || chgi_span_equals(r->key, "position")) {
        CHGI_TRY(note(r, HAS_VECTOR));
        return take_vector(r, value, "coordinate", p->at);
    }
    if (chgi_span_equals(r->key, "weight") || chgi_span_equals(r->key, "mixture"))
        return fail(r, "a site of several elements", "give each site one element");
    return CHGNET_OK;
}

static chgnet_status take_displacement_value(reader *r, chgi_span value)
{
    chgi_displacement *d = &r->displacements[r->n_displacement - 1];
    if (chgi_span_equals(r->key, "atom")) {
        CHGI_TRY(note(r, HAS_NAME));
        return take_atom(r, value, &d->atom);
    }
    if (!chgi_span_equals(r->key, "displacement"))
        return CHGNET_OK;
    CHGI_TRY(note(r, HAS_VECTOR));
    CHGI_TRY(take_vector(r, value, "displacement", d->vector));
    if (d->vector[0] == 0 && d->vector[1] == 0 && d->vector[2] == 0)
        return fail(r, "a displacement of nothing", "give it a length, such as 0.01 A");
    return CHGNET_OK;
}

static chgnet_status take_value(reader *r, chgi_span value)
{
    if (value.length == 0)
        return CHGNET_OK;
    return r->part == POINTS ? take_point_value(r, value) : take_displacement_value(r, value);
}

/* ---- parts ------------------------------------------------------------------------------------ */

static chgnet_status end_item(reader *r)
{
    if (r->item_line > 0 && r->has != (HAS_NAME | HAS_VECTOR))
        return chgi_lines_fail(r->lines, r->item_line, "%s",
                               r->part == POINTS ? "an atom without symbol or coordinates; give both"
                                                 : "a displacement without atom or displacement; give both");
    r->item_line = 0;
    return CHGNET_OK;
}

static chgnet_status begin_item(reader *r, const entry *e)
{
    chgnet_context *ctx = r->lines->ctx;
    CHGI_TRY(end_item(r));
    r->item_line = r->lines->line;
    r->item_indent = e->indent;
    r->has = 0;
    if (r->part == POINTS) {
        CHGI_TRY(chgi_memory_grow(ctx, &r->places, &r->place_capacity, r->n_place + 1, sizeof *r->places));
        r->n_place++;
        return CHGNET_OK;
    }
    CHGI_TRY(chgi_memory_grow(ctx, &r->displacements, &r->displacement_capacity, r->n_displacement + 1,
                              sizeof *r->displacements));
    r->n_displacement++;
    return CHGNET_OK;
}

static chgnet_status fail_type2(const reader *r)
{
    return fail(r, "displacements of all atoms at once (phonopy's dataset of type 2)",
                "make them one atom at a time, without --rd");
}

static chgnet_status read_item(reader *r, const entry *e)
{
    bool begins = e->dash && (r->item_line == 0 || e->indent <= r->item_indent);
    if (begins && e->key.length == 0)
        return r->part == DISPLACEMENTS ? fail_type2(r) : fail(r, "no atom", "give '- symbol: ' and its element");
    if (begins)
        CHGI_TRY(begin_item(r, e));
    else if (r->item_line == 0)
        return fail(r, "a value outside of the list", "begin its item with '- '");
    else if (e->dash) /* a list inside of the item: forces of earlier work */
        return CHGNET_OK;
    if (e->key.length > 0)
        r->key = e->key;
    return take_value(r, e->value);
}

static chgnet_status read_row(reader *r, const entry *e)
{
    if (!e->dash || r->n_row == 3)
        return fail(r, "the lattice has not three vectors", "give three lines as '- [ x, y, z ]'");
    return take_vector(r, e->value, "lattice vector", r->cell[r->n_row++]);
}

static chgnet_status begin_part(reader *r, chgi_span key)
{
    r->part = chgi_span_equals(key, "lattice")                                    ? LATTICE
              : chgi_span_equals(key, "points") || chgi_span_equals(key, "atoms") ? POINTS
                                                                                  : OTHER;
    if ((r->part == LATTICE && r->n_row > 0) || (r->part == POINTS && r->n_place > 0))
        return fail(r, "a second supercell", "give one");
    return CHGNET_OK;
}

static chgnet_status check_unit(const reader *r, const entry *e)
{
    bool is_length = chgi_span_equals(e->key, "length"), is_force = chgi_span_equals(e->key, "force");
    if ((is_length && !chgi_span_equals(unquote(e->value), "angstrom")) ||
        (is_force && !chgi_span_equals(unquote(e->value), "eV/angstrom")))
        return chgi_lines_fail(r->lines, r->lines->line,
                               "the unit %.*s; let phonopy make the cells as for VASP, in Angstrom",
                               CHGI_SPAN(e->value));
    return CHGNET_OK;
}

static chgnet_status begin_section(reader *r, const entry *e)
{
    r->key = e->key;
    r->in_supercell = chgi_span_equals(e->key, "supercell");
    r->sub_indent = 0;
    if (chgi_span_equals(e->key, "dataset"))
        return fail_type2(r);
    if (!chgi_span_equals(e->key, "displacements"))
        return begin_part(r, e->key);
    if (r->n_displacement > 0 || r->displacements_line > 0)
        return fail(r, "a second list of displacements", "give one");
    r->displacements_line = r->lines->line;
    r->part = DISPLACEMENTS;
    return CHGNET_OK;
}

static chgnet_status read_entry(reader *r, const entry *e)
{
    if (e->indent == 0 && !e->dash) {
        CHGI_TRY(end_item(r));
        if (e->key.length == 0)
            return fail(r, "a line without a key", "this is not as phonopy writes it");
        return begin_section(r, e);
    }
    if (r->in_supercell && !e->dash && e->key.length > 0 && (r->sub_indent == 0 || e->indent == r->sub_indent)) {
        CHGI_TRY(end_item(r));
        r->sub_indent = e->indent;
        return begin_part(r, e->key);
    }
    if (chgi_span_equals(r->key, "physical_unit"))
        return check_unit(r, e);
    if (r->part == LATTICE)
        return read_row(r, e);
    return r->part == OTHER ? CHGNET_OK : read_item(r, e);
}

/* ---- the whole -------------------------------------------------------------------------------- */

static chgnet_status check_whole(const reader *r)
{
    const char *right = "give phonopy_disp.yaml as `phonopy -d` writes it";
    if (r->n_row != 3)
        return fail(r, "no supercell with three lattice vectors", right);
    if (r->n_place == 0)
        return fail(r, "no atoms of a supercell", right);
    if (r->n_displacement == 0)
        return fail(r, "no displacements", right);
    for (size_t k = 0; k < r->n_displacement; k++)
        if ((size_t)r->displacements[k].atom >= r->n_place)
            return chgi_lines_fail(r->lines, r->displacements_line, "displacement %lld is that of atom %lld of %lld",
                                   (long long)k + 1, (long long)r->displacements[k].atom + 1, (long long)r->n_place);
    return CHGNET_OK;
}

static chgnet_status make_supercell(const reader *r, chgi_structure *s)
{
    CHGI_TRY(chgi_structure_create(r->lines->ctx, (int64_t)r->n_place, s));
    memcpy(s->cell, r->cell, sizeof s->cell);
    s->pbc[0] = s->pbc[1] = s->pbc[2] = true;
    for (size_t k = 0; k < r->n_place; k++) {
        s->numbers[k] = r->places[k].number;
        for (int c = 0; c < 9; c++)
            s->positions[3 * k + (size_t)c % 3] += r->places[k].at[c / 3] * r->cell[c / 3][c % 3];
    }
    chgnet_status status = chgi_structure_check(r->lines->ctx, s, CHGI_MAX_ELEMENT);
    return status == CHGNET_OK ? status : chgi_lines_locate(r->lines, 0, status);
}

static chgnet_status read_all(reader *r, chgi_displaced *cells)
{
    entry e;
    while (next_entry(r->lines, &e))
        CHGI_TRY(read_entry(r, &e));
    CHGI_TRY(end_item(r));
    CHGI_TRY(check_whole(r));
    CHGI_TRY(make_supercell(r, &cells->supercell));
    cells->n_displacement = (int64_t)r->n_displacement;
    cells->displacements = r->displacements;
    r->displacements = NULL;
    return CHGNET_OK;
}

chgnet_status chgi_phonopy_read(chgi_lines *lines, chgi_displaced *cells)
{
    reader r = {.lines = lines, .key = {"", 0}};
    *cells = (chgi_displaced){0};
    if (memchr(lines->text, '\0', lines->length))
        return chgi_lines_fail(lines, 0, "a binary file; phonopy_disp.yaml is text");
    chgnet_status status = read_all(&r, cells);
    chgi_memory_free(r.places);
    chgi_memory_free(r.displacements);
    if (status != CHGNET_OK)
        chgi_displaced_destroy(cells);
    return status;
}
