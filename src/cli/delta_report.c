/* Errors of predictions as a table, as JSON, and as a picture.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "cli/delta.h"
#include "cli/plot.h"

/* ---- table ------------------------------------------------------------------------------------ */

static void print_errors(chgi_text *text, const char *name, const chgi_error_sum e[2])
{
    if (e[0].n == 0)
        return;
    chgi_text_print(text, "%-21s", name);
    for (int k = 0; k < 2; k++)
        chgi_text_print(text, "  %9.2f %9.2f %9.2f", 1e3 * e[k].mae, 1e3 * e[k].rmse, 1e3 * e[k].max);
    if (e[1].mae > 0 && e[1].rmse > 0)
        chgi_text_print(text, "  %6.2f %6.2f", e[0].mae / e[1].mae, e[0].rmse / e[1].rmse);
    chgi_text_print(text, "\n");
}

void chgi_cli_print_summary(chgi_text *text, const chgi_summary *s, const char *base)
{
    chgi_text_print(text,
                    "errors               %s with element offsets %*scorrected                     times smaller\n",
                    base, (int)(strlen(base) < 9 ? 9 - strlen(base) : 0), "");
    chgi_text_print(
        text, "                           MAE      RMSE       max        MAE      RMSE       max     MAE   RMSE\n");
    print_errors(text, "energy (meV/atom)", s->energy_per_atom);
    print_errors(text, "energy (meV/cell)", s->energy);
    print_errors(text, "forces (meV/A)", s->forces);
    if (s->energy[0].n > 0)
        chgi_text_print(
            text,
            "\n%lld energies, %lld force components; energies within 1 standard deviation %.0f %%, within 2 "
            "%.0f %%\n(with the labels' noise %.0f and %.0f %%; a normal distribution has 68 and 95)\n",
            (long long)s->energy[0].n, (long long)s->forces[0].n, 100 * s->within[0], 100 * s->within[1],
            100 * s->within_noisy[0], 100 * s->within_noisy[1]);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

void chgi_cli_json_string(chgi_text *text, const char *value)
{
    chgi_text_append(text, "\"", 1);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            chgi_text_print(text, "\\u%04x", (unsigned)(c < 0x80 ? c : 0xfffd));
        else
            chgi_text_append(text, value, 1);
    }
    chgi_text_append(text, "\"", 1);
}

static void json_errors(chgi_text *text, const char *name, const chgi_error_sum e[2])
{
    static const char *const when[] = {"before", "after"};
    chgi_text_print(text, "\"%s\": ", name);
    if (e[0].n == 0) {
        chgi_text_print(text, "null");
        return;
    }
    chgi_text_print(text, "{\"n\": %lld", (long long)e[0].n);
    for (int k = 0; k < 2; k++) {
        chgi_text_print(text, ", \"%s\": {\"mae\": ", when[k]);
        chgi_text_number(text, e[k].mae);
        chgi_text_print(text, ", \"rmse\": ");
        chgi_text_number(text, e[k].rmse);
        chgi_text_print(text, ", \"max\": ");
        chgi_text_number(text, e[k].max);
        chgi_text_print(text, "}");
    }
    chgi_text_print(text, "}");
}

void chgi_cli_json_summary(chgi_text *text, const chgi_summary *s)
{
    json_errors(text, "energy", s->energy);
    chgi_text_print(text, ", ");
    json_errors(text, "energy_per_atom", s->energy_per_atom);
    chgi_text_print(text, ", ");
    json_errors(text, "forces", s->forces);
    chgi_text_print(text, ", \"within\": [");
    chgi_text_number(text, s->within[0]);
    chgi_text_print(text, ", ");
    chgi_text_number(text, s->within[1]);
    chgi_text_print(text, "], \"within_with_noise\": [");
    chgi_text_number(text, s->within_noisy[0]);
    chgi_text_print(text, ", ");
    chgi_text_number(text, s->within_noisy[1]);
    chgi_text_print(text, "]");
}

static void json_number(chgi_text *text, const char *name, double value)
{
    chgi_text_print(text, ", \"%s\": ", name);
    chgi_text_number(text, value);
}

static void json_row(chgi_text *text, const chgi_judged *row, const char *place)
{
    double sum[2] = {0, 0};
    chgi_text_print(text, "{\"label\": ");
    chgi_cli_json_string(text, place);
    chgi_text_print(text, ", \"n_atom\": %lld", (long long)row->n_atom);
    if (row->has_energy)
        json_number(text, "energy", row->energy);
    else
        chgi_text_print(text, ", \"energy\": null");
    json_number(text, "before", row->before);
    json_number(text, "after", row->after);
    json_number(text, "energy_std", row->std);
    for (int64_t j = 0; j < row->n_force; j++)
        for (int k = 0; k < 2; k++)
            sum[k] += fabs(row->forces[1 + k][j] - row->forces[0][j]) / (double)row->n_force;
    chgi_text_print(text, ", \"n_force\": %lld", (long long)row->n_force);
    json_number(text, "force_mae_before", sum[0]);
    json_number(text, "force_mae_after", sum[1]);
    chgi_text_print(text, "}");
}

void chgi_cli_json_rows(chgi_text *text, const chgi_judgement *judgement, const chgi_label_set *set)
{
    char place[512];
    chgi_text_print(text, "[");
    for (int64_t i = 0; i < judgement->n; i++) {
        chgi_label_set_place(set, i, place, sizeof place);
        if (i > 0)
            chgi_text_print(text, ", ");
        json_row(text, &judgement->rows[i], place);
    }
    chgi_text_print(text, "]");
}

chgnet_status chgi_cli_print_text(chgnet_context *ctx, chgi_text *text)
{
    if (text->failed)
        return chgi_context_nomem(ctx, text->length, 2);
    if (text->length > 0)
        fwrite(text->data, 1, text->length, stdout);
    chgi_text_clear(text);
    return chgi_cli_flush(ctx);
}

/* ---- picture ---------------------------------------------------------------------------------- */

/* Energies are shown as differences per atom from the mean of the labels of one composition. */
static double mean_energy(const chgi_judgement *judgement, const chgi_judged *row)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < judgement->n; i++)
        if (judgement->rows[i].composition == row->composition && judgement->rows[i].has_energy) {
            sum += judgement->rows[i].energy;
            n++;
        }
    return n > 0 ? sum / (double)n : 0;
}

static void print_energies(chgi_text *script, const chgi_judgement *judgement)
{
    chgi_text_print(script, "$energy << END\n");
    for (int64_t i = 0; i < judgement->n; i++) {
        const chgi_judged *row = &judgement->rows[i];
        double n = (double)row->n_atom, mean = mean_energy(judgement, row);
        if (row->has_energy)
            chgi_text_print(script, "%.6f %.6f %.6f %.6f\n", 1e3 * (row->energy - mean) / n,
                            1e3 * (row->before - mean) / n, 1e3 * (row->after - mean) / n, 1e3 * row->std / n);
    }
    chgi_text_print(script, "END\n");
}

static int64_t print_forces(chgi_text *script, const chgi_judgement *judgement)
{
    int64_t count = 0;
    chgi_text_print(script, "$forces << END\n");
    for (int64_t i = 0; i < judgement->n; i++)
        for (int64_t j = 0; j < judgement->rows[i].n_force; j++, count++) {
            double *const *f = judgement->rows[i].forces;
            chgi_text_print(script, "%.6f %.6f %.6f\n", f[0][j], f[1][j], f[2][j]);
        }
    chgi_text_print(script, "END\n");
    return count;
}

chgnet_status chgi_cli_plot_parity(chgnet_context *ctx, const chgi_judgement *judgement, const char *path)
{
    static const char colours[] = "before = '#b8b8b8'; after = '#0060ad'\n";
    chgi_text script = {0}, data = {0};
    int64_t n_force = print_forces(&data, judgement);
    print_energies(&data, judgement);
    chgi_plot_begin(&script, n_force ? 960 : 520, 480);
    chgi_text_print(&script, "%s%s", colours, data.data ? data.data : "");
    if (n_force)
        chgi_text_print(&script, "set multiplot layout 1,2\n");
    chgi_text_print(&script, "set xlabel 'labelled energy (meV/atom, from the mean of its composition)'\n"
                             "set ylabel 'predicted energy (meV/atom)'\nplot x lc '#444444' notitle, $energy using 1:2 "
                             "pt 7 ps 0.5 lc rgb before title 'before', "
                             "'' using 1:3:4 with yerrorbars pt 7 ps 0.5 lc rgb after title 'corrected'\n");
    if (n_force)
        chgi_text_print(&script,
                        "set xlabel 'labelled force (eV/A)'\nset ylabel 'predicted force (eV/A)'\n"
                        "plot x lc '#444444' notitle, $forces using 1:2 pt 7 ps 0.3 lc rgb before title 'before', "
                        "'' using 1:3 pt 7 ps 0.3 lc rgb after title 'corrected'\n");
    if (data.failed)
        script.failed = true;
    chgnet_status status = chgi_plot_write(ctx, &script, path);
    chgi_text_destroy(&data);
    chgi_text_destroy(&script);
    return status;
}
