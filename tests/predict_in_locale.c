/* Takes the locale of its environment, as a graphical program would, and reads, predicts and writes through the
 * library; test_locale.sh compares what it prints in two locales.
 *
 *     predict_in_locale FILE
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <locale.h>
#include <stdio.h>

#include "crystal/reader.h"
#include "crystal/writer.h"

static chgnet_status predict(chgnet_context *ctx, const chgnet_calculator *calculator, const chgi_structure *s,
                             chgi_text *text)
{
    double energy, stress[9];
    CHGI_TRY(chgnet_calculator_get_energy(calculator, &energy));
    CHGI_TRY(chgnet_calculator_get_stress(calculator, stress));
    chgi_text_print(text, "energy %.9f\nstress", energy);
    for (int k = 0; k < 9; k++) {
        chgi_text_append(text, " ", 1);
        chgi_text_number(text, stress[k]);
    }
    chgi_text_append(text, "\n", 1);
    CHGI_TRY(chgi_extxyz_write(ctx, text, s));
    CHGI_TRY(chgi_poscar_write(ctx, text, s));
    return chgi_cif_write(ctx, text, s);
}

static chgnet_status compute(chgnet_context *ctx, const chgi_structure *s, chgi_text *text)
{
    chgnet_model *model;
    chgnet_calculator *calculator;
    const int pbc[3] = {s->pbc[0], s->pbc[1], s->pbc[2]};
    CHGI_TRY(chgnet_model_load(ctx, NULL, &model));
    chgnet_status status = chgnet_calculator_create(ctx, model, NULL, &calculator);
    if (status == CHGNET_OK) {
        status = chgnet_calculator_set_structure(calculator, s->n_atom, s->numbers, s->positions, s->cell[0], pbc);
        if (status == CHGNET_OK)
            status = chgnet_calculator_compute(calculator, CHGNET_WANT_GRADIENT);
        if (status == CHGNET_OK)
            status = predict(ctx, calculator, s, text);
        chgnet_calculator_destroy(calculator);
    }
    chgnet_model_destroy(model);
    return status;
}

static chgnet_status run(chgnet_context *ctx, const char *path, chgi_text *text)
{
    chgi_reader *reader;
    chgi_structure s;
    bool got;
    CHGI_TRY(chgi_reader_open(ctx, path, &reader));
    chgnet_status status = chgi_reader_next(reader, &s, &got);
    if (status == CHGNET_OK)
        status = compute(ctx, &s, text);
    chgi_structure_destroy(&s);
    chgi_reader_destroy(reader);
    return status;
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    chgi_text text = {0};
    if (argc != 2 || !setlocale(LC_ALL, "") || chgnet_context_create(&ctx) != CHGNET_OK)
        return CHGNET_EUSAGE;
    chgnet_status status = run(ctx, argv[1], &text);
    if (status == CHGNET_OK)
        fwrite(text.data, 1, text.length, stdout);
    else
        fprintf(stderr, "%s\n", chgnet_context_error(ctx));
    fprintf(stderr, "decimal sign of the locale: %s\n", localeconv()->decimal_point);
    chgi_text_destroy(&text);
    chgnet_context_destroy(ctx);
    return (int)status;
}
