#include "gp/label_store.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static const int64_t MOST = INT64_C(1) << 40; /* of any count */

/* All labels of a set, array by array. */
typedef struct label_arrays {
    int64_t n_label, n_atom; /* atoms of all labels */
    int64_t *start;          /* (n_label+1) */
    int32_t *numbers;
    double *positions, *cells, *energies, *base_energies, *forces, *base_forces;
    int8_t *pbc, *has_energy, *has_forces, *use;
    int32_t *sources; /* (n_label) number of the file, -1: none */
    int64_t *lines;   /* (n_label) */
    char *names;      /* of the files, one per line */
} label_arrays;

static void free_arrays(label_arrays *a)
{
    void *const arrays[] = {a->start,         a->numbers, a->positions,   a->cells, a->energies,
                            a->base_energies, a->forces,  a->base_forces, a->pbc,   a->has_energy,
                            a->has_forces,    a->use,     a->sources,     a->lines, a->names};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        chgi_memory_free(arrays[i]);
}

static chgnet_status allocate_arrays(chgnet_context *ctx, label_arrays *a)
{
    size_t n = (size_t)a->n_label, atoms = (size_t)a->n_atom;
    a->start = chgi_memory_new(n + 1, sizeof *a->start);
    a->numbers = chgi_memory_new(atoms, sizeof *a->numbers);
    a->positions = chgi_memory_new(atoms, 3 * sizeof(double));
    a->forces = chgi_memory_new(atoms, 3 * sizeof(double));
    a->base_forces = chgi_memory_new(atoms, 3 * sizeof(double));
    a->use = chgi_memory_new(atoms, 3);
    a->cells = chgi_memory_new(n, 9 * sizeof(double));
    a->energies = chgi_memory_new(n, sizeof(double));
    a->base_energies = chgi_memory_new(n, sizeof(double));
    a->pbc = chgi_memory_new(n, 3);
    a->has_energy = chgi_memory_new(n, 1);
    a->has_forces = chgi_memory_new(n, 1);
    a->sources = chgi_memory_new(n, sizeof *a->sources);
    a->lines = chgi_memory_new(n, sizeof *a->lines);
    bool good = a->start && a->numbers && a->positions && a->forces && a->base_forces && a->use && a->cells &&
                a->energies && a->base_energies && a->pbc && a->has_energy && a->has_forces && a->sources && a->lines;
    return good ? CHGNET_OK : chgi_context_nomem(ctx, atoms + n, 10 * sizeof(double));
}

static void copy_label(const chgi_labelled *l, int64_t i, label_arrays *a)
{
    size_t n = (size_t)l->structure.n_atom;
    int64_t first = a->start[i];
    a->start[i + 1] = first + l->structure.n_atom;
    memcpy(a->numbers + first, l->structure.numbers, n * sizeof *a->numbers);
    memcpy(a->positions + 3 * first, l->structure.positions, 3 * n * sizeof(double));
    memcpy(a->cells + 9 * i, l->structure.cell, 9 * sizeof(double));
    for (int k = 0; k < 3; k++)
        a->pbc[3 * i + k] = l->structure.pbc[k];
    a->has_energy[i] = l->has_energy;
    a->energies[i] = l->has_energy ? l->energy : 0;
    a->base_energies[i] = l->base_energy;
    a->has_forces[i] = l->forces && l->base_forces;
    if (!a->has_forces[i])
        return;
    memcpy(a->forces + 3 * first, l->forces, 3 * n * sizeof(double));
    memcpy(a->base_forces + 3 * first, l->base_forces, 3 * n * sizeof(double));
    for (size_t k = 0; k < 3 * n; k++)
        a->use[3 * first + (int64_t)k] = !l->use || l->use[k];
}

/* Places "FILE:LINE": each file's name once, one per line of a text, and for each label its file and line. */
static chgnet_status gather_places(chgnet_context *ctx, const chgi_label_set *set, label_arrays *a)
{
    chgi_text text = {0};
    const char *last = NULL;
    size_t last_length = 0;
    int32_t n_source = 0;
    for (int64_t i = 0; i < set->n_label; i++) {
        const char *place = set->labels[i].place, *colon = place ? strrchr(place, ':') : NULL;
        size_t length = colon ? (size_t)(colon - place) : 0;
        a->sources[i] = -1;
        if (!colon || !chgi_text_to_int(colon + 1, strlen(colon + 1), &a->lines[i]))
            continue;
        if (!last || length != last_length || memcmp(place, last, length) != 0) { /* labels come file by file */
            chgi_text_append(&text, place, length);
            chgi_text_append(&text, "\n", 1);
            n_source++;
            last = place;
            last_length = length;
        }
        a->sources[i] = n_source - 1;
    }
    a->names = text.data;
    return text.failed ? chgi_context_nomem(ctx, text.length, 2) : CHGNET_OK;
}

static chgnet_status gather(chgnet_context *ctx, const chgi_label_set *set, label_arrays *a)
{
    a->n_label = set->n_label;
    for (int64_t i = 0; i < set->n_label; i++)
        a->n_atom += set->labels[i].structure.n_atom;
    CHGI_TRY(allocate_arrays(ctx, a));
    for (int64_t i = 0; i < set->n_label; i++)
        copy_label(&set->labels[i], i, a);
    return gather_places(ctx, set, a);
}

#define VISIT_LABELS(type, rank, name, field, ...) \
    CHGI_TRY(chgi_record_array(r, "labels", name, type, rank, (const int64_t[]){__VA_ARGS__}, &a->field))

static chgnet_status visit_labels(chgi_record *r, label_arrays *a)
{
    CHGI_TRY(chgi_record_group(r, "labels"));
    CHGI_TRY(chgi_record_int(r, "labels", "n_label", 1, MOST, &a->n_label));
    CHGI_TRY(chgi_record_int(r, "labels", "n_atom", 1, MOST, &a->n_atom));
    VISIT_LABELS(CHGI_H5_INT64, 1, "start", start, a->n_label + 1);
    VISIT_LABELS(CHGI_H5_INT32, 1, "numbers", numbers, a->n_atom);
    VISIT_LABELS(CHGI_H5_DOUBLE, 2, "positions", positions, a->n_atom, 3);
    VISIT_LABELS(CHGI_H5_DOUBLE, 3, "cell", cells, a->n_label, 3, 3);
    VISIT_LABELS(CHGI_H5_BOOL, 2, "pbc", pbc, a->n_label, 3);
    VISIT_LABELS(CHGI_H5_BOOL, 1, "has_energy", has_energy, a->n_label);
    VISIT_LABELS(CHGI_H5_BOOL, 1, "has_forces", has_forces, a->n_label);
    VISIT_LABELS(CHGI_H5_DOUBLE, 1, "energy", energies, a->n_label);
    VISIT_LABELS(CHGI_H5_DOUBLE, 1, "base_energy", base_energies, a->n_label);
    VISIT_LABELS(CHGI_H5_DOUBLE, 2, "forces", forces, a->n_atom, 3);
    VISIT_LABELS(CHGI_H5_DOUBLE, 2, "base_forces", base_forces, a->n_atom, 3);
    VISIT_LABELS(CHGI_H5_BOOL, 2, "force_used", use, a->n_atom, 3);
    VISIT_LABELS(CHGI_H5_INT32, 1, "source", sources, a->n_label);
    VISIT_LABELS(CHGI_H5_INT64, 1, "line", lines, a->n_label);
    return chgi_record_text(r, "labels", "sources", &a->names);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static chgnet_status check_start(chgnet_context *ctx, const label_arrays *a)
{
    bool good = a->start[0] == 0 && a->start[a->n_label] == a->n_atom;
    for (int64_t i = 0; good && i < a->n_label; i++)
        good = a->start[i] < a->start[i + 1] && a->start[i + 1] <= a->n_atom;
    for (int64_t i = 0; good && i < a->n_atom; i++)
        good = a->numbers[i] >= 1 && a->numbers[i] <= CHGI_MAX_ELEMENT;
    return good ? CHGNET_OK
                : chgi_context_fail(ctx, CHGNET_EINPUT, "the labels' atoms are not in order; make the file again");
}

static chgnet_status take_doubles(chgnet_context *ctx, const double *from, size_t n, double **to)
{
    *to = chgi_memory_new(n, sizeof **to);
    if (!*to)
        return chgi_context_nomem(ctx, n, sizeof **to);
    memcpy(*to, from, n * sizeof **to);
    return CHGNET_OK;
}

static chgnet_status take_place(chgnet_context *ctx, const label_arrays *a, int64_t i, chgi_labelled *l)
{
    const char *name = a->names;
    chgi_text text = {0};
    if (a->sources[i] < 0)
        return CHGNET_OK;
    for (int32_t k = 0; k < a->sources[i] && *name; k++) {
        name += strcspn(name, "\n");
        name += *name == '\n';
    }
    chgi_text_print(&text, "%.*s:%lld", (int)strcspn(name, "\n"), name, (long long)a->lines[i]);
    l->place = text.data;
    return text.failed ? chgi_context_nomem(ctx, text.length, 2) : CHGNET_OK;
}

static chgnet_status take_label(chgnet_context *ctx, const label_arrays *a, int64_t i, chgi_labelled *l)
{
    int64_t first = a->start[i];
    size_t n = (size_t)(a->start[i + 1] - first);
    CHGI_TRY(chgi_structure_create(ctx, (int64_t)n, &l->structure));
    memcpy(l->structure.numbers, a->numbers + first, n * sizeof *a->numbers);
    memcpy(l->structure.positions, a->positions + 3 * first, 3 * n * sizeof(double));
    memcpy(l->structure.cell, a->cells + 9 * i, 9 * sizeof(double));
    for (int k = 0; k < 3; k++)
        l->structure.pbc[k] = a->pbc[3 * i + k] != 0;
    l->has_energy = a->has_energy[i] != 0;
    l->energy = a->energies[i];
    l->base_energy = a->base_energies[i];
    CHGI_TRY(take_place(ctx, a, i, l));
    if (!a->has_forces[i])
        return CHGNET_OK;
    CHGI_TRY(take_doubles(ctx, a->forces + 3 * first, 3 * n, &l->forces));
    CHGI_TRY(take_doubles(ctx, a->base_forces + 3 * first, 3 * n, &l->base_forces));
    l->use = chgi_memory_new(3 * n, sizeof *l->use);
    if (!l->use)
        return chgi_context_nomem(ctx, 3 * n, sizeof *l->use);
    for (size_t k = 0; k < 3 * n; k++)
        l->use[k] = a->use[3 * first + (int64_t)k] != 0;
    return CHGNET_OK;
}

static chgnet_status take_labels(chgnet_context *ctx, const label_arrays *a, chgi_label_set *set)
{
    CHGI_TRY(check_start(ctx, a));
    for (int64_t i = 0; i < a->n_label; i++) {
        chgi_labelled l = {0};
        chgnet_status status = take_label(ctx, a, i, &l);
        if (status != CHGNET_OK) {
            chgi_labelled_destroy(&l);
            return status;
        }
        CHGI_TRY(chgi_label_set_add(ctx, set, &l));
    }
    return CHGNET_OK;
}

chgnet_status chgi_label_set_visit(chgi_record *record, chgi_label_set *set)
{
    label_arrays arrays = {0};
    chgnet_status status = record->writing ? gather(record->ctx, set, &arrays) : CHGNET_OK;
    if (status == CHGNET_OK)
        status = visit_labels(record, &arrays);
    if (status == CHGNET_OK && !record->writing)
        status = take_labels(record->ctx, &arrays, set);
    free_arrays(&arrays);
    return status;
}
