/* CHGNet in an unmodified LAMMPS from C: fix external calls a function.  One rank.
 *
 *     cc fix_external.c -DLAMMPS_SMALLBIG -I/usr/include/lammps $(pkg-config --cflags --libs chgnet) -llammps
 *     ./a.out [STEPS]
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <library.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <chgnet.h>

static const int32_t number_of_type[] = {0, 12, 8};

typedef struct host {
    void *lammps;
    chgnet_context *context;
    chgnet_calculator *calculator;
} host;

static void check(const host *h, chgnet_status status)
{
    if (status == CHGNET_OK)
        return;
    fprintf(stderr, "chgnet: %s\n", chgnet_context_error(h->context));
    exit(status);
}

/* The box as rows of a cell. */
static void read_cell(void *lammps, double cell[9], int periodic[3])
{
    double low[3], high[3], xy, yz, xz;
    int changes;
    lammps_extract_box(lammps, low, high, &xy, &yz, &xz, periodic, &changes);
    const double rows[9] = {high[0] - low[0], 0, 0, xy, high[1] - low[1], 0, xz, yz, high[2] - low[2]};
    memcpy(cell, rows, sizeof rows);
}

static void forces(void *user, int64_t step, int n_local, int *tag, double **x, double **f)
{
    host *h = user;
    int periodic[3], *types = lammps_extract_atom(h->lammps, "type");
    double cell[9], energy, virial[9];
    int32_t *numbers = malloc((size_t)n_local * sizeof *numbers);
    (void)step;
    (void)tag;
    if (!numbers)
        exit(CHGNET_ENOMEM);
    for (int i = 0; i < n_local; i++)
        numbers[i] = number_of_type[types[i]];
    read_cell(h->lammps, cell, periodic);
    check(h, chgnet_calculator_set_structure(h->calculator, n_local, numbers, x[0], cell, periodic));
    check(h, chgnet_calculator_compute(h->calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT));
    check(h, chgnet_calculator_get_forces(h->calculator, f[0]));
    check(h, chgnet_calculator_get_energy(h->calculator, &energy));
    check(h, chgnet_calculator_get_virial(h->calculator, virial));
    lammps_fix_external_set_energy_global(h->lammps, "chgnet", energy);
    double of_forces[6] = {-virial[0], -virial[4], -virial[8], -virial[1], -virial[2], -virial[5]};
    lammps_fix_external_set_virial_global(h->lammps, "chgnet", of_forces);
    free(numbers);
}

int main(int argc, char **argv)
{
    char *options[] = {"fix_external", "-log", "none", "-nocite"}, command[64];
    chgnet_options chosen = chgnet_options_default();
    chgnet_model *model = NULL;
    host h = {0};
    chosen.skin = 1;
    chosen.trajectory = 1;
    check(&h, chgnet_context_create(&h.context));
    check(&h, chgnet_model_load(h.context, "0.3.0", &model));
    check(&h, chgnet_calculator_create(h.context, model, &chosen, &h.calculator));
    h.lammps = lammps_open_no_mpi(4, options, NULL);
    lammps_file(h.lammps, "fix_external.in");
    lammps_set_fix_external_callback(h.lammps, "chgnet", forces, &h);
    snprintf(command, sizeof command, "run %d", argc > 1 ? atoi(argv[1]) : 20);
    lammps_command(h.lammps, command);
    lammps_close(h.lammps);
    chgnet_calculator_destroy(h.calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(h.context);
    return 0;
}
