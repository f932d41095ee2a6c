/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/cif.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "crystal/cif_parse.h"
#include "crystal/cif_symmetry.h"

/* Images nearer than this in every fractional component are one atom (as in ASE), unless the cell is so large that two
 * atoms may well be that near. */
#define SAME_FRACTION 1e-3
#define SAME_DISTANCE 0.1 /* A */
/* Beyond merging, images of one site this near mean a special position given with too few digits. */
#define TOO_NEAR 0.3 /* A */
#define FULL_OCCUPANCY 1e-3

typedef struct sites {
    const chgi_cif_item *label, *symbol, *occupancy, *flag, *hydrogens, *x[3];
    int64_t count;
    bool cartesian;
} sites;

typedef struct cif {
    chgi_lines *lines;
    chgi_cif_block *block;
    chgi_structure *structure;
    sites sites;
    bool periodic;
    double inverse[3][3], tolerance[3];
    chgi_operation operations[CHGI_MAX_OPERATION];
    int n_operation;
    int64_t *site_of; /* (n_atom) row of each atom */
    size_t number_capacity, position_capacity, site_capacity;
} cif;

static const double degree = 3.14159265358979323846 / 180;

static const chgi_cif_item *find_either(const cif *c, const char *tag, const char *other)
{
    const chgi_cif_item *item = chgi_cif_find(c->block, tag);
    return item ? item : chgi_cif_find(c->block, other);
}

static chgnet_status read_cell_number(const cif *c, const char *tag, double *number)
{
    const chgi_cif_item *item = chgi_cif_find(c->block, tag);
    if (!item)
        return chgi_lines_fail(c->lines, c->block->line,
                               "%s is missing in this data block; give all six cell parameters", tag);
    const chgi_cif_value *value = chgi_cif_get(c->block, item, 0);
    if (item->count != 1 || !chgi_cif_to_number(value, number) || !(*number > 0))
        return chgi_lines_fail(c->lines, value->line, "%s '%.*s' is not a positive number; give it as 1.234", tag,
                               CHGI_SPAN(value->text));
    return CHGNET_OK;
}

/* a along x, b in the xy plane, c with positive z: the frame of the International Tables and of ASE. */
static bool make_cell(const double length[3], const double angle[3], double cell[3][3])
{
    double cosine[3];
    for (int k = 0; k < 3; k++)
        cosine[k] = angle[k] == 90 ? 0 : cos(angle[k] * degree);
    double sine = angle[2] == 90 ? 1 : sin(angle[2] * degree);
    double y = (cosine[0] - cosine[1] * cosine[2]) / sine;
    double z2 = 1 - cosine[1] * cosine[1] - y * y;
    cell[0][0] = length[0];
    cell[1][0] = length[1] * cosine[2];
    cell[1][1] = length[1] * sine;
    cell[2][0] = length[2] * cosine[1];
    cell[2][1] = length[2] * y;
    cell[2][2] = z2 > 0 ? length[2] * sqrt(z2) : 0;
    return z2 > 1e-12;
}

static chgnet_status read_cell(cif *c)
{
    static const char *const lengths[] = {"_cell_length_a", "_cell_length_b", "_cell_length_c"};
    static const char *const angles[] = {"_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"};
    chgi_structure *structure = c->structure;
    const chgi_structure *fixed = structure; /* C11 adds no const inside an array */
    double length[3] = {0}, angle[3] = {0};
    for (int k = 0; k < 3; k++) {
        CHGI_TRY(read_cell_number(c, lengths[k], &length[k]));
        CHGI_TRY(read_cell_number(c, angles[k], &angle[k]));
        structure->pbc[k] = true;
        c->tolerance[k] = fmin(SAME_FRACTION, SAME_DISTANCE / length[k]);
    }
    long line = chgi_cif_find(c->block, angles[2])->line;
    for (int k = 0; k < 3; k++)
        if (angle[k] >= 180)
            return chgi_lines_fail(c->lines, line, "the angle %g is impossible; it must be below 180", angle[k]);
    if (!make_cell(length, angle, structure->cell))
        return chgi_lines_fail(c->lines, line,
                               "no cell has the angles %g, %g, %g; each must be below the sum of the other two",
                               angle[0], angle[1], angle[2]);
    chgnet_status status = chgi_structure_check_cell(c->lines->ctx, structure);
    if (status != CHGNET_OK)
        return chgi_lines_locate(c->lines, line, status);
    if (!chgi_structure_invert(fixed->cell, c->inverse))
        return chgi_lines_fail(c->lines, line,
                               "the cell is singular: its three vectors lie in one plane; give independent ones");
    return CHGNET_OK;
}

static bool is_p1(const chgi_cif_value *value)
{
    char name[3] = "";
    size_t n = 0;
    for (size_t i = 0; i < value->text.length; i++)
        if (!strchr(" \t\r\n_", value->text.text[i])) {
            if (n == 2)
                return false;
            name[n++] = value->text.text[i];
        }
    return strcmp(name, "P1") == 0 || strcmp(name, "p1") == 0 || strcmp(name, "1") == 0;
}

/* Without operations a file can only be believed when it claims no symmetry. */
static chgnet_status check_group_name(const cif *c)
{
    static const char *const refused[] = {"_space_group_symop_magn_operation_xyz",
                                          "_space_group_symop_magn_operation_id",
                                          "_space_group_symop_ssg_operation_algebraic"};
    static const char *const names[] = {"_space_group_name_H-M_alt",  "_symmetry_space_group_name_H-M",
                                        "_space_group_name_H-M_full", "_space_group_name_H-M_ref",
                                        "_space_group_name_Hall",     "_symmetry_space_group_name_Hall",
                                        "_space_group_IT_number",     "_symmetry_Int_Tables_number"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const chgi_cif_item *item = chgi_cif_find(c->block, refused[i]);
        if (item)
            return chgi_lines_fail(c->lines, item->line, "%s is not supported; give _space_group_symop_operation_xyz",
                                   refused[i]);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const chgi_cif_item *item = chgi_cif_find(c->block, names[i]);
        const chgi_cif_value *value = item ? chgi_cif_get(c->block, item, 0) : NULL;
        if (value && !chgi_cif_is_unknown(value) && !is_p1(value))
            return chgi_lines_fail(c->lines, value->line,
                                   "space group '%.*s' without its symmetry operations; give "
                                   "_space_group_symop_operation_xyz",
                                   CHGI_SPAN(value->text));
    }
    return CHGNET_OK;
}

static chgnet_status read_operations(cif *c)
{
    bool identity = false;
    const chgi_cif_item *item = find_either(c, "_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz");
    if (!item) {
        c->n_operation = 1;
        chgi_operation_read((chgi_span){"x,y,z", 5}, &c->operations[0]);
        return check_group_name(c);
    }
    if (item->count > CHGI_MAX_OPERATION)
        return chgi_lines_fail(c->lines, item->line, "%lld symmetry operations; no space group has more than %d",
                               (long long)item->count, CHGI_MAX_OPERATION);
    c->n_operation = (int)item->count;
    for (int i = 0; i < c->n_operation; i++) {
        const chgi_cif_value *value = chgi_cif_get(c->block, item, i);
        if (!chgi_operation_read(value->text, &c->operations[i]))
            return chgi_lines_fail(c->lines, value->line, "'%.*s' is not a symmetry operation; give it as -x+1/2,y,z",
                                   CHGI_SPAN(value->text));
        identity = identity || chgi_operation_is_identity(&c->operations[i]);
    }
    if (!identity)
        return chgi_lines_fail(c->lines, item->line, "the symmetry operations lack the identity; add x,y,z");
    if (!c->periodic && c->n_operation > 1)
        return chgi_lines_fail(c->lines, item->line,
                               "symmetry operations without a cell; give _cell_length_a and the other parameters");
    return CHGNET_OK;
}

static chgnet_status find_sites(cif *c)
{
    static const char *const fract[] = {"_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"};
    static const char *const cartn[] = {"_atom_site_Cartn_x", "_atom_site_Cartn_y", "_atom_site_Cartn_z"};
    sites *s = &c->sites;
    s->label = chgi_cif_find(c->block, "_atom_site_label");
    s->symbol = chgi_cif_find(c->block, "_atom_site_type_symbol");
    s->occupancy = chgi_cif_find(c->block, "_atom_site_occupancy");
    s->flag = chgi_cif_find(c->block, "_atom_site_calc_flag");
    s->hydrogens = chgi_cif_find(c->block, "_atom_site_attached_hydrogens");
    s->cartesian = !chgi_cif_find(c->block, fract[0]) && chgi_cif_find(c->block, cartn[0]);
    for (int k = 0; k < 3; k++) {
        const char *tag = s->cartesian ? cartn[k] : fract[k];
        s->x[k] = chgi_cif_find(c->block, tag);
        if (!s->x[k])
            return chgi_lines_fail(c->lines, c->block->line,
                                   "this data block has atom sites but no %s; give all three coordinates", tag);
    }
    s->count = s->x[0]->count;
    const chgi_cif_item *columns[] = {s->label, s->symbol, s->occupancy, s->flag, s->hydrogens, s->x[1], s->x[2]};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (columns[i] && columns[i]->count != s->count)
            return chgi_lines_fail(c->lines, columns[i]->line,
                                   "%.*s is not in the loop of the atom sites; give all their columns in one loop",
                                   CHGI_SPAN(columns[i]->tag));
    if (!s->label && !s->symbol)
        return chgi_lines_fail(c->lines, s->x[0]->line,
                               "the atom sites have no elements; give _atom_site_type_symbol or _atom_site_label");
    return CHGNET_OK;
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Li, Li1+, O2-, LI; deuterium is hydrogen here.  A label must be spelt properly: CA1 could be carbon. */
static int element_of(chgi_span text, bool is_label)
{
    size_t n = 0;
    while (n < text.length && letter(text.text[n]))
        n++;
    char symbol[2] = {n > 0 ? text.text[0] : '\0', n > 1 ? text.text[1] : '\0'};
    for (size_t i = n; !is_label && i < text.length; i++)
        if (!strchr("0123456789+-.", text.text[i]))
            return 0;
    if (!is_label && symbol[0] >= 'a')
        symbol[0] = (char)(symbol[0] - 'a' + 'A');
    if (!is_label && symbol[1] >= 'A' && symbol[1] <= 'Z')
        symbol[1] = (char)(symbol[1] - 'A' + 'a');
    return n == 1 && symbol[0] == 'D' ? 1 : chgi_element_number(symbol, n);
}

static chgi_span name_of(const cif *c, int64_t row)
{
    return chgi_cif_get(c->block, c->sites.label ? c->sites.label : c->sites.symbol, row)->text;
}

static chgnet_status read_element(const cif *c, int64_t row, int *z)
{
    const chgi_cif_value *value = c->sites.symbol ? chgi_cif_get(c->block, c->sites.symbol, row) : NULL;
    bool is_label = !value || (chgi_cif_is_unknown(value) && c->sites.label);
    if (is_label)
        value = chgi_cif_get(c->block, c->sites.label, row);
    *z = element_of(value->text, is_label);
    if (*z != 0)
        return CHGNET_OK;
    return chgi_lines_fail(c->lines, value->line,
                           is_label ? "label '%.*s' does not begin with an element; give "
                                      "_atom_site_type_symbol"
                                    : "'%.*s' is not an element; give a symbol such as Fe or O2-",
                           CHGI_SPAN(value->text));
}

static chgnet_status check_occupancy(const cif *c, int64_t row)
{
    chgi_span name = name_of(c, row);
    double number;
    const chgi_cif_value *value = c->sites.occupancy ? chgi_cif_get(c->block, c->sites.occupancy, row) : NULL;
    if (value && !(chgi_cif_is_unknown(value) && value->text.text[0] == '.')) {
        if (!chgi_cif_to_number(value, &number))
            return chgi_lines_fail(c->lines, value->line, "occupancy '%.*s' of site %.*s is not a number; give 1",
                                   CHGI_SPAN(value->text), CHGI_SPAN(name));
        if (!(fabs(number - 1) <= FULL_OCCUPANCY))
            return chgi_lines_fail(
                c->lines, value->line,
                "site %.*s has occupancy %g; only full sites (occupancy 1) can be computed: choose an "
                "ordered structure",
                CHGI_SPAN(name), number);
    }
    value = c->sites.hydrogens ? chgi_cif_get(c->block, c->sites.hydrogens, row) : NULL;
    if (value && !chgi_cif_is_unknown(value) && !(chgi_cif_to_number(value, &number) && number == 0))
        return chgi_lines_fail(c->lines, value->line,
                               "site %.*s has '%.*s' attached hydrogens without positions; give each its own site",
                               CHGI_SPAN(name), CHGI_SPAN(value->text));
    return CHGNET_OK;
}

static void times(const double x[3], double matrix[3][3], double out[3])
{
    for (int k = 0; k < 3; k++)
        out[k] = x[0] * matrix[0][k] + x[1] * matrix[1][k] + x[2] * matrix[2][k];
}

static chgnet_status read_place(cif *c, int64_t row, double x[3])
{
    for (int k = 0; k < 3; k++) {
        const chgi_cif_value *value = chgi_cif_get(c->block, c->sites.x[k], row);
        if (!chgi_cif_to_number(value, &x[k]))
            return chgi_lines_fail(c->lines, value->line,
                                   "coordinate '%.*s' of site %.*s is not a number; give it as 0.123",
                                   CHGI_SPAN(value->text), CHGI_SPAN(name_of(c, row)));
        if (!(fabs(x[k]) <= CHGI_MAX_LENGTH))
            return chgi_lines_fail(c->lines, value->line,
                                   "coordinate '%.*s' of site %.*s is too large; at most 1e6 is possible",
                                   CHGI_SPAN(value->text), CHGI_SPAN(name_of(c, row)));
    }
    if (c->sites.cartesian && c->periodic) {
        double cartesian[3] = {x[0], x[1], x[2]};
        times(cartesian, c->inverse, x);
    }
    return CHGNET_OK;
}

static chgnet_status add_atom(cif *c, int64_t row, int z, const double x[3])
{
    chgi_structure *structure = c->structure;
    chgnet_context *ctx = c->lines->ctx;
    size_t n = (size_t)structure->n_atom;
    CHGI_TRY(chgi_memory_grow(ctx, &structure->numbers, &c->number_capacity, n + 1, sizeof *structure->numbers));
    CHGI_TRY(chgi_memory_grow(ctx, &structure->positions, &c->position_capacity, 3 * n + 3, sizeof(double)));
    CHGI_TRY(chgi_memory_grow(ctx, &c->site_of, &c->site_capacity, n + 1, sizeof *c->site_of));
    structure->numbers[n] = z;
    memcpy(structure->positions + 3 * n, x, 3 * sizeof *x); /* fractional until all are there */
    c->site_of[n] = row;
    structure->n_atom++;
    return CHGNET_OK;
}

static double distance(const cif *c, const double *a, const double *b)
{
    double fraction[3], way[3];
    for (int k = 0; k < 3; k++)
        fraction[k] = chgi_operation_difference(a[k], b[k]);
    times(fraction, c->structure->cell, way);
    return sqrt(way[0] * way[0] + way[1] * way[1] + way[2] * way[2]);
}

static chgnet_status add_images(cif *c, int64_t row, int z, const double x[3])
{
    double images[3 * CHGI_MAX_OPERATION];
    if (c->n_operation == 1)
        return add_atom(c, row, z, x);
    int n = chgi_operation_orbit(c->operations, c->n_operation, x, c->tolerance, images);
    bool unclear = n == 0;
    for (int i = 1; i < n && !unclear; i++) /* by symmetry the neighbours of the first tell about all */
        unclear = distance(c, images, images + 3 * i) < TOO_NEAR;
    if (unclear)
        return chgi_lines_fail(c->lines, chgi_cif_get(c->block, c->sites.x[0], row)->line,
                               "site %.*s is near a special position but not on it: its images lie within %g A of each "
                               "other; give its coordinates with more digits",
                               CHGI_SPAN(name_of(c, row)), TOO_NEAR);
    for (int i = 0; i < n; i++)
        CHGI_TRY(add_atom(c, row, z, images + 3 * i));
    return CHGNET_OK;
}

static chgnet_status read_sites(cif *c)
{
    for (int64_t row = 0; row < c->sites.count; row++) {
        int z = 0;
        double x[3] = {0};
        if (c->sites.flag && chgi_span_resembles(chgi_cif_get(c->block, c->sites.flag, row)->text, "dum"))
            continue; /* the dictionary's mark for a place that is no atom */
        CHGI_TRY(check_occupancy(c, row));
        CHGI_TRY(read_element(c, row, &z));
        CHGI_TRY(read_place(c, row, x));
        CHGI_TRY(add_images(c, row, z, x));
    }
    if (c->structure->n_atom == 0)
        return chgi_lines_fail(c->lines, c->sites.x[0]->line, "no atoms in this data block; at least one is needed");
    return CHGNET_OK;
}

static chgnet_status check_overlap(const cif *c)
{
    int64_t pair[2];
    CHGI_TRY(
        chgi_operation_find_overlap(c->lines->ctx, c->structure->n_atom, c->structure->positions, c->tolerance, pair));
    if (pair[1] < 0)
        return CHGNET_OK;
    int64_t a = c->site_of[pair[0]], b = c->site_of[pair[1]];
    return chgi_lines_fail(c->lines, chgi_cif_get(c->block, c->sites.x[0], a > b ? a : b)->line,
                           "sites %.*s and %.*s lie on one place; a site can hold one atom",
                           CHGI_SPAN(name_of(c, a < b ? a : b)), CHGI_SPAN(name_of(c, a > b ? a : b)));
}

static chgnet_status place_atoms(cif *c)
{
    for (int64_t i = 0; i < c->structure->n_atom; i++) {
        double *position = c->structure->positions + 3 * i, fraction[3];
        memcpy(fraction, position, sizeof fraction);
        if (c->periodic)
            times(fraction, c->structure->cell, position);
        for (int k = 0; k < 3; k++)
            if (!(fabs(position[k]) <= CHGI_MAX_LENGTH))
                return chgi_lines_fail(c->lines, chgi_cif_get(c->block, c->sites.x[0], c->site_of[i])->line,
                                       "site %.*s has the coordinate %g A; at most 1e6 A is possible",
                                       CHGI_SPAN(name_of(c, c->site_of[i])), position[k]);
    }
    return CHGNET_OK;
}

/* The matrix that leads from fractional coordinates to Cartn must be that of our frame. */
static chgnet_status check_frame(const cif *c)
{
    for (int i = 0; i < 9 && c->sites.cartesian && c->periodic; i++) {
        char tag[64];
        double number;
        snprintf(tag, sizeof tag, "_atom_sites_Cartn_tran_matrix_%d%d", i / 3 + 1, i % 3 + 1);
        const chgi_cif_item *item = chgi_cif_find(c->block, tag);
        const chgi_cif_value *value = item ? chgi_cif_get(c->block, item, 0) : NULL;
        if (value && !(chgi_cif_to_number(value, &number) && fabs(number - c->structure->cell[i % 3][i / 3]) < 1e-2))
            return chgi_lines_fail(c->lines, value->line,
                                   "Cartn coordinates are read in the frame with a along x and b in the xy plane only; "
                                   "give fractional ones");
    }
    return CHGNET_OK;
}

static chgnet_status keep_name(const cif *c)
{
    if (c->block->name.length == 0)
        return CHGNET_OK;
    char *name = chgi_memory_new(c->block->name.length + 1, 1);
    if (!name)
        return chgi_context_nomem(c->lines->ctx, c->block->name.length + 1, 1);
    memcpy(name, c->block->name.text, c->block->name.length);
    chgnet_status status = chgi_structure_set_info(c->lines->ctx, c->structure, "name", name);
    chgi_memory_free(name);
    return status;
}

static chgnet_status read_structure(cif *c)
{
    CHGI_TRY(find_sites(c));
    c->periodic = !c->sites.cartesian || chgi_cif_find(c->block, "_cell_length_a");
    if (c->periodic)
        CHGI_TRY(read_cell(c));
    CHGI_TRY(check_frame(c));
    CHGI_TRY(read_operations(c));
    CHGI_TRY(read_sites(c));
    if (c->periodic)
        CHGI_TRY(check_overlap(c));
    CHGI_TRY(place_atoms(c));
    return keep_name(c);
}

static bool holds_atoms(const chgi_cif_block *block)
{
    return chgi_cif_find(block, "_atom_site_label") || chgi_cif_find(block, "_atom_site_type_symbol") ||
           chgi_cif_find(block, "_atom_site_fract_x") || chgi_cif_find(block, "_atom_site_Cartn_x");
}

static chgnet_status read_block(chgi_lines *lines, chgi_cif_block *block, chgi_structure *structure)
{
    cif *c = chgi_memory_new(1, sizeof *c);
    if (!c)
        return chgi_context_nomem(lines->ctx, 1, sizeof *c);
    c->lines = lines;
    c->block = block;
    c->structure = structure;
    chgnet_status status = read_structure(c);
    chgi_memory_free(c->site_of);
    chgi_memory_free(c);
    return status;
}

chgnet_status chgi_cif_read(chgi_lines *lines, chgi_structure *structure, bool *got, long *start)
{
    bool another = true;
    chgnet_status status = CHGNET_OK;
    *structure = (chgi_structure){0};
    *got = false;
    while (status == CHGNET_OK && another && !*got) {
        chgi_cif_block block;
        status = chgi_cif_parse(lines, &block, &another);
        if (another)
            *start = block.line;
        if (status == CHGNET_OK && another && holds_atoms(&block)) {
            status = read_block(lines, &block, structure);
            *got = status == CHGNET_OK;
        }
        chgi_cif_block_destroy(&block);
    }
    if (status != CHGNET_OK)
        chgi_structure_destroy(structure);
    return status;
}

bool chgi_cif_recognise(const chgi_lines *lines)
{
    chgi_lines ahead = *lines;
    chgi_span line, field;
    while (chgi_lines_next(&ahead, &line))
        if (chgi_span_field(&line, &field) && field.text[0] != '#')
            return field.length >= 5 && chgi_span_resembles((chgi_span){field.text, 5}, "data_");
    return false;
}
