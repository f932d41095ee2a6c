/* Two threads, each with a context and a calculator, share one model, and get the bits of one thread alone.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <pthread.h>

#include "sample.h"

enum { WORKERS = 2, ROUNDS = 6 };

typedef struct worker {
    const chgnet_model *model;
    int first; /* which structure it begins with */
    bool is_double;
    double energies[ROUNDS];
    double forces[ROUNDS][3 * SAMPLE_MOST_ATOMS];
} worker;

static void *work(void *given)
{
    worker *w = given;
    chgnet_context *ctx = sample_context();
    chgnet_options options = chgnet_options_default();
    chgnet_calculator *calculator;
    options.threads = 1;
    options.trajectory = 1;
    options.precision = w->is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    sample_must(ctx, chgnet_calculator_create(ctx, w->model, &options, &calculator));
    for (int k = 0; k < ROUNDS; k++) {
        chgi_structure s;
        sample_make(ctx, &sample_list[(w->first + k) % SAMPLE_COUNT], &s);
        const int pbc[3] = {s.pbc[0], s.pbc[1], s.pbc[2]};
        sample_must(ctx, chgnet_calculator_set_structure(calculator, s.n_atom, s.numbers, s.positions, s.cell[0], pbc));
        sample_must(ctx, chgnet_calculator_compute(calculator, SAMPLE_GRADIENT));
        sample_must(ctx, chgnet_calculator_get_energy(calculator, &w->energies[k]));
        sample_must(ctx, chgnet_calculator_get_forces(calculator, w->forces[k]));
        chgi_structure_destroy(&s);
    }
    chgnet_calculator_destroy(calculator);
    chgnet_context_destroy(ctx);
    return NULL;
}

int main(void)
{
    static worker together[WORKERS], alone[WORKERS];
    chgnet_context *ctx = sample_context();
    chgnet_model *model;
    pthread_t threads[WORKERS];
    sample_must(ctx, chgnet_model_load(ctx, "0.3.0", &model));
    for (int repeat = 0; repeat < 2; repeat++) {
        for (int k = 0; k < WORKERS; k++) {
            together[k] = (worker){.model = model, .first = 2 * k + repeat, .is_double = repeat == 1};
            if (pthread_create(&threads[k], NULL, work, &together[k]) != 0)
                tap_bail("no thread");
        }
        for (int k = 0; k < WORKERS; k++)
            pthread_join(threads[k], NULL);
        for (int k = 0; k < WORKERS; k++) {
            alone[k] = (worker){.model = model, .first = 2 * k + repeat, .is_double = repeat == 1};
            work(&alone[k]);
            tap_ok(memcmp(together[k].energies, alone[k].energies, sizeof alone[k].energies) == 0 &&
                       memcmp(together[k].forces, alone[k].forces, sizeof alone[k].forces) == 0,
                   "thread %d of two, %s precision: the bits of one thread alone", k, repeat ? "double" : "single");
        }
    }
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
