/* What a run begins with: masses, degrees of freedom, velocities.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "crystal/mass.h"
#include "task/md_inside.h"

chgnet_status chgi_md_set_masses(chgi_md *md, const chgi_structure *structure)
{
    const chgi_column *column = chgi_structure_column(structure, "masses");
    if (column && (column->width != 1 || column->type == 'L'))
        return chgi_context_fail(md->ctx, CHGNET_EINPUT,
                                 "the column masses is not one number per atom; masses:R:1 would be");
    for (int64_t i = 0; i < structure->n_atom; i++) {
        int z = structure->numbers[i];
        double mass = column ? column->data[i] : chgi_element_mass(z);
        if (!(mass > 1e-6 && mass < 1e6))
            return chgi_context_fail(
                md->ctx, CHGNET_EINPUT,
                "atom %lld (%s) has the mass %g; more than 1e-6 and less than 1e6 atomic mass units "
                "would be right",
                (long long)i + 1, chgi_element_symbol(z), mass);
        md->masses[i] = mass;
        md->inertia[i] = mass / (CHGI_MD_FS * CHGI_MD_FS);
        md->total_inertia += md->inertia[i];
    }
    return CHGNET_OK;
}

/* Onto the plane at right angles to `axis`. */
static void project_off(const double axis[3], double projector[3][3])
{
    double square = axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2];
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            projector[a][b] = (a == b) - axis[a] * axis[b] / square;
}

/* Onto the line along `axis`. */
static void project_on(const double axis[3], double projector[3][3])
{
    project_off(axis, projector);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            projector[a][b] = (a == b) - projector[a][b];
}

/* The directions of an atom whose mask is along the cell vectors, some of them free. */
static void project_along_cell(const double cell[3][3], const bool may[3], double projector[3][3])
{
    int n_free = may[0] + may[1] + may[2];
    for (int c = 0; c < 3; c++) {
        if (may[c] != (n_free == 1))
            continue;
        const double *u = cell[(c + 1) % 3], *v = cell[(c + 2) % 3];
        double normal[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
        if (n_free == 1)
            project_on(cell[c], projector);
        else
            project_off(normal, projector); /* the other two vectors span the plane */
    }
}

static void set_projector(const chgi_structure *structure, int64_t atom, double projector[3][3])
{
    const bool *may = structure->move_mask + 3 * atom;
    int n_free = may[0] + may[1] + may[2];
    memset(projector, 0, 9 * sizeof(double));
    if (structure->mask_direct && n_free % 3 != 0)
        project_along_cell(structure->cell, may, projector);
    else
        for (int c = 0; c < 3; c++)
            projector[c][c] = may[c];
}

/* An axis along which some atom is held has no conserved momentum. */
static void look_at_atom(chgi_md *md, const double projector[3][3])
{
    double trace = 0;
    for (int a = 0; a < 3; a++) {
        trace += projector[a][a];
        for (int b = 0; b < 3; b++)
            if (projector[a][b] != (a == b))
                md->conserved[a] = false;
    }
    md->n_freedom += (int64_t)lround(trace);
}

chgnet_status chgi_md_set_freedom(chgi_md *md, const chgi_structure *structure)
{
    int64_t n = structure->n_atom, n_fixed = 0;
    for (int c = 0; c < 3; c++)
        md->conserved[c] = !md->options.external;
    for (int64_t k = 0; structure->move_mask && k < 3 * n; k++)
        n_fixed += !structure->move_mask[k];
    if (n_fixed > 0) {
        if (chgi_md_has_barostat(md))
            return chgi_context_fail(md->ctx, CHGNET_EINPUT,
                                     "%s with fixed atoms; all atoms free, or an nvt ensemble, would be right",
                                     chgi_md_ensemble_name(md->options.ensemble));
        md->projector = chgi_memory_new((size_t)n, sizeof *md->projector);
        if (!md->projector)
            return chgi_context_nomem(md->ctx, (size_t)n, sizeof *md->projector);
        for (int64_t i = 0; i < n; i++) {
            set_projector(structure, i, md->projector[i]);
            look_at_atom(md, (const double(*)[3])md->projector[i]);
        }
    } else {
        md->n_freedom = 3 * n;
    }
    for (int c = 0; c < 3; c++)
        md->n_freedom -= md->conserved[c];
    if (chgi_md_has_thermostat(md) && md->n_freedom < 1)
        return chgi_context_fail(
            md->ctx, CHGNET_EINPUT,
            "%s where nothing can move against anything else; two free atoms at least would be right",
            chgi_md_ensemble_name(md->options.ensemble));
    return CHGNET_OK;
}

void chgi_md_project(const chgi_md *md, double *vectors)
{
    if (!md->projector)
        return;
    for (int64_t i = 0; i < md->state.n_atom; i++) {
        const double(*p)[3] = (const double(*)[3])md->projector[i];
        double *v = vectors + 3 * i, x = v[0], y = v[1], z = v[2];
        for (int c = 0; c < 3; c++)
            v[c] = p[c][0] * x + p[c][1] * y + p[c][2] * z;
    }
}

void chgi_md_remove_momentum(const chgi_md *md, double *velocities)
{
    for (int c = 0; c < 3; c++) {
        if (!md->conserved[c])
            continue;
        double momentum = 0;
        for (int64_t i = 0; i < md->state.n_atom; i++)
            momentum += md->inertia[i] * velocities[3 * i + c];
        for (int64_t i = 0; i < md->state.n_atom; i++)
            velocities[3 * i + c] -= momentum / md->total_inertia;
    }
}

static void draw_velocities(chgi_md *md, double temperature)
{
    double *v = md->state.velocities;
    for (int64_t i = 0; i < md->state.n_atom; i++) {
        chgi_rng rng = chgi_rng_start(md->options.seed, CHGI_MD_STREAM_START, 0, (uint32_t)i);
        double width = sqrt(CHGI_MD_BOLTZMANN * temperature / md->inertia[i]);
        for (int c = 0; c < 3; c++)
            v[3 * i + c] = width * chgi_rng_normal(&rng);
    }
    chgi_md_project(md, v);
    chgi_md_remove_momentum(md, v);
    double kinetic = chgi_md_kinetic(md);
    if (!md->options.exact_temperature || kinetic <= 0)
        return;
    double factor = sqrt((double)md->n_freedom * CHGI_MD_BOLTZMANN * temperature / (2 * kinetic));
    for (int64_t k = 0; k < 3 * md->state.n_atom; k++)
        v[k] *= factor;
}

/* \return the column if it holds any velocity; zeros are what some writers put where there is none */
static const chgi_column *moving_column(const chgi_structure *structure, const char *name)
{
    const chgi_column *column = chgi_structure_column(structure, name);
    if (!column || column->width != 3 || column->type == 'L')
        return NULL;
    for (int64_t k = 0; k < 3 * structure->n_atom; k++)
        if (column->data[k] != 0)
            return column;
    return NULL;
}

chgnet_status chgi_md_set_velocities(chgi_md *md, const chgi_structure *structure)
{
    const chgi_column *momenta = moving_column(structure, "momenta");
    const chgi_column *column = momenta ? momenta : moving_column(structure, "velocities");
    double *v = md->state.velocities;
    if (md->options.draw || !column) {
        draw_velocities(md, md->options.temperature[0]);
        return CHGNET_OK;
    }
    for (int64_t k = 0; k < 3 * structure->n_atom; k++) {
        v[k] = column->data[k] * CHGI_MD_FS / (momenta ? md->masses[k / 3] : 1);
        if (!isfinite(v[k]))
            return chgi_context_fail(md->ctx, CHGNET_EINPUT,
                                     "atom %lld has no finite velocity; finite %s would be right",
                                     (long long)(k / 3) + 1, column->name);
    }
    chgi_md_project(md, v);
    if (chgi_md_has_thermostat(md))
        chgi_md_remove_momentum(md, v);
    return CHGNET_OK;
}
