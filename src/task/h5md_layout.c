#include "task/h5md_layout.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "store/h5_large.h"

/* MDAnalysis makes atoms without a topology file only for this name, and knows forces in no unit of eV. */
#define PARTICLES "particles/trajectory"
#define FORCE_UNIT "kJ mol-1 Angstrom-1"
#define EV_IN_KJ_PER_MOL 96.48533212331002 /* e N_A / 1000, both exact in the SI of 2019 */

static const char observables[] = "observables";

/* ---- where things stand ----------------------------------------------------------------------- */

static chgi_h5md_field *add(chgi_h5md_layout *l, const char *group, const char *name, const char *unit, int rank,
                            int64_t rows, int64_t columns)
{
    chgi_h5md_field *field = &l->fields[l->n_field++];
    *field = (chgi_h5md_field){.name = name,
                               .unit = unit,
                               .type = CHGI_H5_DOUBLE,
                               .rank = rank,
                               .shape = {rows, columns},
                               .start = l->n_word,
                               .n_word = rows * columns};
    snprintf(field->group, sizeof field->group, "%s", group);
    l->n_word += field->n_word;
    return field;
}

chgnet_status chgi_h5md_layout_make(chgnet_context *ctx, const chgi_trajectory_plan *plan, chgi_h5md_layout *l)
{
    const bool *pbc = plan->structure->pbc;
    int64_t n = plan->structure->n_atom;
    *l = (chgi_h5md_layout){.plan = plan, .n_atom = n, .has_stress = pbc[0] && pbc[1] && pbc[2]};
    if (plan->n_column > CHGI_TRAJECTORY_MAX_COLUMNS)
        return chgi_context_fail(ctx, CHGNET_EINTERNAL, "a trajectory has at most %d columns",
                                 CHGI_TRAJECTORY_MAX_COLUMNS);
    add(l, PARTICLES "/position", "step", NULL, 0, 1, 1)->type = CHGI_H5_INT64;
    add(l, PARTICLES "/position", "time", "fs", 0, 1, 1);
    add(l, PARTICLES "/position", "value", "Angstrom", 2, n, 3);
    add(l, PARTICLES "/velocity", "value", "Angstrom fs-1", 2, n, 3);
    add(l, PARTICLES "/force", "value", FORCE_UNIT, 2, n, 3);
    add(l, PARTICLES "/box/edges", "value", "Angstrom", 2, 3, 3);
    if (plan->magmoms)
        add(l, PARTICLES "/magmom", "value", "mu_B", 1, n, 1);
    if (plan->n_feature > 0)
        add(l, PARTICLES "/atom_fea", "value", NULL, 2, n, plan->n_feature);
    if (l->has_stress)
        add(l, "observables/stress", "value", "GPa", 2, 3, 3);
    for (int i = 0; i < plan->n_column; i++) {
        char group[64];
        snprintf(group, sizeof group, "%s/%s", observables, plan->columns[i].name);
        add(l, group, "value", plan->columns[i].unit[0] ? plan->columns[i].unit : NULL, 0, 1, 1);
    }
    return CHGNET_OK;
}

/* ---- records ---------------------------------------------------------------------------------- */

static uint64_t *put(uint64_t *record, const void *values, int64_t n_word)
{
    memcpy(record, values, (size_t)n_word * sizeof *record);
    return record + n_word;
}

void chgi_h5md_layout_pack(const chgi_h5md_layout *l, const chgi_frame *frame, uint64_t *record)
{
    record = put(record, &frame->step, 1);
    record = put(record, &frame->time, 1);
    record = put(record, frame->positions, 3 * l->n_atom);
    record = put(record, frame->velocities, 3 * l->n_atom);
    for (int64_t i = 0; i < 3 * l->n_atom; i++) {
        double force = frame->forces[i] * EV_IN_KJ_PER_MOL;
        record = put(record, &force, 1);
    }
    record = put(record, frame->cell, 9);
    if (l->plan->magmoms)
        record = put(record, frame->magmoms, l->n_atom);
    if (l->plan->n_feature > 0)
        record = put(record, frame->embeddings, l->n_atom * l->plan->n_feature);
    if (l->has_stress)
        record = put(record, frame->stress, 9);
    put(record, frame->values, l->plan->n_column);
}

void chgi_h5md_layout_sort(const chgi_h5md_layout *l, int64_t n, int64_t stride, const uint64_t *records,
                           double *columns)
{
    for (int i = 0; i < l->n_field; i++) {
        const chgi_h5md_field *field = &l->fields[i];
        for (int64_t frame = 0; frame < n; frame++)
            memcpy(columns + field->start * n + frame * field->n_word, records + frame * stride + field->start,
                   (size_t)field->n_word * sizeof *records);
    }
}

/* ---- the file's frame ------------------------------------------------------------------------- */

static chgnet_status declare_head(chgnet_context *ctx, const chgi_trajectory_plan *plan, chgi_h5 *file)
{
    static const int64_t version[2] = {1, 1}, units_version[2] = {1, 0};
    CHGI_TRY(chgi_h5_add_group(ctx, file, "h5md"));
    CHGI_TRY(chgi_h5_set_ints(ctx, file, "h5md", "version", 2, version));
    CHGI_TRY(chgi_h5_add_group(ctx, file, "h5md/author"));
    CHGI_TRY(chgi_h5_set_text(ctx, file, "h5md/author", "name", "not given"));
    CHGI_TRY(chgi_h5_add_group(ctx, file, "h5md/creator"));
    CHGI_TRY(chgi_h5_set_text(ctx, file, "h5md/creator", "name", "chgnet"));
    CHGI_TRY(chgi_h5_set_text(ctx, file, "h5md/creator", "version", plan->creator));
    CHGI_TRY(chgi_h5_add_group(ctx, file, "h5md/modules"));
    CHGI_TRY(chgi_h5_add_group(ctx, file, "h5md/modules/units"));
    return chgi_h5_set_ints(ctx, file, "h5md/modules/units", "version", 2, units_version);
}

static chgnet_status declare_particles(chgnet_context *ctx, const chgi_trajectory_plan *plan, chgi_h5 *file)
{
    const chgi_structure *s = plan->structure;
    const char *boundary[3];
    for (int k = 0; k < 3; k++)
        boundary[k] = s->pbc[k] ? "periodic" : "none";
    CHGI_TRY(chgi_h5_add_group(ctx, file, "particles"));
    CHGI_TRY(chgi_h5_add_group(ctx, file, PARTICLES));
    CHGI_TRY(chgi_h5_add(ctx, file, PARTICLES, "species", CHGI_H5_INT32, 1, &s->n_atom, s->numbers));
    CHGI_TRY(chgi_h5_add(ctx, file, PARTICLES, "mass", CHGI_H5_DOUBLE, 1, &s->n_atom, plan->masses));
    CHGI_TRY(chgi_h5_set_array_text(ctx, file, PARTICLES, "mass", "unit", "u"));
    CHGI_TRY(chgi_h5_add_group(ctx, file, PARTICLES "/box"));
    CHGI_TRY(chgi_h5_set_int(ctx, file, PARTICLES "/box", "dimension", 3));
    return chgi_h5_set_texts(ctx, file, PARTICLES "/box", "boundary", 3, boundary);
}

/* A group has its values, and shares step and time with the positions. */
static chgnet_status declare_field(chgnet_context *ctx, const chgi_h5md_field *field, chgi_h5 *file, int64_t n_frame)
{
    bool leads = strcmp(field->group, PARTICLES "/position") == 0;
    const int64_t shape[3] = {n_frame, field->shape[0], field->shape[1]};
    if (!leads || strcmp(field->name, "step") == 0)
        CHGI_TRY(chgi_h5_add_group(ctx, file, field->group));
    CHGI_TRY(chgi_h5_declare(ctx, file, field->group, field->name, field->type, 1 + field->rank, shape));
    if (field->unit)
        CHGI_TRY(chgi_h5_set_array_text(ctx, file, field->group, field->name, "unit", field->unit));
    if (leads)
        return CHGNET_OK;
    CHGI_TRY(chgi_h5_link(ctx, file, PARTICLES "/position/step", field->group, "step"));
    return chgi_h5_link(ctx, file, PARTICLES "/position/time", field->group, "time");
}

/* What each atom has beyond the mechanics is found among the observables too: there MDAnalysis looks for it. */
static chgnet_status link_observables(chgnet_context *ctx, const chgi_trajectory_plan *plan, chgi_h5 *file)
{
    static const char group[] = "observables/trajectory";
    if (!plan->magmoms && plan->n_feature == 0)
        return CHGNET_OK;
    CHGI_TRY(chgi_h5_add_group(ctx, file, group));
    if (plan->magmoms)
        CHGI_TRY(chgi_h5_link(ctx, file, PARTICLES "/magmom", group, "magmom"));
    if (plan->n_feature > 0)
        CHGI_TRY(chgi_h5_link(ctx, file, PARTICLES "/atom_fea", group, "atom_fea"));
    return CHGNET_OK;
}

chgnet_status chgi_h5md_layout_declare(chgnet_context *ctx, const chgi_h5md_layout *l, chgi_h5 *file, int64_t n_frame)
{
    CHGI_TRY(declare_head(ctx, l->plan, file));
    CHGI_TRY(declare_particles(ctx, l->plan, file));
    CHGI_TRY(chgi_h5_add_group(ctx, file, observables));
    for (int i = 0; i < l->n_field; i++)
        CHGI_TRY(declare_field(ctx, &l->fields[i], file, n_frame));
    return link_observables(ctx, l->plan, file);
}

/* ---- rows ------------------------------------------------------------------------------------- */

chgnet_status chgi_h5md_layout_count(chgnet_context *ctx, const chgi_h5md_layout *l, chgi_h5 *file, int64_t *n_frame)
{
    for (int i = 0; i < l->n_field; i++) {
        const chgi_h5md_field *field = &l->fields[i];
        int64_t shape[CHGI_H5_MAX_RANK];
        CHGI_TRY(chgi_h5_shape(ctx, file, field->group, field->name, field->type, 1 + field->rank, shape, NULL));
        if (i == 0)
            *n_frame = shape[0];
        if (shape[0] != *n_frame || (field->rank > 0 && shape[1] != field->shape[0]) ||
            (field->rank > 1 && shape[2] != field->shape[1]))
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "'%s/%s' has the shape of another run; put the file of this run back",
                                     field->group, field->name);
    }
    return CHGNET_OK;
}

chgnet_status chgi_h5md_layout_write(chgnet_context *ctx, const chgi_h5md_layout *l, chgi_h5 *file, int64_t first,
                                     int64_t n, const double *columns)
{
    for (int i = 0; i < l->n_field; i++) {
        const chgi_h5md_field *field = &l->fields[i];
        CHGI_TRY(chgi_h5_write_rows(ctx, file, field->group, field->name, field->type, first, n,
                                    columns + field->start * n));
    }
    return CHGNET_OK;
}

chgnet_status chgi_h5md_layout_read(chgnet_context *ctx, const chgi_h5md_layout *l, chgi_h5 *file, int64_t first,
                                    int64_t n, double *columns)
{
    for (int i = 0; i < l->n_field; i++) {
        const chgi_h5md_field *field = &l->fields[i];
        CHGI_TRY(
            chgi_h5_read_rows(ctx, file, field->group, field->name, field->type, first, n, columns + field->start * n));
    }
    return CHGNET_OK;
}
