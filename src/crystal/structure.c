/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/structure.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/lattice.h"

/* Periodic images closer than this would be an atom on top of itself. */
#define SHORTEST_PERIOD 1e-3

static chgnet_status check_count(chgnet_context *ctx, int64_t n_atom)
{
    if (n_atom <= INT32_MAX)
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EINPUT, "%lld atoms; at most %ld can be numbered", (long long)n_atom,
                             (long)INT32_MAX);
}

chgnet_status chgi_structure_create(chgnet_context *ctx, int64_t n_atom, chgi_structure *structure)
{
    *structure = (chgi_structure){0};
    CHGI_TRY(check_count(ctx, n_atom));
    structure->numbers = chgi_memory_new((size_t)n_atom, sizeof *structure->numbers);
    structure->positions = chgi_memory_new((size_t)n_atom, 3 * sizeof *structure->positions);
    structure->n_atom = n_atom;
    if (structure->numbers && structure->positions)
        return CHGNET_OK;
    chgi_structure_destroy(structure);
    return chgi_context_nomem(ctx, (size_t)n_atom, sizeof(int32_t) + 3 * sizeof(double));
}

void chgi_structure_destroy(chgi_structure *structure)
{
    if (!structure)
        return;
    for (int i = 0; i < structure->n_info; i++) {
        chgi_memory_free(structure->info[i].key);
        chgi_memory_free(structure->info[i].value);
    }
    for (int i = 0; i < structure->n_column; i++) {
        chgi_memory_free(structure->columns[i].name);
        chgi_memory_free(structure->columns[i].data);
    }
    chgi_memory_free(structure->info);
    chgi_memory_free(structure->columns);
    chgi_memory_free(structure->numbers);
    chgi_memory_free(structure->positions);
    chgi_memory_free(structure->move_mask);
    *structure = (chgi_structure){0};
}

/* Lists without a stored capacity: they are full exactly when their length is a power of two (or zero). */
static chgnet_status room_for_one_more(chgnet_context *ctx, void *list, int n, size_t size)
{
    if (n & (n - 1))
        return CHGNET_OK;
    size_t capacity = (size_t)n;
    return chgi_memory_grow(ctx, list, &capacity, capacity ? 2 * capacity : 1, size);
}

static int find_info(const chgi_structure *structure, const char *key)
{
    for (int i = 0; i < structure->n_info; i++)
        if (strcmp(structure->info[i].key, key) == 0)
            return i;
    return -1;
}

const char *chgi_structure_info(const chgi_structure *structure, const char *key)
{
    int i = find_info(structure, key);
    return i < 0 ? NULL : structure->info[i].value;
}

chgnet_status chgi_structure_set_info(chgnet_context *ctx, chgi_structure *structure, const char *key,
                                      const char *value)
{
    int i = find_info(structure, key);
    char *new_value = chgi_memory_copy_text(value);
    if (!new_value)
        return chgi_context_nomem(ctx, strlen(value) + 1, 1);
    if (i >= 0) {
        chgi_memory_free(structure->info[i].value);
        structure->info[i].value = new_value;
        return CHGNET_OK;
    }
    char *new_key = chgi_memory_copy_text(key);
    chgnet_status status = new_key ? room_for_one_more(ctx, &structure->info, structure->n_info, sizeof(chgi_info))
                                   : chgi_context_nomem(ctx, strlen(key) + 1, 1);
    if (status != CHGNET_OK) {
        chgi_memory_free(new_key);
        chgi_memory_free(new_value);
        return status;
    }
    structure->info[structure->n_info++] = (chgi_info){new_key, new_value};
    return CHGNET_OK;
}

void chgi_structure_drop_info(chgi_structure *structure, const char *key)
{
    int found = find_info(structure, key);
    if (found < 0)
        return;
    chgi_memory_free(structure->info[found].key);
    chgi_memory_free(structure->info[found].value);
    structure->n_info--;
    memmove(structure->info + found, structure->info + found + 1,
            (size_t)(structure->n_info - found) * sizeof *structure->info);
}

static int find_column(const chgi_structure *structure, const char *name)
{
    for (int i = 0; i < structure->n_column; i++)
        if (strcmp(structure->columns[i].name, name) == 0)
            return i;
    return -1;
}

const chgi_column *chgi_structure_column(const chgi_structure *structure, const char *name)
{
    int i = find_column(structure, name);
    return i < 0 ? NULL : &structure->columns[i];
}

chgnet_status chgi_structure_add_column(chgnet_context *ctx, chgi_structure *structure, const char *name, char type,
                                        int width, double **data)
{
    double *numbers = chgi_memory_new((size_t)structure->n_atom, (size_t)width * sizeof *numbers);
    if (!numbers)
        return chgi_context_nomem(ctx, (size_t)structure->n_atom, (size_t)width * sizeof *numbers);
    int i = find_column(structure, name);
    if (i >= 0) {
        chgi_column *old = &structure->columns[i];
        chgi_memory_free(old->data);
        *old = (chgi_column){old->name, type, width, numbers};
        *data = numbers;
        return CHGNET_OK;
    }
    char *new_name = chgi_memory_copy_text(name);
    chgnet_status status = new_name
                               ? room_for_one_more(ctx, &structure->columns, structure->n_column, sizeof(chgi_column))
                               : chgi_context_nomem(ctx, strlen(name) + 1, 1);
    if (status != CHGNET_OK) {
        chgi_memory_free(new_name);
        chgi_memory_free(numbers);
        return status;
    }
    structure->columns[structure->n_column++] = (chgi_column){new_name, type, width, numbers};
    *data = numbers;
    return CHGNET_OK;
}

chgnet_status chgi_structure_set_column(chgnet_context *ctx, chgi_structure *structure, const char *name, int width,
                                        const double *data)
{
    double *copy;
    CHGI_TRY(chgi_structure_add_column(ctx, structure, name, 'R', width, &copy));
    memcpy(copy, data, (size_t)structure->n_atom * (size_t)width * sizeof *copy);
    return CHGNET_OK;
}

static chgnet_status copy_extras(chgnet_context *ctx, const chgi_structure *from, chgi_structure *to)
{
    if (from->move_mask) {
        to->move_mask = chgi_memory_new((size_t)from->n_atom, 3 * sizeof *to->move_mask);
        if (!to->move_mask)
            return chgi_context_nomem(ctx, (size_t)from->n_atom, 3);
        memcpy(to->move_mask, from->move_mask, (size_t)from->n_atom * 3 * sizeof *to->move_mask);
        to->mask_direct = from->mask_direct;
    }
    for (int i = 0; i < from->n_info; i++)
        CHGI_TRY(chgi_structure_set_info(ctx, to, from->info[i].key, from->info[i].value));
    for (int i = 0; i < from->n_column; i++) {
        const chgi_column *column = &from->columns[i];
        double *data;
        CHGI_TRY(chgi_structure_add_column(ctx, to, column->name, column->type, column->width, &data));
        memcpy(data, column->data, (size_t)from->n_atom * (size_t)column->width * sizeof *data);
    }
    return CHGNET_OK;
}

chgnet_status chgi_structure_copy(chgnet_context *ctx, const chgi_structure *from, chgi_structure *to)
{
    CHGI_TRY(chgi_structure_create(ctx, from->n_atom, to));
    memcpy(to->numbers, from->numbers, (size_t)from->n_atom * sizeof *to->numbers);
    memcpy(to->positions, from->positions, (size_t)from->n_atom * 3 * sizeof *to->positions);
    memcpy(to->cell, from->cell, sizeof to->cell);
    memcpy(to->pbc, from->pbc, sizeof to->pbc);
    chgnet_status status = copy_extras(ctx, from, to);
    if (status != CHGNET_OK)
        chgi_structure_destroy(to);
    return status;
}

static double length_of(const double a[3])
{
    return sqrt(chgi_dot(a, a));
}

double chgi_structure_volume(const double cell[3][3])
{
    double normal[3];
    chgi_cross(cell[1], cell[2], normal);
    return chgi_dot(cell[0], normal);
}

bool chgi_structure_invert(const double cell[3][3], double inverse[3][3])
{
    double volume = chgi_structure_volume(cell);
    double scale = length_of(cell[0]) * length_of(cell[1]) * length_of(cell[2]);
    if (!(fabs(volume) > CHGI_FLAT_CELL * scale))
        return false;
    for (int k = 0; k < 3; k++) {
        double column[3];
        chgi_cross(cell[(k + 1) % 3], cell[(k + 2) % 3], column);
        for (int i = 0; i < 3; i++)
            inverse[i][k] = column[i] / volume;
    }
    return true;
}

static chgnet_status check_rows(chgnet_context *ctx, const double cell[3][3], const bool pbc[3])
{
    for (int k = 0; k < 3; k++) {
        double length = length_of(cell[k]);
        if (!isfinite(length))
            return chgi_context_fail(ctx, CHGNET_EINPUT, "cell vector %d is not finite; give three numbers", k + 1);
        if (length > CHGI_MAX_LENGTH)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "cell vector %d is %g A long; at most 1e6 A is possible",
                                     k + 1, length);
        if (pbc[k] && length == 0)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "cell vector %d is zero but its axis is periodic; give the vector or set pbc to F",
                                     k + 1);
        if (pbc[k] && length < SHORTEST_PERIOD)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "cell vector %d is %g A long: an atom would lie on its own image; give a length "
                                     "in Angstrom",
                                     k + 1, length);
    }
    return CHGNET_OK;
}

chgnet_status chgi_structure_free_all(chgnet_context *ctx, chgi_structure *structure)
{
    size_t n = (size_t)structure->n_atom;
    if (structure->move_mask)
        return CHGNET_OK;
    structure->move_mask = chgi_memory_new(n, 3 * sizeof *structure->move_mask);
    if (!structure->move_mask)
        return chgi_context_nomem(ctx, n, 3 * sizeof *structure->move_mask);
    memset(structure->move_mask, true, 3 * n * sizeof *structure->move_mask);
    return CHGNET_OK;
}

chgnet_status chgi_structure_check_cell(chgnet_context *ctx, const chgi_structure *structure)
{
    const double(*cell)[3] = structure->cell;
    const bool *pbc = structure->pbc;
    CHGI_TRY(check_rows(ctx, cell, pbc));
    if (pbc[0] && pbc[1] && pbc[2]) {
        double inverse[3][3];
        if (!chgi_structure_invert(cell, inverse))
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "the cell is singular: its three vectors lie in one plane; give independent ones");
        return CHGNET_OK;
    }
    for (int k = 0; k < 3; k++) {
        int a = (k + 1) % 3, b = (k + 2) % 3;
        double normal[3];
        chgi_cross(cell[a], cell[b], normal);
        if (pbc[a] && pbc[b] && !(length_of(normal) > CHGI_FLAT_CELL * length_of(cell[a]) * length_of(cell[b])))
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "the cell is singular: vectors %d and %d are parallel; give independent ones",
                                     a < b ? a + 1 : b + 1, a < b ? b + 1 : a + 1);
    }
    return CHGNET_OK;
}

static chgnet_status check_atom(chgnet_context *ctx, const chgi_structure *structure, int64_t i, int n_element)
{
    int z = structure->numbers[i];
    if (z < 1 || z > CHGI_MAX_ELEMENT)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "atom %lld has atomic number %d; elements are 1 to %d",
                                 (long long)i + 1, z, CHGI_MAX_ELEMENT);
    if (z > n_element)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "element %s (Z %d, atom %lld) is unknown to this model; it knows Z 1 to %d",
                                 chgi_element_symbol(z), z, (long long)i + 1, n_element);
    for (int k = 0; k < 3; k++) {
        double x = structure->positions[3 * i + k];
        if (!isfinite(x))
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "atom %lld (%s) has a coordinate that is not finite; give numbers in Angstrom",
                                     (long long)i + 1, chgi_element_symbol(z));
        if (fabs(x) > CHGI_MAX_LENGTH)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "atom %lld (%s) has the coordinate %g A; at most 1e6 A is possible",
                                     (long long)i + 1, chgi_element_symbol(z), x);
    }
    return CHGNET_OK;
}

chgnet_status chgi_structure_check(chgnet_context *ctx, const chgi_structure *structure, int n_element)
{
    if (structure->n_atom < 1)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "there are no atoms; at least one is needed");
    CHGI_TRY(check_count(ctx, structure->n_atom));
    CHGI_TRY(chgi_structure_check_cell(ctx, structure));
    for (int64_t i = 0; i < structure->n_atom; i++)
        CHGI_TRY(check_atom(ctx, structure, i, n_element));
    return CHGNET_OK;
}
