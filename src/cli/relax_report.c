/* Table and picture of `chgnet relax`.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "cli/plot.h"
#include "cli/relax.h"

void chgi_cli_relax_print_header(chgi_text *text, const chgi_provenance *provenance, const chgi_relax_options *options,
                                 bool colour)
{
    chgi_text_print(text, "CHGNet %s, %s precision; %s, fmax %g eV/A", provenance->model, provenance->precision,
                    chgi_minimiser_name(options->optimizer), options->fmax);
    if (options->smax > 0)
        chgi_text_print(text, ", smax %g GPa", options->smax);
    chgi_text_print(text, ", cell %s", chgi_cell_freedom_name(options->cell));
    if (options->pressure != 0)
        chgi_text_print(text, ", %g GPa", options->pressure);
    chgi_text_print(text,
                    "\n\n%s frame  atoms  steps        energy    change  max force  max stress  volume   converged  "
                    "structure\n"
                    "                              eV   eV/atom       eV/A         GPa       %%%s\n",
                    colour ? "\033[1m" : "", colour ? "\033[0m" : "");
}

static void print_optional(chgi_text *text, int width, int digits, double value)
{
    if (isfinite(value))
        chgi_text_print(text, "%*.*f", width, digits, value);
    else
        chgi_text_print(text, "%*s", width, "-");
}

void chgi_cli_relax_print_row(chgi_text *text, const chgi_cli_relax_job *job)
{
    const chgi_relax_report *r = &job->report;
    chgi_text_print(text, "%6lld ", (long long)job->result.number);
    if (job->status == CHGNET_OK || job->status == CHGNET_ECONVERGE) {
        double n = (double)job->result.structure.n_atom;
        chgi_text_print(text, "%6lld %6lld  %12.5f %9.5f  %9.4f", (long long)job->result.structure.n_atom,
                        (long long)r->steps, r->energy, (r->energy - r->first_energy) / n, r->fmax);
        print_optional(text, 12, 4, r->smax);
        print_optional(text, 8, 2, 100 * (r->volume / r->first_volume - 1));
        chgi_text_print(text, "   %-9s  ", job->status == CHGNET_OK ? "yes" : "no");
    } else
        chgi_text_print(text, "%6s %6s  %12s %9s  %9s%12s%8s   %-9s  ", "-", "-", "-", "-", "-", "-", "-", "failed");
    chgi_table_print_source(text, &job->result);
    chgi_text_print(text, "\n");
}

void chgi_cli_relax_plot_data(chgi_text *script, const chgi_cli_relax_job *job)
{
    chgi_text_print(script, "$run%lld << EOD\n", (long long)job->result.number);
    for (int64_t k = 0; k <= job->report.steps; k++) {
        chgi_text_print(script, "%lld ", (long long)k);
        chgi_text_number(script, 1e3 * (job->curve[2 * k] - job->curve[0]) / (double)job->result.structure.n_atom);
        chgi_text_append(script, " ", 1);
        chgi_text_number(script, job->curve[2 * k + 1]);
        chgi_text_append(script, "\n", 1);
    }
    chgi_text_print(script, "EOD\n");
}

static void print_curves(chgi_text *script, const int64_t *numbers, int64_t n, int column)
{
    for (int64_t k = 0; k < n; k++)
        chgi_text_print(script, "%s$run%lld using 1:%d with linespoints pt 7 ps 0.3 title '%lld'", k ? ", " : "plot ",
                        (long long)numbers[k], column, (long long)numbers[k]);
    chgi_text_print(script, "\n");
}

chgnet_status chgi_cli_relax_plot(chgnet_context *ctx, const chgi_text *data, const int64_t *numbers, int64_t n,
                                  const char *path)
{
    chgi_text script = {0};
    chgi_plot_begin(&script, 760, 640);
    chgi_text_append(&script, data->data, data->length);
    chgi_text_print(&script, "set multiplot layout 2,1\nset key top right\nset xlabel 'step'\n"
                             "set ylabel 'energy change (meV/atom)'\n");
    print_curves(&script, numbers, n, 2);
    chgi_text_print(&script, "set ylabel 'largest force (eV/A)'\nset logscale y\nset format y '%%g'\n");
    print_curves(&script, numbers, n, 3);
    chgi_text_print(&script, "unset multiplot\n");
    chgnet_status status =
        data->failed ? chgi_context_nomem(ctx, data->length, 2) : chgi_plot_write(ctx, &script, path);
    chgi_text_destroy(&script);
    return status;
}
