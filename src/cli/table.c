/* Results for people: one line per structure, or a single structure in full.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"

enum { MOST_ATOMS = 20 };

static const char *bold(bool colour)
{
    return colour ? "\033[1m" : "";
}

static const char *plain(bool colour)
{
    return colour ? "\033[0m" : "";
}

/* Elements in the order in which they first appear. */
static void print_formula(chgi_text *text, const chgi_structure *structure)
{
    int64_t count[CHGI_MAX_ELEMENT + 1] = {0};
    for (int64_t i = 0; i < structure->n_atom; i++)
        count[structure->numbers[i]]++;
    for (int64_t i = 0; i < structure->n_atom; i++) {
        int z = structure->numbers[i];
        if (count[z] > 1)
            chgi_text_print(text, "%s%lld", chgi_element_symbol(z), (long long)count[z]);
        else if (count[z] == 1)
            chgi_text_print(text, "%s", chgi_element_symbol(z));
        count[z] = 0;
    }
}

void chgi_table_print_source(chgi_text *text, const chgi_result *result)
{
    const char *source = strcmp(result->source, "-") == 0 ? "standard input" : result->source;
    for (; *source; source++)
        chgi_text_append(text, (unsigned char)*source < 0x20 || *source == 0x7f ? "?" : source, 1);
    if (result->source_frame > 0)
        chgi_text_print(text, " frame %lld", (long long)result->source_frame);
}

static double force_on(const chgi_result *result, int64_t atom)
{
    const double *f = result->values[CHGI_FORCES] + 3 * atom;
    return sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]);
}

static int64_t atom_of_largest_force(const chgi_result *result)
{
    int64_t best = 0;
    for (int64_t i = 1; i < result->structure.n_atom; i++)
        if (force_on(result, i) > force_on(result, best))
            best = i;
    return best;
}

/* No "-0.0000": what is zero in so many digits is shown as zero. */
static double shown(double value, double last_digit)
{
    return fabs(value) < 0.5 * last_digit ? 0 : value;
}

static double pressure(const double *stress)
{
    return -(stress[0] + stress[4] + stress[8]) / 3;
}

static double total_magmom(const chgi_result *result)
{
    double sum = 0;
    for (int64_t i = 0; i < result->structure.n_atom; i++)
        sum += fabs(result->values[CHGI_MAGMOM][i]);
    return sum;
}

static void print_model(chgi_text *text, const chgi_provenance *provenance)
{
    chgi_text_print(text, "CHGNet %s, %s precision", provenance->model, provenance->precision);
    if (provenance->delta)
        chgi_text_print(text, ", corrected by %s", provenance->delta);
    chgi_text_print(text, "\n\n");
}

/* ---- many structures -------------------------------------------------------------------------- */

void chgi_table_print_header(chgi_text *text, const chgi_provenance *provenance, bool colour)
{
    print_model(text, provenance);
    const bool delta = provenance->delta != NULL;
    chgi_text_print(text,
                    "%s frame  atoms        energy     energy  max force  pressure  magmoms%s  structure\n"
                    "                         eV    eV/atom       eV/A       GPa     mu_B%s%s\n",
                    bold(colour), delta ? "  correction      std" : "", delta ? "          eV       eV" : "",
                    plain(colour));
}

void chgi_table_print_row(chgi_text *text, const chgi_result *result)
{
    int64_t n = result->structure.n_atom;
    double energy = result->values[CHGI_ENERGY][0];
    chgi_text_print(text, "%6lld %6lld  %12.5f  %9.5f  %9.4f", (long long)result->number, (long long)n, energy,
                    energy / (double)n, force_on(result, atom_of_largest_force(result)));
    if (result->values[CHGI_STRESS])
        chgi_text_print(text, "  %8.3f", shown(pressure(result->values[CHGI_STRESS]), 1e-3));
    else
        chgi_text_print(text, "  %8s", "-");
    chgi_text_print(text, "  %7.3f  ", total_magmom(result));
    if (result->values[CHGI_ENERGY_STD])
        chgi_text_print(text, "%10.5f %8.5f  ", result->values[CHGI_DELTA_ENERGY][0],
                        result->values[CHGI_ENERGY_STD][0]);
    print_formula(text, &result->structure);
    chgi_text_print(text, "  ");
    chgi_table_print_source(text, result);
    chgi_text_print(text, "\n");
}

/* ---- one structure ---------------------------------------------------------------------------- */

static void print_periodicity(chgi_text *text, const chgi_structure *structure)
{
    const bool *pbc = structure->pbc;
    int n = pbc[0] + pbc[1] + pbc[2];
    if (n == 3)
        chgi_text_print(text, "crystal");
    else if (n == 0)
        chgi_text_print(text, "not periodic");
    else
        chgi_text_print(text, "periodic along %s%s%s", pbc[0] ? "a" : "", pbc[1] ? "b" : "", pbc[2] ? "c" : "");
}

static void print_summary(chgi_text *text, const chgi_result *result)
{
    const chgi_structure *s = &result->structure;
    int64_t n = s->n_atom, worst = atom_of_largest_force(result);
    double energy = result->values[CHGI_ENERGY][0];
    chgi_text_print(text, "  energy      %14.6f eV      %.6f eV/atom\n", energy, energy / (double)n);
    if (result->values[CHGI_ENERGY_STD])
        chgi_text_print(text, "  correction  %14.6f eV      standard deviation %.6f eV\n",
                        result->values[CHGI_DELTA_ENERGY][0], result->values[CHGI_ENERGY_STD][0]);
    chgi_text_print(text, "  max force   %14.6f eV/A    on atom %lld (%s)\n", force_on(result, worst),
                    (long long)worst + 1, chgi_element_symbol(s->numbers[worst]));
    if (result->values[CHGI_STRESS]) {
        chgi_text_print(text, "  pressure    %14.4f GPa\n", shown(pressure(result->values[CHGI_STRESS]), 1e-4));
        chgi_text_print(text, "  volume      %14.4f A^3     %.4f A^3/atom\n", fabs(chgi_structure_volume(s->cell)),
                        fabs(chgi_structure_volume(s->cell)) / (double)n);
    }
    chgi_text_print(text, "  magmoms     %14.4f mu_B    sum of their sizes\n", total_magmom(result));
    chgi_text_print(text, "  graph       %14lld bonds   %lld angles, both directions counted\n",
                    (long long)result->n_directed_bond, (long long)result->n_angle);
}

static void print_stress(chgi_text *text, const double *stress, bool colour)
{
    chgi_text_print(text, "\n  %sstress (GPa)%s           x          y          z\n", bold(colour), plain(colour));
    for (int i = 0; i < 3; i++)
        chgi_text_print(text, "            %c  %10.4f %10.4f %10.4f\n", "xyz"[i], shown(stress[3 * i], 1e-4),
                        shown(stress[3 * i + 1], 1e-4), shown(stress[3 * i + 2], 1e-4));
}

static void print_atoms(chgi_text *text, const chgi_result *result, bool colour)
{
    const chgi_structure *s = &result->structure;
    int64_t n = s->n_atom > MOST_ATOMS ? MOST_ATOMS : s->n_atom;
    chgi_text_print(text,
                    "\n  %satom           position (A)                  force (eV/A)          magmom  site energy%s\n"
                    "               x        y        z         x        y        z    (mu_B)     (eV)\n",
                    bold(colour), plain(colour));
    for (int64_t i = 0; i < n; i++) {
        const double *x = s->positions + 3 * i, *f = result->values[CHGI_FORCES] + 3 * i;
        chgi_text_print(text, "  %4lld %-2s %8.4f %8.4f %8.4f  %8.4f %8.4f %8.4f  %8.4f  %9.4f\n", (long long)i + 1,
                        chgi_element_symbol(s->numbers[i]), shown(x[0], 1e-4), shown(x[1], 1e-4), shown(x[2], 1e-4),
                        shown(f[0], 1e-4), shown(f[1], 1e-4), shown(f[2], 1e-4), result->values[CHGI_MAGMOM][i],
                        result->values[CHGI_SITE_ENERGIES][i]);
    }
    if (n < s->n_atom)
        chgi_text_print(text, "  ... %lld more; -o results.h5 writes all\n", (long long)(s->n_atom - n));
}

void chgi_table_print_single(chgi_text *text, const chgi_result *result, bool colour)
{
    chgi_text_print(text, "%s", bold(colour));
    print_formula(text, &result->structure);
    chgi_text_print(text, "%s  %lld atom%s, ", plain(colour), (long long)result->structure.n_atom,
                    result->structure.n_atom == 1 ? "" : "s");
    print_periodicity(text, &result->structure);
    chgi_text_print(text, "  (");
    chgi_table_print_source(text, result);
    chgi_text_print(text, ")\n");
    print_model(text, result->provenance);
    print_summary(text, result);
    if (result->values[CHGI_STRESS])
        print_stress(text, result->values[CHGI_STRESS], colour);
    print_atoms(text, result, colour);
}
