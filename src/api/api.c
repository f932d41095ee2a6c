/* The public functions: thin wrappers around the calculator. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/guest.h"
#include "calc/calculator.h"
#include "gp/delta_file.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static const double MOST_SKIN = 10; /* A: the list grows with its cube */

const char *chgnet_version(void)
{
    return PACKAGE_VERSION;
}

int chgnet_element_number(const char *symbol)
{
    return chgi_element_number(symbol, strlen(symbol));
}

chgnet_status chgnet_model_load(chgnet_context *context, const char *name, chgnet_model **model)
{
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_model_load(context, name ? name : "0.3.0", model));
}

void chgnet_model_destroy(chgnet_model *model)
{
    chgi_model_destroy(model);
}

chgnet_model_info chgnet_model_get_info(const chgnet_model *model)
{
    const chgi_weights *weights = chgi_model_weights(model);
    return (chgnet_model_info){.version = weights->version,
                               .sha256 = weights->model_sha256,
                               .path = weights->path,
                               .atom_cutoff = weights->hyper.atom_cutoff,
                               .bond_cutoff = weights->hyper.bond_cutoff,
                               .n_element = (int)weights->hyper.n_element,
                               .n_feature = (int)weights->hyper.atom_fea_dim,
                               .n_parameter = chgi_weights_count(weights)};
}

chgnet_options chgnet_options_default(void)
{
    return (chgnet_options){.size = sizeof(chgnet_options), .precision = CHGNET_SINGLE, .threads = 0, .skin = 0};
}

chgnet_status chgnet_calculator_create(chgnet_context *context, const chgnet_model *model,
                                       const chgnet_options *options, chgnet_calculator **calculator)
{
    chgnet_options chosen = chgnet_options_default();
    if (options && options->size != sizeof chosen)
        return chgi_context_fail(context, CHGNET_EUSAGE,
                                 "options of another version; start from chgnet_options_default()");
    if (options)
        chosen = *options;
    if (chosen.threads < 0 || chosen.threads > 4096)
        return chgi_context_fail(context, CHGNET_EUSAGE, "%d threads; give 1 to 4096, or 0 for the default",
                                 chosen.threads);
    if (!(chosen.skin >= 0 && chosen.skin <= MOST_SKIN))
        return chgi_context_fail(context, CHGNET_EUSAGE, "a skin of %g A; give 0 to %g", chosen.skin, MOST_SKIN);
    const char *isa = getenv("CHGNET_ISA"); /* for tests and for a processor that is slow with wide vectors */
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    CHGI_TRY(chgi_guest_leave(&guest, chgi_calculator_create(context, model, chosen.precision == CHGNET_DOUBLE,
                                                             chosen.threads, isa && *isa ? isa : NULL, calculator)));
    (*calculator)->skin = chosen.skin;
    (*calculator)->trajectory = chosen.trajectory != 0;
    return CHGNET_OK;
}

void chgnet_calculator_destroy(chgnet_calculator *calculator)
{
    chgi_calculator_destroy(calculator);
}

chgnet_status chgnet_calculator_set_structure(chgnet_calculator *calculator, int64_t n_atom, const int32_t *numbers,
                                              const double *positions, const double *cell, const int *pbc)
{
    chgi_structure view = {.n_atom = n_atom, /* only read */
                           .numbers = (int32_t *)(uintptr_t)numbers,
                           .positions = (double *)(uintptr_t)positions};
    memcpy(view.cell, cell, sizeof view.cell);
    for (int k = 0; k < 3; k++)
        view.pbc[k] = pbc[k] != 0;
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_calculator_set_structure(calculator, &view));
}

chgnet_status chgnet_calculator_set_positions(chgnet_calculator *calculator, const double *positions)
{
    if (calculator->hosted)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "the atoms come with a host's list; move them by chgnet_calculator_move_neighbours");
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_calculator_set_positions(calculator, positions));
}

typedef struct pass {
    chgnet_calculator *calculator;
    unsigned want;
} pass;

static chgnet_status run_pass(void *argument)
{
    pass *p = argument;
    return chgi_calculator_compute(p->calculator, p->want);
}

chgnet_status chgnet_calculator_compute(chgnet_calculator *calculator, unsigned want)
{
    return chgi_guest_run(calculator->ctx, calculator->n_thread, run_pass, &(pass){calculator, want});
}

static chgnet_status need(const chgnet_calculator *calculator, unsigned flag)
{
    if (calculator->computed & flag)
        return CHGNET_OK;
    return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                             "%s not computed for this structure; call compute first and ask for it",
                             flag == CHGNET_WANT_GRADIENT       ? "forces were"
                             : flag == CHGNET_WANT_ENERGY       ? "the energy was"
                             : flag == CHGNET_WANT_STD          ? "the standard deviation was"
                             : flag == CHGNET_WANT_NOVELTY      ? "the novelty of the atoms was"
                             : flag == CHGNET_WANT_SITE_VIRIALS ? "the virial by atoms was"
                                                                : "the standard deviation's gradient was");
}

static chgnet_status copy(const chgnet_calculator *calculator, unsigned flag, const double *from, int width, double *to)
{
    CHGI_TRY(need(calculator, flag));
    memcpy(to, from, (size_t)chgi_calculator_own(calculator) * (size_t)width * sizeof *to);
    return CHGNET_OK;
}

/* What ghosts have too. */
static chgnet_status copy_all(const chgnet_calculator *calculator, unsigned flag, const double *from, int width,
                              double *to)
{
    if (!calculator->hosted)
        return copy(calculator, flag, from, width, to);
    CHGI_TRY(need(calculator, flag));
    chgi_host_spread(&calculator->host, width, from, to);
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_get_energy(const chgnet_calculator *calculator, double *energy)
{
    CHGI_TRY(need(calculator, CHGNET_WANT_ENERGY));
    *energy = calculator->energy;
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_get_forces(const chgnet_calculator *calculator, double *forces)
{
    return copy_all(calculator, CHGNET_WANT_GRADIENT, calculator->forces, 3, forces);
}

static chgnet_status scale_virial(const chgnet_calculator *calculator, unsigned flag, const double virial[3][3],
                                  double *stress)
{
    const chgi_structure *s = &calculator->structure;
    CHGI_TRY(need(calculator, flag));
    if (!(s->pbc[0] && s->pbc[1] && s->pbc[2]))
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "stress is defined only where all three axes are periodic");
    double scale = CHGI_GPA / fabs(chgi_structure_volume(s->cell));
    for (int k = 0; k < 9; k++)
        stress[k] = scale * virial[k / 3][k % 3];
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_get_stress(const chgnet_calculator *calculator, double *stress)
{
    return scale_virial(calculator, CHGNET_WANT_GRADIENT, calculator->virial, stress);
}

chgnet_status chgnet_calculator_get_virial(const chgnet_calculator *calculator, double *virial)
{
    CHGI_TRY(need(calculator, CHGNET_WANT_GRADIENT));
    memcpy(virial, calculator->virial, sizeof calculator->virial);
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_get_site_virials(const chgnet_calculator *calculator, double *site_virials)
{
    return copy_all(calculator, CHGNET_WANT_SITE_VIRIALS, calculator->site_virials, 9, site_virials);
}

chgnet_status chgnet_calculator_get_magmoms(const chgnet_calculator *calculator, double *magmoms)
{
    return copy(calculator, CHGNET_WANT_ENERGY, calculator->magmoms, 1, magmoms);
}

chgnet_status chgnet_calculator_get_site_energies(const chgnet_calculator *calculator, double *site_energies)
{
    return copy(calculator, CHGNET_WANT_ENERGY, calculator->site_energies, 1, site_energies);
}

chgnet_status chgnet_calculator_get_atom_fea(const chgnet_calculator *calculator, double *atom_fea)
{
    return copy(calculator, CHGNET_WANT_ENERGY, calculator->atom_fea, calculator->n_feature, atom_fea);
}

chgnet_status chgnet_calculator_get_atom_fea_final(const chgnet_calculator *calculator, double *atom_fea_final)
{
    return copy(calculator, CHGNET_WANT_ENERGY, calculator->atom_fea_final, calculator->n_feature, atom_fea_final);
}

chgnet_status chgnet_calculator_get_crystal_fea(const chgnet_calculator *calculator, double *crystal_fea)
{
    CHGI_TRY(need(calculator, CHGNET_WANT_ENERGY));
    int n = calculator->n_feature;
    for (int c = 0; c < n; c++) {
        crystal_fea[c] = 0;
        for (int64_t i = 0; i < chgi_calculator_own(calculator); i++)
            crystal_fea[c] += calculator->atom_fea_final[i * n + c];
    }
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_get_counts(const chgnet_calculator *calculator, int64_t *n_directed_bond,
                                           int64_t *n_angle)
{
    if (calculator->graph.n_atom == 0)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure; set one first");
    *n_directed_bond = calculator->graph.n_edge;
    *n_angle = calculator->graph.n_angle;
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_set_delta(chgnet_calculator *calculator, const chgnet_delta *delta)
{
    const chgi_weights *weights = chgi_model_weights(calculator->model);
    if (!delta)
        return chgi_calculator_set_delta(calculator, NULL);
    CHGI_TRY(chgi_delta_file_check_model(calculator->ctx, delta, weights->version, weights->model_sha256));
    if (strcmp(delta->base, "chgnet") != 0)
        return chgi_context_fail(calculator->ctx, CHGNET_EINPUT,
                                 "the delta-model corrects the prediction '%s', not CHGNet; fit one without a base key",
                                 delta->base);
    return chgi_calculator_set_delta(calculator, delta->gp);
}

static chgnet_status need_delta(const chgnet_calculator *calculator)
{
    if (calculator->delta)
        return CHGNET_OK;
    return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no delta-model; set one first");
}

chgnet_status chgnet_calculator_get_delta_energy(const chgnet_calculator *calculator, double *delta_energy)
{
    CHGI_TRY(need_delta(calculator));
    CHGI_TRY(need(calculator, CHGNET_WANT_ENERGY));
    *delta_energy = calculator->delta_energy;
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_get_site_corrections(const chgnet_calculator *calculator, double *corrections)
{
    CHGI_TRY(need_delta(calculator));
    return copy(calculator, CHGNET_WANT_ENERGY, calculator->site_corrections, 1, corrections);
}

chgnet_status chgnet_calculator_get_energy_std(const chgnet_calculator *calculator, double *energy_std)
{
    CHGI_TRY(need_delta(calculator));
    CHGI_TRY(need(calculator, CHGNET_WANT_STD));
    *energy_std = calculator->energy_std;
    return CHGNET_OK;
}

chgnet_status chgnet_calculator_get_novelty(const chgnet_calculator *calculator, double *novelty)
{
    CHGI_TRY(need_delta(calculator));
    return copy(calculator, CHGNET_WANT_NOVELTY, calculator->novelty, 1, novelty);
}

chgnet_status chgnet_calculator_get_std_forces(const chgnet_calculator *calculator, double *std_forces)
{
    CHGI_TRY(need_delta(calculator));
    return copy_all(calculator, CHGNET_WANT_STD_GRADIENT, calculator->std_forces, 3, std_forces);
}

chgnet_status chgnet_calculator_get_std_stress(const chgnet_calculator *calculator, double *std_stress)
{
    CHGI_TRY(need_delta(calculator));
    return scale_virial(calculator, CHGNET_WANT_STD_GRADIENT, calculator->std_virial, std_stress);
}
