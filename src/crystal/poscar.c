/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/poscar.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* More than enough for every alloy in VASP's own limit of species. */
enum { MAX_GROUPS = 100000 };

typedef struct group {
    int z;
    int64_t count;
} group;

typedef struct poscar {
    chgi_lines *lines;
    chgi_structure *structure;
    chgi_span comment;
    double scale[3];
    group *groups;
    size_t group_capacity;
    int64_t n_symbol, n_count;
    bool selective, cartesian;
} poscar;

/* The next line without what follows '!' or '#'. */
static chgnet_status next_line(poscar *p, const char *what, chgi_span *line)
{
    if (!chgi_lines_next(p->lines, line))
        return chgi_lines_fail(p->lines, p->lines->line,
                               "the file ends before %s; a POSCAR has scale, cell, symbols, counts, mode and positions",
                               what);
    for (size_t i = 0; i < line->length; i++)
        if (line->text[i] == '!' || line->text[i] == '#')
            line->length = i;
    return CHGNET_OK;
}

static bool to_number(chgi_span field, double *value)
{
    char copy[64];
    if (field.length >= sizeof copy)
        return false;
    for (size_t i = 0; i < field.length; i++) /* Fortran writes 1.0D+00 */
        copy[i] = field.text[i] == 'D' || field.text[i] == 'd' ? 'E' : field.text[i];
    return chgi_text_to_double(copy, field.length, value) && isfinite(*value);
}

/* Take exactly `n` numbers off a line. */
static chgnet_status take_numbers(poscar *p, chgi_span *rest, int n, const char *what, double *values)
{
    for (int k = 0; k < n; k++) {
        chgi_span field;
        if (!chgi_span_field(rest, &field))
            return chgi_lines_fail(p->lines, p->lines->line, "%s has %d numbers; %d are needed", what, k, n);
        if (!to_number(field, &values[k]))
            return chgi_lines_fail(p->lines, p->lines->line, "%s: '%.*s' is not a finite number; give it as 1.234",
                                   what, CHGI_SPAN(field));
    }
    return CHGNET_OK;
}

static chgnet_status expect_end(poscar *p, chgi_span rest, const char *what)
{
    chgi_span field;
    if (chgi_span_field(&rest, &field))
        return chgi_lines_fail(p->lines, p->lines->line, "%s: '%.*s' is too much here; comments begin with '!'", what,
                               CHGI_SPAN(field));
    return CHGNET_OK;
}

static chgnet_status read_scale(poscar *p, double *volume)
{
    chgi_span line;
    CHGI_TRY(next_line(p, "the scale", &line));
    int64_t n = chgi_span_count_fields(line);
    if (n != 1 && n != 3)
        return chgi_lines_fail(p->lines, p->lines->line, "the scale has %lld numbers; give one or three", (long long)n);
    CHGI_TRY(take_numbers(p, &line, (int)n, "the scale", p->scale));
    *volume = 0;
    if (n == 1 && p->scale[0] < 0)
        *volume = -p->scale[0];
    if (n == 1)
        p->scale[1] = p->scale[2] = p->scale[0];
    for (int k = 0; k < 3; k++)
        if (p->scale[k] == 0 || (n == 3 && p->scale[k] < 0))
            return chgi_lines_fail(
                p->lines, p->lines->line,
                "the scale is zero or negative; give positive numbers, or a single negative one (the volume)");
    return CHGNET_OK;
}

static chgnet_status read_cell(poscar *p)
{
    chgi_structure *structure = p->structure;
    const chgi_structure *fixed = structure; /* C11 adds no const inside an array */
    double volume = 0;
    CHGI_TRY(read_scale(p, &volume));
    for (int i = 0; i < 3; i++) {
        chgi_span line;
        CHGI_TRY(next_line(p, "the three cell vectors", &line));
        CHGI_TRY(take_numbers(p, &line, 3, "cell vector", structure->cell[i]));
        CHGI_TRY(expect_end(p, line, "cell vector"));
    }
    if (volume > 0) { /* left-handed cells have a negative determinant */
        double now = fabs(chgi_structure_volume(fixed->cell));
        for (int k = 0; k < 3; k++)
            p->scale[k] = cbrt(volume / now);
        if (!(now > 0) || !isfinite(p->scale[0]))
            return chgi_lines_fail(
                p->lines, p->lines->line,
                "the cell is singular and cannot be scaled to a volume; give three independent vectors");
    }
    for (int i = 0; i < 9; i++)
        structure->cell[i / 3][i % 3] *= p->scale[i % 3];
    for (int k = 0; k < 3; k++)
        structure->pbc[k] = true;
    chgnet_status status = chgi_structure_check_cell(p->lines->ctx, structure);
    return status == CHGNET_OK ? status : chgi_lines_locate(p->lines, p->lines->line, status);
}

/* VASP writes Fe, Fe_pv, and since 6.4 Fe_pv/1a2b3c4d. */
static int element_of(chgi_span field)
{
    size_t length = 0;
    while (length < field.length && field.text[length] != '_' && field.text[length] != '/')
        length++;
    return chgi_element_number(field.text, length);
}

static chgnet_status add_symbols(poscar *p, chgi_span line, long number)
{
    chgi_span field;
    while (chgi_span_field(&line, &field)) {
        int z = element_of(field);
        if (z == 0)
            return chgi_lines_fail(p->lines, number, "'%.*s' is not an element; give a symbol such as Fe or Fe_pv",
                                   CHGI_SPAN(field));
        if (p->n_symbol == MAX_GROUPS)
            return chgi_lines_fail(p->lines, number, "more than %d groups of atoms; join those of one element",
                                   MAX_GROUPS);
        CHGI_TRY(chgi_memory_grow(p->lines->ctx, &p->groups, &p->group_capacity, (size_t)p->n_symbol + 1,
                                  sizeof *p->groups));
        p->groups[p->n_symbol++].z = z;
    }
    return CHGNET_OK;
}

static bool begins_with_digit(chgi_span line)
{
    chgi_span field;
    return chgi_span_field(&line, &field) && strchr("+-0123456789.", field.text[0]);
}

/* VASP 4 has no line of symbols: the comment line then holds them by custom. */
static chgnet_status use_comment(poscar *p, chgi_span counts)
{
    int64_t n = chgi_span_count_fields(counts);
    chgi_span rest = p->comment, field;
    bool good = chgi_span_count_fields(rest) == n;
    while (good && chgi_span_field(&rest, &field))
        good = element_of(field) != 0;
    if (!good)
        return chgi_lines_fail(p->lines, p->lines->line,
                               "no line of element symbols before the counts (VASP 4), and the first line does not "
                               "hold %lld symbols either; add the line",
                               (long long)n);
    return add_symbols(p, p->comment, 1);
}

static chgnet_status add_counts(poscar *p, chgi_span line)
{
    chgi_span field;
    while (chgi_span_field(&line, &field)) {
        int64_t n;
        if (!chgi_text_to_int(field.text, field.length, &n) || n < 1)
            return chgi_lines_fail(p->lines, p->lines->line, "'%.*s' is not a number of atoms; give 1 or more",
                                   CHGI_SPAN(field));
        if (p->n_count == p->n_symbol)
            return chgi_lines_fail(p->lines, p->lines->line, "more counts than the %lld symbols; give one for each",
                                   (long long)p->n_symbol);
        /* every atom needs a line of at least "0 0 0\n" */
        if (n > (int64_t)((p->lines->length - p->lines->offset + 1) / 6) - p->structure->n_atom)
            return chgi_lines_fail(p->lines, p->lines->line,
                                   "%.*s atoms are more than the file can hold; give one line of position for each",
                                   CHGI_SPAN(field));
        p->groups[p->n_count++].count = n;
        p->structure->n_atom += n;
    }
    return CHGNET_OK;
}

/* With more than 20 groups VASP breaks both the symbols and the counts into several lines. */
static chgnet_status read_groups(poscar *p)
{
    chgi_span line;
    CHGI_TRY(next_line(p, "the counts of atoms", &line));
    if (begins_with_digit(line))
        CHGI_TRY(use_comment(p, line));
    while (!begins_with_digit(line)) {
        if (chgi_span_count_fields(line) == 0)
            return chgi_lines_fail(p->lines, p->lines->line,
                                   "an empty line; element symbols or counts of atoms are needed here");
        CHGI_TRY(add_symbols(p, line, p->lines->line));
        CHGI_TRY(next_line(p, "the counts of atoms", &line));
    }
    CHGI_TRY(add_counts(p, line));
    while (p->n_count < p->n_symbol) {
        chgi_lines ahead = *p->lines;
        chgi_span more;
        if (!chgi_lines_next(&ahead, &more) || !begins_with_digit(more))
            return chgi_lines_fail(p->lines, p->lines->line,
                                   "%lld symbols but %lld counts; give a count for each symbol", (long long)p->n_symbol,
                                   (long long)p->n_count);
        CHGI_TRY(next_line(p, "the counts of atoms", &line));
        CHGI_TRY(add_counts(p, line));
    }
    return CHGNET_OK;
}

static chgnet_status read_mode(poscar *p)
{
    chgi_span line, field;
    CHGI_TRY(next_line(p, "the line Direct or Cartesian", &line));
    bool some = chgi_span_field(&line, &field);
    if (some && strchr("sS", field.text[0])) {
        p->selective = true;
        CHGI_TRY(next_line(p, "the line Direct or Cartesian", &line));
        some = chgi_span_field(&line, &field);
    }
    if (!some || !strchr("dDcCkK", field.text[0]))
        return chgi_lines_fail(p->lines, p->lines->line, "'%.*s' is not a mode; it begins with D, C or K",
                               CHGI_SPAN(field));
    p->cartesian = !strchr("dD", field.text[0]);
    return CHGNET_OK;
}

static chgnet_status allocate(poscar *p)
{
    chgi_structure atoms;
    CHGI_TRY(chgi_structure_create(p->lines->ctx, p->structure->n_atom, &atoms));
    p->structure->numbers = atoms.numbers;
    p->structure->positions = atoms.positions;
    if (p->selective) {
        p->structure->move_mask = chgi_memory_new((size_t)atoms.n_atom, 3 * sizeof(bool));
        if (!p->structure->move_mask)
            return chgi_context_nomem(p->lines->ctx, (size_t)atoms.n_atom, 3 * sizeof(bool));
    }
    int64_t atom = 0;
    for (int64_t g = 0; g < p->n_symbol; g++)
        for (int64_t i = 0; i < p->groups[g].count; i++)
            p->structure->numbers[atom++] = p->groups[g].z;
    return CHGNET_OK;
}

/* As a Fortran program reads a logical: an optional point, then T or F. */
static bool to_flag(chgi_span field, bool *value)
{
    if (field.length > 1 && field.text[0] == '.')
        field = (chgi_span){field.text + 1, field.length - 1};
    if (field.length > 1 && field.text[field.length - 1] == '.')
        field.length--;
    *value = chgi_span_resembles(field, "T") || chgi_span_resembles(field, "true");
    return *value || chgi_span_resembles(field, "F") || chgi_span_resembles(field, "false");
}

static chgnet_status take_flags(poscar *p, chgi_span *rest, int64_t atom)
{
    for (int k = 0; k < 3; k++) {
        chgi_span field;
        if (!chgi_span_field(rest, &field))
            return chgi_lines_fail(p->lines, p->lines->line,
                                   "atom %lld has %d flags behind its position; selective dynamics needs three, T or F",
                                   (long long)atom + 1, k);
        if (!to_flag(field, &p->structure->move_mask[3 * atom + k]))
            return chgi_lines_fail(p->lines, p->lines->line, "atom %lld: flag '%.*s' is unknown; give T or F",
                                   (long long)atom + 1, CHGI_SPAN(field));
    }
    return CHGNET_OK;
}

/* Programs repeat the symbol (Fe, Fe1) behind the position; anything else is a sign of a wrong file. */
static chgnet_status check_label(poscar *p, chgi_span rest, int64_t atom)
{
    chgi_span field;
    if (!chgi_span_field(&rest, &field))
        return CHGNET_OK;
    const char *symbol = chgi_element_symbol(p->structure->numbers[atom]);
    size_t length = strlen(symbol);
    bool same = field.length >= length && memcmp(field.text, symbol, length) == 0 &&
                (field.length == length || !((field.text[length] | 0x20) >= 'a' && (field.text[length] | 0x20) <= 'z'));
    if (!same)
        return chgi_lines_fail(p->lines, p->lines->line,
                               "atom %lld: '%.*s' behind its position is not its element %s; comments begin with '!'",
                               (long long)atom + 1, CHGI_SPAN(field), symbol);
    return expect_end(p, rest, "position");
}

static chgnet_status place_atom(poscar *p, const double x[3], int64_t atom)
{
    double *position = &p->structure->positions[3 * atom];
    for (int k = 0; k < 3; k++) {
        position[k] = p->cartesian ? x[k] * p->scale[k] : 0;
        for (int i = 0; !p->cartesian && i < 3; i++)
            position[k] += x[i] * p->structure->cell[i][k];
        if (!(fabs(position[k]) <= CHGI_MAX_LENGTH))
            return chgi_lines_fail(p->lines, p->lines->line,
                                   "atom %lld has the coordinate %g A; at most 1e6 A is possible", (long long)atom + 1,
                                   position[k]);
    }
    return CHGNET_OK;
}

static chgnet_status read_positions(poscar *p)
{
    for (int64_t atom = 0; atom < p->structure->n_atom; atom++) {
        chgi_span line;
        double x[3];
        if (chgi_lines_at_end(p->lines))
            return chgi_lines_fail(p->lines, p->lines->line,
                                   "the file ends after %lld of %lld atoms; give one line for each", (long long)atom,
                                   (long long)p->structure->n_atom);
        CHGI_TRY(next_line(p, "the positions", &line));
        CHGI_TRY(take_numbers(p, &line, 3, "position", x));
        if (p->selective)
            CHGI_TRY(take_flags(p, &line, atom));
        CHGI_TRY(check_label(p, line, atom));
        CHGI_TRY(place_atom(p, x, atom));
    }
    return CHGNET_OK;
}

/* After the positions come a blank line or a word (lattice velocities, mode of the velocities), never a position. */
static chgnet_status check_tail(poscar *p)
{
    chgi_span line, field;
    if (!chgi_lines_at_end(p->lines)) {
        CHGI_TRY(next_line(p, "the end", &line));
        if (chgi_span_field(&line, &field) && !strchr("lLdDcCkK", field.text[0]))
            return chgi_lines_fail(p->lines, p->lines->line,
                                   "'%.*s' follows the %lld atoms of the counts; a blank line or velocities may",
                                   CHGI_SPAN(field), (long long)p->structure->n_atom);
    }
    p->lines->offset = p->lines->length;
    return CHGNET_OK;
}

/* The flags speak of cell vectors.  They also speak of x, y, z where the free vectors span just the free axes. */
static bool flags_are_cartesian(const chgi_structure *structure, const bool flags[3])
{
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            if (flags[i] && !flags[k] && fabs(structure->cell[i][k]) > 1e-9 * fabs(structure->cell[i][i]))
                return false;
    return true;
}

static void settle_mask(chgi_structure *structure)
{
    bool any_fixed = false;
    for (int64_t i = 0; structure->move_mask && i < structure->n_atom; i++) {
        const bool *flags = &structure->move_mask[3 * i];
        any_fixed = any_fixed || !flags[0] || !flags[1] || !flags[2];
        if (!flags_are_cartesian(structure, flags))
            structure->mask_direct = true;
    }
    if (!any_fixed) {
        chgi_memory_free(structure->move_mask);
        structure->move_mask = NULL;
    }
}

static chgnet_status keep_comment(poscar *p)
{
    chgi_text text = {0};
    chgi_span rest = p->comment, field;
    while (chgi_span_field(&rest, &field)) {
        chgi_text_append(&text, " ", text.length > 0 ? 1 : 0);
        chgi_text_append(&text, field.text, field.length);
    }
    chgnet_status status = CHGNET_OK;
    if (text.failed)
        status = chgi_context_nomem(p->lines->ctx, p->comment.length, 1);
    else if (text.length > 0)
        status = chgi_structure_set_info(p->lines->ctx, p->structure, "comment", text.data);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status read_all(poscar *p)
{
    if (!chgi_lines_next(p->lines, &p->comment))
        return chgi_lines_fail(p->lines, 1, "the file is empty; a POSCAR is needed");
    CHGI_TRY(read_cell(p));
    CHGI_TRY(read_groups(p));
    CHGI_TRY(read_mode(p));
    CHGI_TRY(allocate(p));
    CHGI_TRY(read_positions(p));
    CHGI_TRY(check_tail(p));
    settle_mask(p->structure);
    return keep_comment(p);
}

chgnet_status chgi_poscar_read(chgi_lines *lines, chgi_structure *structure)
{
    *structure = (chgi_structure){0};
    poscar p = {.lines = lines, .structure = structure};
    chgnet_status status = read_all(&p);
    chgi_memory_free(p.groups);
    lines->offset = lines->length;
    if (status != CHGNET_OK)
        chgi_structure_destroy(structure);
    return status;
}

bool chgi_poscar_recognise(const chgi_lines *lines)
{
    chgi_lines ahead = *lines;
    chgi_span line, field;
    for (int i = 0; i < 5; i++) {
        if (!chgi_lines_next(&ahead, &line))
            return false;
        double number;
        int n = 0;
        while (i > 0 && n < 3 && chgi_span_field(&line, &field) && to_number(field, &number))
            n++;
        if (i > 0 && n != 3 && !(i == 1 && n > 0))
            return false;
    }
    return true;
}
