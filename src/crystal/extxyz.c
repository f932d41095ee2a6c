/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/extxyz.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { MAX_PROPERTIES = 256, MAX_FIELDS = 100000 };

typedef enum role { ROLE_SKIP, ROLE_SPECIES, ROLE_NUMBERS, ROLE_POSITIONS, ROLE_MASK, ROLE_KEEP } role;

typedef struct property {
    chgi_span name;
    char type;
    int width;
    role role;
    double *data; /* of a kept column */
} property;

typedef struct frame {
    chgi_lines *lines;
    chgi_structure *structure;
    property properties[MAX_PROPERTIES];
    int n_property;
    int n_field; /* per atom line */
    long comment_line;
} frame;

static chgnet_status take_width(const frame *f, chgi_span field, property *p)
{
    int64_t width;
    if (!chgi_text_to_int(field.text, field.length, &width) || width < 1 || width > MAX_FIELDS - f->n_field)
        return chgi_lines_fail(f->lines, f->comment_line,
                               "Properties: '%.*s' is not a number of columns; at most %d are possible in all",
                               CHGI_SPAN(field), MAX_FIELDS);
    p->width = (int)width;
    return CHGNET_OK;
}

static role role_of(const property *p)
{
    static const struct {
        const char *name;
        role role;
    } known[] = {{"species", ROLE_SPECIES}, {"symbols", ROLE_SPECIES},      {"Z", ROLE_NUMBERS},
                 {"numbers", ROLE_NUMBERS}, {"pos", ROLE_POSITIONS},        {"positions", ROLE_POSITIONS},
                 {"move_mask", ROLE_MASK},  {"move_mask_direct", ROLE_MASK}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (chgi_span_equals(p->name, known[i].name))
            return known[i].role;
    return p->type == 'S' ? ROLE_SKIP : ROLE_KEEP;
}

static chgnet_status check_property(const frame *f, const property *p)
{
    bool good = true;
    switch (p->role) {
    case ROLE_SPECIES:
        good = p->type == 'S' && p->width == 1;
        break;
    case ROLE_NUMBERS:
        good = p->type == 'I' && p->width == 1;
        break;
    case ROLE_POSITIONS:
        good = p->type == 'R' && p->width == 3;
        break;
    case ROLE_MASK:
        good = (p->type == 'L' || p->type == 'I') && (p->width == 1 || p->width == 3);
        break;
    default:
        break;
    }
    if (!good)
        return chgi_lines_fail(
            f->lines, f->comment_line,
            "Properties: '%.*s' has another type or width; give species:S:1, Z:I:1, pos:R:3 or move_mask:L:1 (or 3)",
            CHGI_SPAN(p->name));
    for (int i = 0; i < f->n_property; i++) {
        const property *other = &f->properties[i];
        bool same_name =
            other->name.length == p->name.length && memcmp(other->name.text, p->name.text, p->name.length) == 0;
        if (same_name || (other->role == p->role && p->role != ROLE_KEEP && p->role != ROLE_SKIP))
            return chgi_lines_fail(f->lines, f->comment_line, "Properties: '%.*s' is given twice; keep one",
                                   CHGI_SPAN(p->name));
    }
    return CHGNET_OK;
}

static bool next_part(chgi_span *rest, chgi_span *part)
{
    if (!rest->text)
        return false;
    const char *colon = memchr(rest->text, ':', rest->length);
    size_t length = colon ? (size_t)(colon - rest->text) : rest->length;
    *part = (chgi_span){rest->text, length};
    *rest = colon ? (chgi_span){colon + 1, rest->length - length - 1} : (chgi_span){NULL, 0};
    return length > 0;
}

static bool has_role(const frame *f, role wanted)
{
    for (int i = 0; i < f->n_property; i++)
        if (f->properties[i].role == wanted)
            return true;
    return false;
}

static chgnet_status read_properties(frame *f, const char *text)
{
    chgi_span rest = {text, strlen(text)};
    while (rest.text) {
        property p = {0};
        chgi_span type, width;
        if (!next_part(&rest, &p.name) || !next_part(&rest, &type) || type.length != 1 ||
            !strchr("RISL", type.text[0]) || !next_part(&rest, &width))
            return chgi_lines_fail(
                f->lines, f->comment_line,
                "Properties: '%.60s' is not a list of columns; give name:type:columns with type R, I, S or L", text);
        if (f->n_property == MAX_PROPERTIES)
            return chgi_lines_fail(f->lines, f->comment_line, "Properties: more than %d properties; leave out some",
                                   MAX_PROPERTIES);
        p.type = type.text[0];
        CHGI_TRY(take_width(f, width, &p));
        p.role = role_of(&p);
        CHGI_TRY(check_property(f, &p));
        f->n_field += p.width;
        f->properties[f->n_property++] = p;
    }
    if (!has_role(f, ROLE_POSITIONS) || !(has_role(f, ROLE_SPECIES) || has_role(f, ROLE_NUMBERS)))
        return chgi_lines_fail(f->lines, f->comment_line,
                               "Properties lacks elements or positions; species:S:1 (or Z:I:1) and pos:R:3 are needed");
    return CHGNET_OK;
}

/* Lists in values are separated by blanks or commas. */
static bool next_item(chgi_span *rest, chgi_span *item)
{
    size_t start = 0, end;
    while (start < rest->length && strchr(" \t,", rest->text[start]))
        start++;
    for (end = start; end < rest->length && !strchr(" \t,", rest->text[end]);)
        end++;
    *item = (chgi_span){rest->text + start, end - start};
    *rest = (chgi_span){rest->text + end, rest->length - end};
    return item->length > 0;
}

static chgnet_status read_lattice(frame *f, const char *text)
{
    chgi_span rest = {text, strlen(text)}, item;
    int n = 0;
    for (; next_item(&rest, &item); n++)
        if (n < 9)
            CHGI_TRY(chgi_lines_length(f->lines, f->comment_line, item, "Lattice", &f->structure->cell[n / 3][n % 3]));
    if (n != 9)
        return chgi_lines_fail(f->lines, f->comment_line,
                               "Lattice has %d numbers; give the 9 components of the three cell vectors", n);
    return CHGNET_OK;
}

static chgnet_status read_pbc(frame *f, const char *text)
{
    chgi_span rest = {text, strlen(text)}, item;
    bool *pbc = f->structure->pbc, good = true;
    int n = 0;
    for (; good && next_item(&rest, &item); n++)
        good = n < 3 && chgi_span_to_bool(item, &pbc[n]);
    if (n == 1)
        pbc[1] = pbc[2] = pbc[0];
    if (!good || (n != 1 && n != 3))
        return chgi_lines_fail(f->lines, f->comment_line, "pbc '%.60s' is not a list of flags; give three T or F",
                               text);
    return CHGNET_OK;
}

/* A misspelt cell would silently make a molecule of a crystal. */
static chgnet_status check_spelling(const frame *f)
{
    static const char *const keys[] = {"Lattice", "Properties", "pbc"};
    for (int i = 0; i < f->structure->n_info; i++) {
        const char *key = f->structure->info[i].key;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (strcmp(key, keys[k]) != 0 && chgi_span_resembles((chgi_span){key, strlen(key)}, keys[k]))
                return chgi_lines_fail(f->lines, f->comment_line,
                                       "the key '%s' is not known in this case of letters; spell it %s", key, keys[k]);
    }
    return CHGNET_OK;
}

static chgnet_status read_header(frame *f, chgi_span comment)
{
    f->comment_line = f->lines->line;
    CHGI_TRY(chgi_extxyz_read_comment(f->lines, comment, f->structure));
    CHGI_TRY(check_spelling(f));
    const char *lattice = chgi_structure_info(f->structure, "Lattice");
    const char *pbc = chgi_structure_info(f->structure, "pbc");
    const char *properties = chgi_structure_info(f->structure, "Properties");
    for (int k = 0; k < 3; k++)
        f->structure->pbc[k] = lattice != NULL;
    if (lattice)
        CHGI_TRY(read_lattice(f, lattice));
    if (pbc)
        CHGI_TRY(read_pbc(f, pbc));
    CHGI_TRY(read_properties(f, properties ? properties : "species:S:1:pos:R:3"));
    chgnet_status status = chgi_structure_check_cell(f->lines->ctx, f->structure);
    return status == CHGNET_OK ? status : chgi_lines_locate(f->lines, f->comment_line, status);
}

/* The names of properties point into the info value of "Properties", which therefore goes last. */
static void drop_header_keys(frame *f)
{
    chgi_structure_drop_info(f->structure, "Lattice");
    chgi_structure_drop_info(f->structure, "pbc");
    chgi_structure_drop_info(f->structure, "Properties");
}

/* Look at all atom lines before anything is allocated for them. */
static chgnet_status check_atom_lines(const frame *f, int64_t n_atom)
{
    chgi_lines ahead = *f->lines;
    for (int64_t i = 0; i < n_atom; i++) {
        chgi_span line;
        if (!chgi_lines_next(&ahead, &line))
            return chgi_lines_fail(&ahead, ahead.line, "the file ends after %lld of %lld atoms; give one line for each",
                                   (long long)i, (long long)n_atom);
        int64_t n = chgi_span_count_fields(line);
        if (n != f->n_field)
            return chgi_lines_fail(&ahead, ahead.line, "atom %lld has %lld fields; %d are needed%s", (long long)i + 1,
                                   (long long)n, f->n_field,
                                   n > f->n_field ? " (further columns must be named in Properties=)" : "");
    }
    return CHGNET_OK;
}

static chgnet_status allocate(frame *f, int64_t n_atom)
{
    chgi_structure atoms;
    chgnet_context *ctx = f->lines->ctx;
    CHGI_TRY(chgi_structure_create(ctx, n_atom, &atoms));
    f->structure->n_atom = n_atom;
    f->structure->numbers = atoms.numbers;
    f->structure->positions = atoms.positions;
    for (int i = 0; i < f->n_property; i++) {
        property *p = &f->properties[i];
        if (p->role == ROLE_MASK) {
            f->structure->move_mask = chgi_memory_new((size_t)n_atom, 3 * sizeof(bool));
            f->structure->mask_direct = chgi_span_equals(p->name, "move_mask_direct");
            if (!f->structure->move_mask)
                return chgi_context_nomem(ctx, (size_t)n_atom, 3 * sizeof(bool));
        } else if (p->role == ROLE_KEEP) {
            char *name = chgi_memory_new(p->name.length + 1, 1);
            if (!name)
                return chgi_context_nomem(ctx, p->name.length + 1, 1);
            memcpy(name, p->name.text, p->name.length);
            chgnet_status status = chgi_structure_add_column(ctx, f->structure, name, p->type, p->width, &p->data);
            chgi_memory_free(name);
            CHGI_TRY(status);
        }
    }
    return CHGNET_OK;
}

static chgnet_status take_element(const frame *f, const property *p, int64_t atom, chgi_span field, int z)
{
    int32_t *number = &f->structure->numbers[atom];
    if (z < 1 || z > CHGI_MAX_ELEMENT)
        return chgi_lines_fail(f->lines, f->lines->line, "'%.*s' of atom %lld is not an element; give %s",
                               CHGI_SPAN(field), (long long)atom + 1,
                               p->role == ROLE_NUMBERS ? "its atomic number" : "a symbol such as Fe (H for deuterium)");
    if (*number != 0 && *number != z)
        return chgi_lines_fail(f->lines, f->lines->line, "species and Z of atom %lld disagree; correct one",
                               (long long)atom + 1);
    *number = (int32_t)z;
    return CHGNET_OK;
}

/* Symbols may be written SI or si, as ASE takes them. */
static int element_of(chgi_span field)
{
    if (field.length < 1 || field.length > 2)
        return 0;
    char symbol[2] = {field.text[0], field.length > 1 ? field.text[1] : '\0'};
    if (symbol[0] >= 'a' && symbol[0] <= 'z')
        symbol[0] = (char)(symbol[0] - 'a' + 'A');
    if (symbol[1] >= 'A' && symbol[1] <= 'Z')
        symbol[1] = (char)(symbol[1] - 'A' + 'a');
    return chgi_element_number(symbol, field.length);
}

static chgnet_status take_number(const frame *f, const property *p, int64_t atom, chgi_span field, double *value)
{
    int64_t whole = 0;
    bool truth = false, good = false;
    if (p->type == 'R')
        good = chgi_text_to_double(field.text, field.length, value);
    else if (p->type == 'I' && (good = chgi_text_to_int(field.text, field.length, &whole)))
        *value = (double)whole;
    else if (p->type == 'L' && (good = chgi_span_to_bool(field, &truth)))
        *value = truth;
    if (good)
        return CHGNET_OK;
    return chgi_lines_fail(f->lines, f->lines->line, "%.*s of atom %lld is '%.*s'; give %s", CHGI_SPAN(p->name),
                           (long long)atom + 1, CHGI_SPAN(field),
                           p->type == 'R'   ? "a number"
                           : p->type == 'I' ? "a whole number"
                                            : "T or F");
}

static chgnet_status take_field(const frame *f, const property *p, int64_t atom, int k, chgi_span field)
{
    double value = 0;
    if (p->role == ROLE_SKIP)
        return CHGNET_OK;
    if (p->role == ROLE_SPECIES)
        return take_element(f, p, atom, field, element_of(field));
    if (p->role == ROLE_POSITIONS)
        return chgi_lines_length(f->lines, f->lines->line, field, "coordinate", &f->structure->positions[3 * atom + k]);
    CHGI_TRY(take_number(f, p, atom, field, &value));
    if (p->role == ROLE_NUMBERS)
        return take_element(f, p, atom, field, value >= 1 && value <= CHGI_MAX_ELEMENT ? (int)value : 0);
    if (p->role == ROLE_KEEP)
        p->data[atom * p->width + k] = value;
    else
        for (int c = k; c < 3; c += p->width)
            f->structure->move_mask[3 * atom + c] = value != 0;
    return CHGNET_OK;
}

static chgnet_status read_atoms(frame *f)
{
    for (int64_t atom = 0; atom < f->structure->n_atom; atom++) {
        chgi_span line, field;
        chgi_lines_next(f->lines, &line);
        for (int i = 0; i < f->n_property; i++)
            for (int k = 0; k < f->properties[i].width; k++) {
                chgi_span_field(&line, &field);
                CHGI_TRY(take_field(f, &f->properties[i], atom, k, field));
            }
    }
    return CHGNET_OK;
}

/* A mask that lets everything move is no mask. */
static void simplify_mask(chgi_structure *structure)
{
    if (!structure->move_mask)
        return;
    for (int64_t i = 0; i < 3 * structure->n_atom; i++)
        if (!structure->move_mask[i])
            return;
    chgi_memory_free(structure->move_mask);
    structure->move_mask = NULL;
    structure->mask_direct = false;
}

static chgnet_status read_frame(frame *f, int64_t n_atom)
{
    chgi_span comment;
    if (!chgi_lines_next(f->lines, &comment))
        return chgi_lines_fail(f->lines, f->lines->line,
                               "the file ends after the number of atoms; a comment line and the atoms must follow");
    CHGI_TRY(read_header(f, comment));
    CHGI_TRY(check_atom_lines(f, n_atom));
    CHGI_TRY(allocate(f, n_atom));
    CHGI_TRY(read_atoms(f));
    drop_header_keys(f);
    simplify_mask(f->structure);
    return CHGNET_OK;
}

static bool is_count(chgi_span line, int64_t *n)
{
    chgi_span field;
    return chgi_span_field(&line, &field) && chgi_text_to_int(field.text, field.length, n) && *n >= 0 &&
           chgi_span_count_fields(line) == 0;
}

static bool next_filled_line(chgi_lines *lines, chgi_span *line)
{
    while (chgi_lines_next(lines, line))
        if (chgi_span_count_fields(*line) > 0)
            return true;
    return false;
}

/* Where the next frame begins if `n_atom` is right: after so many lines, with a count or nothing there. */
static bool find_next_frame(const chgi_lines *from, int64_t n_atom, chgi_lines *next, long *junk_line)
{
    chgi_span line;
    int64_t n;
    *next = *from;
    *junk_line = 0;
    for (int64_t i = 0; i <= n_atom; i++)
        if (!chgi_lines_next(next, &line))
            return false;
    chgi_lines ahead = *next;
    if (!next_filled_line(&ahead, &line) || is_count(line, &n))
        return true;
    *junk_line = ahead.line;
    return false;
}

static chgnet_status read_counted(chgi_lines *lines, int64_t n_atom, chgi_structure *structure)
{
    chgi_lines next;
    long count_line = lines->line, junk_line;
    bool known = find_next_frame(lines, n_atom, &next, &junk_line);
    frame *f = chgi_memory_new(1, sizeof *f);
    if (!f)
        return chgi_context_nomem(lines->ctx, 1, sizeof *f);
    f->lines = lines;
    f->structure = structure;
    chgnet_status status = n_atom > 0
                               ? read_frame(f, n_atom)
                               : chgi_lines_fail(lines, count_line, "a frame without atoms; at least one is needed");
    chgi_memory_free(f);
    if (status == CHGNET_OK && !known)
        status =
            chgi_lines_fail(lines, junk_line,
                            "more lines than the %lld atoms that line %ld promises; correct the number or remove lines",
                            (long long)n_atom, count_line);
    *lines = next;
    if (!known)
        lines->offset = lines->length;
    return status;
}

chgnet_status chgi_extxyz_read(chgi_lines *lines, chgi_structure *structure, bool *got)
{
    chgi_span line;
    int64_t n_atom;
    *structure = (chgi_structure){0};
    *got = false;
    if (!next_filled_line(lines, &line))
        return CHGNET_OK;
    if (!is_count(line, &n_atom)) {
        lines->offset = lines->length;
        return chgi_lines_fail(lines, lines->line, "'%.*s' is not a number of atoms; extended XYZ begins with one",
                               CHGI_SPAN(line));
    }
    chgnet_status status = read_counted(lines, n_atom, structure);
    *got = status == CHGNET_OK;
    if (!*got)
        chgi_structure_destroy(structure);
    return status;
}
