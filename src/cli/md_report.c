/* What `chgnet md` tells: the bar, the table at the end, the picture.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/md.h"
#include "cli/plot.h"

/* ---- sums ------------------------------------------------------------------------------------- */

void chgi_cli_md_count(chgi_cli_md_run *run)
{
    chgi_cli_md_sums *s = &run->sums;
    chgi_md_observables o;
    chgi_md_observe(run->md, &o);
    if (s->n == 0)
        s->first = o.conserved;
    double conserved = o.conserved - s->first;
    s->n++;
    s->temperature += o.temperature;
    s->square += o.temperature * o.temperature;
    s->pressure += o.pressure;
    s->pressure_2 += o.pressure * o.pressure;
    s->potential += o.potential;
    s->volume += o.volume;
    s->time += o.time;
    s->time_2 += o.time * o.time;
    s->conserved += conserved;
    s->time_times += o.time * conserved;
}

/* Slope of the line of least squares through the conserved energy, meV per atom and ps. */
static double drift(const chgi_cli_md_run *run)
{
    const chgi_cli_md_sums *s = &run->sums;
    double spread = s->time_2 - s->time * s->time / s->n;
    double slope = (s->time_times - s->time * s->conserved / s->n) / spread; /* eV/fs */
    return 1e6 * slope / (double)run->structure.n_atom;
}

static double deviation(double sum, double squares, double n)
{
    double variance = squares / n - sum / n * (sum / n);
    return variance > 0 ? sqrt(variance) : 0;
}

/* ---- the bar ---------------------------------------------------------------------------------- */

void chgi_cli_md_show_progress(chgi_cli_md_run *run)
{
    const chgi_cli_md_options *o = run->options;
    if (!chgi_progress_is_due(&run->progress))
        return;
    char text[80];
    chgi_md_observables now;
    chgi_md_observe(run->md, &now);
    double done = (double)(now.step - run->first_step), all = (double)(o->md.n_step - run->first_step);
    snprintf(text, sizeof text, "step %lld, %.0f K, %.3g steps/s", (long long)now.step, now.temperature,
             done / chgi_progress_elapsed(&run->progress));
    chgi_progress_show_text(&run->progress, done / all, text);
}

/* ---- the table at the end --------------------------------------------------------------------- */

static void print_averages(const chgi_cli_md_run *run)
{
    const chgi_cli_md_sums *s = &run->sums;
    double n_atom = (double)run->structure.n_atom;
    if (s->n == 0)
        return;
    printf("temperature   %10.2f +- %.2f K\n", s->temperature / s->n, deviation(s->temperature, s->square, s->n));
    if (isfinite(s->pressure)) {
        printf("pressure      %10.3f +- %.3f GPa\n", s->pressure / s->n, deviation(s->pressure, s->pressure_2, s->n));
        printf("volume        %10.4f A^3/atom\n", s->volume / s->n / n_atom);
    }
    printf("potential     %10.5f eV/atom\n", s->potential / s->n / n_atom);
    if (s->n > 1)
        printf("drift         %10.5f meV/atom/ps of the conserved energy\n", drift(run));
}

void chgi_cli_md_report(chgi_cli_md_run *run)
{
    const chgi_cli_md_options *o = run->options;
    chgi_md_observables now;
    chgi_md_observe(run->md, &now);
    double seconds = chgi_progress_elapsed(&run->progress), done = (double)(now.step - run->first_step);
    chgi_progress_hide(&run->progress);
    printf("%s, %lld atoms, step %lld of %lld (%.4g ps)\n", chgi_md_ensemble_name(o->md.ensemble),
           (long long)run->structure.n_atom, (long long)now.step, (long long)o->md.n_step, now.time / 1000);
    print_averages(run);
    if (done > 0)
        printf("speed         %10.3g ns/day, %.3g steps/s\n", done * o->md.timestep / seconds * 0.0864, done / seconds);
    printf("trajectory    %s, %lld frames; table: %s\n", o->output, (long long)chgi_trajectory_count(run->trajectory),
           o->log);
    if (now.step < o->md.n_step)
        printf("checkpoint    %s; the same command with --resume goes on\n", o->checkpoint);
}

/* ---- the picture ------------------------------------------------------------------------------ */

/* The name of a file within a quoted text of gnuplot. */
static void print_quoted(chgi_text *script, const char *name)
{
    chgi_text_append(script, "'", 1);
    for (; *name; name++)
        chgi_text_append(script, *name == '\'' ? "''" : name, *name == '\'' ? 2 : 1);
    chgi_text_append(script, "'", 1);
}

static void print_curve(const chgi_cli_md_run *run, chgi_text *script, const char *column, const char *title,
                        const char *colour, bool first)
{
    chgi_text_append(script, first ? "plot " : ", ", first ? 5 : 2);
    print_quoted(script, run->options->log);
    chgi_text_print(script, " using ($2/1000):((column('%s')-%s_0)/n) with lines lc rgb '%s' title '%s'", column,
                    column, colour, title);
}

static void print_temperature(const chgi_cli_md_run *run, chgi_text *script)
{
    chgi_text_print(script, "set ylabel 'temperature (K)'\nplot ");
    print_quoted(script, run->options->log);
    chgi_text_print(script, " using ($2/1000):(column('temperature_K')) with lines lc rgb '#d95f02' notitle");
    if (run->options->md.ensemble != CHGI_MD_NVE) {
        chgi_text_print(script, ", ");
        print_quoted(script, run->options->log);
        chgi_text_print(script, " using ($2/1000):(column('target_temperature_K')) with lines dt 2 lc rgb '#444444' "
                                "title 'target'");
    }
    chgi_text_append(script, "\n", 1);
}

/* Energies are shown from their first values on, which gnuplot reads itself. */
static void print_energies(const chgi_cli_md_run *run, chgi_text *script)
{
    static const char *const energies[] = {"potential_eV", "total_eV", "conserved_eV"};
    static const char *const titles[] = {"potential", "total", "conserved"};
    static const char *const colours[] = {"#d95f02", "#1b9e77", "#444444"};
    for (int i = 0; i < 3; i++) {
        chgi_text_print(script, "stats ");
        print_quoted(script, run->options->log);
        chgi_text_print(script, " using (column('%s')) every ::0::0 nooutput\n%s_0 = STATS_min\n", energies[i],
                        energies[i]);
    }
    chgi_text_print(
        script, "n = %lld / 1000.0\nset ylabel 'energy since the start (meV/atom)'\nset offsets 0, 0, graph 0.05, 0\n",
        (long long)run->structure.n_atom);
    for (int i = 0; i < 3; i++)
        print_curve(run, script, energies[i], titles[i], colours[i], i == 0);
}

chgnet_status chgi_cli_md_plot(chgi_cli_md_run *run)
{
    chgi_text script = {0}, path = {0};
    const char *output = run->options->output, *dot = strrchr(output, '.');
    chgi_text_print(&path, "%.*s.svg", (int)(dot - output), output); /* the suffix was checked */
    chgi_plot_begin(&script, 800, 640);
    chgi_text_print(&script, "set datafile separator ','\nset multiplot layout 2,1\nset xlabel 'time (ps)'\n");
    print_temperature(run, &script);
    print_energies(run, &script);
    chgi_text_print(&script, "\nunset multiplot\n");
    chgnet_status status =
        path.failed ? chgi_context_nomem(run->ctx, strlen(output), 2) : chgi_plot_write(run->ctx, &script, path.data);
    chgi_text_destroy(&path);
    chgi_text_destroy(&script);
    return status;
}
