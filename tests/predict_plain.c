/* Energy, forces and stress of plain structures (plain_structures.c) from standard input by chgnet.h alone, as the bits
 * of their numbers; not a test itself.
 *
 *     predict_plain          predict
 *     predict_plain bits     lines NAME NUMBER... with the bits in place of the numbers, for what print_results prints
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <chgnet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static void print_number(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    printf(" %016" PRIX64, bits);
}

static void print_bits(const char *name, int n, const double *values)
{
    printf("%s", name);
    for (int k = 0; k < n; k++)
        print_number(values[k]);
    printf("\n");
}

static int translate(void)
{
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin)) {
        char *name = strtok(line, " \n");
        printf("%s", name ? name : "");
        for (char *word = strtok(NULL, " \n"); word; word = strtok(NULL, " \n"))
            print_number(strtod(word, NULL));
        printf("\n");
    }
    return 0;
}

static int read_structure(int *n, int32_t *numbers, double *positions, double *cell, int *pbc)
{
    if (scanf("%d %d %d %d", n, pbc, pbc + 1, pbc + 2) != 4 || *n > MOST)
        return 0;
    for (int k = 0; k < 9; k++)
        if (scanf("%lf", cell + k) != 1)
            return 0;
    for (int i = 0; i < *n; i++)
        if (scanf("%" SCNd32 " %lf %lf %lf", numbers + i, positions + 3 * i, positions + 3 * i + 1,
                  positions + 3 * i + 2) != 4)
            return 0;
    return 1;
}

static chgnet_status predict(chgnet_calculator *calculator)
{
    int n, pbc[3];
    int32_t numbers[MOST];
    double positions[3 * MOST], cell[9], energy, forces[3 * MOST], stress[9];
    while (read_structure(&n, numbers, positions, cell, pbc)) {
        chgnet_status status = chgnet_calculator_set_structure(calculator, n, numbers, positions, cell, pbc);
        if (status == CHGNET_OK)
            status = chgnet_calculator_compute(calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT);
        if (status == CHGNET_OK)
            status = chgnet_calculator_get_energy(calculator, &energy);
        if (status == CHGNET_OK)
            status = chgnet_calculator_get_forces(calculator, forces);
        if (status != CHGNET_OK)
            return status;
        print_bits("energy", 1, &energy);
        print_bits("forces", 3 * n, forces);
        if (pbc[0] && pbc[1] && pbc[2] && chgnet_calculator_get_stress(calculator, stress) == CHGNET_OK)
            print_bits("stress", 9, stress);
    }
    return CHGNET_OK;
}

int main(int argc, char **argv)
{
    chgnet_context *context = NULL;
    chgnet_model *model = NULL;
    chgnet_calculator *calculator = NULL;
    if (argc > 1 && strcmp(argv[1], "bits") == 0)
        return translate();
    chgnet_status status = chgnet_context_create(&context);
    if (status == CHGNET_OK)
        status = chgnet_model_load(context, NULL, &model);
    if (status == CHGNET_OK)
        status = chgnet_calculator_create(context, model, NULL, &calculator);
    if (status == CHGNET_OK)
        status = predict(calculator);
    if (status != CHGNET_OK)
        fprintf(stderr, "%s\n", context ? chgnet_context_error(context) : chgnet_status_text(status));
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(context);
    return (int)status;
}
