/* chgnet elastic: tables, files and pictures.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "calc/calculator.h"
#include "cli/elastic.h"
#include "cli/json.h"
#include "cli/plot.h"

static const char *const voigt_names[6] = {"xx", "yy", "zz", "yz", "xz", "xy"};

static bool ends_in(const char *path, const char *suffix)
{
    size_t length = strlen(path), tail = strlen(suffix);
    return length > tail && strcmp(path + length - tail, suffix) == 0;
}

chgnet_status chgi_cli_elastic_check_output(chgnet_context *ctx, const char *path)
{
    if (!ends_in(path, ".json") && !ends_in(path, ".csv"))
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "elastic: output '%s' is of no known kind; end it in .json or .csv", path);
    return chgi_file_check_writable(ctx, path);
}

/* ---- standard output -------------------------------------------------------------------------- */

static double largest_error(const chgi_elastic *r)
{
    double most = 0;
    for (int k = 0; k < 36; k++)
        most = fmax(most, r->error[k / 6][k % 6]);
    return most;
}

/* No "-0.00". */
static double shown(double value)
{
    return fabs(value) < 0.005 ? 0 : value;
}

static void print_matrix(const double c[6][6])
{
    printf("%-9s", "C (GPa)");
    for (int j = 0; j < 6; j++)
        printf(" %9s", voigt_names[j]);
    printf("\n");
    for (int i = 0; i < 6; i++) {
        printf("%9s", voigt_names[i]);
        for (int j = 0; j < 6; j++)
            printf(" %9.2f", shown(c[i][j]));
        printf("\n");
    }
}

static void print_group(const chgi_cli_elastic_run *e)
{
    const chgi_elastic *r = &e->result;
    const char *why = !e->choice.average           ? "--no-symmetry"
                      : e->structure.move_mask     ? "the file fixes atoms"
                      : !chgi_symmetry_available() ? "built without spglib"
                                                   : "";
    printf("standard error  %.2g GPa at most, of the slopes\n", largest_error(r));
    printf("C - C^T         %.2g GPa at most, averaged\n", r->asymmetry);
    if (r->group[0])
        printf("point group     of %s; averaged, which changed %.2g GPa at most\n", r->group, r->off_group);
    else
        printf("point group     not averaged: %s\n", why);
    printf("pressure        %.3f GPa without strain\n", shown(-(r->stress[0] + r->stress[1] + r->stress[2]) / 3));
}

static void print_moduli(const chgi_elastic *r)
{
    const chgi_elastic_moduli *m = &r->moduli;
    printf("\n%-15s %9s %9s %9s %9s\n", "modulus (GPa)", "Voigt", "Reuss", "Hill", "+-");
    printf("%-15s %9.2f %9.2f %9.2f %9.2f\n", "bulk", m->bulk_voigt, m->bulk_reuss, m->bulk_hill, r->bulk_error);
    printf("%-15s %9.2f %9.2f %9.2f %9.2f\n", "shear", m->shear_voigt, m->shear_reuss, m->shear_hill, r->shear_error);
    printf("%-15s %9s %9s %9.2f\n", "Young's", "", "", m->young);
    printf("\nPoisson's ratio %9.4f\nanisotropy      %9.4f\neigenvalues    ", m->poisson, m->anisotropy);
    for (int k = 0; k < 6; k++)
        printf(" %9.2f", shown(m->eigenvalues[k]));
    printf(" GPa\nstable          %9s\n", m->stable ? "yes" : "no");
}

void chgi_cli_elastic_print(const chgi_cli_elastic_run *e)
{
    chgi_cli_print_model(&e->common, e->model);
    print_matrix((const double(*)[6])e->result.stiffness);
    printf("\n");
    print_group(e);
    print_moduli(&e->result);
}

/* ---- files ------------------------------------------------------------------------------------ */

static void put_number(chgi_text *text, const char *name, double value)
{
    chgi_json_array(text, name, 0, NULL, isfinite(value) ? &value : NULL);
}

static void put_moduli(chgi_text *text, const chgi_elastic_moduli *m)
{
    double compliance[6][6];
    for (int k = 0; k < 36; k++)
        compliance[k / 6][k % 6] = 1000 * m->compliance[k / 6][k % 6]; /* 1/TPa */
    chgi_json_array(text, "compliance_tensor", 2, (int64_t[]){6, 6}, m->stable ? compliance[0] : NULL);
    put_number(text, "k_voigt", m->bulk_voigt);
    put_number(text, "k_reuss", m->bulk_reuss);
    put_number(text, "k_vrh", m->bulk_hill);
    put_number(text, "g_voigt", m->shear_voigt);
    put_number(text, "g_reuss", m->shear_reuss);
    put_number(text, "g_vrh", m->shear_hill);
    put_number(text, "young_modulus", m->young);
    put_number(text, "homogeneous_poisson", m->poisson);
    put_number(text, "universal_anisotropy", m->anisotropy);
    chgi_json_array(text, "eigenvalues", 1, (int64_t[]){6}, m->eigenvalues);
    chgi_text_print(text, ", \"stable\": %s", m->stable ? "true" : "false");
}

static void put_points(chgi_text *text, const chgi_cli_elastic_run *e)
{
    for (int which = 0; which < 2; which++) {
        chgi_text_print(text, which ? "], \"stresses\": [" : ", \"strains\": [");
        for (int64_t k = 0; k < 6 * e->choice.n_point; k++) {
            const chgi_elastic_point *p = &e->points[k];
            for (int i = 0; i < 6; i++) {
                chgi_text_print(text, i ? ", " : k ? ", [" : "[");
                chgi_text_number(text, which ? p->stress[i] : i == p->component ? p->strain : 0);
            }
            chgi_text_append(text, "]", 1);
        }
    }
    chgi_text_append(text, "]", 1);
}

static chgnet_status put_json(chgnet_context *ctx, const chgi_cli_elastic_run *e, chgi_text *text)
{
    const chgi_elastic *r = &e->result;
    chgnet_model_info info = chgnet_model_get_info(e->model);
    chgi_text_append(text, "{", 1);
    if (text->failed)
        return chgi_context_nomem(ctx, 1, 1);
    chgi_json_text(text, "source", e->file);
    chgi_json_text(text, "model", info.version);
    chgi_json_text(text, "model_sha256", info.sha256);
    chgi_json_text(text, "precision", e->common.is_double ? "double" : "single");
    if (e->common.delta)
        chgi_json_text(text, "delta", e->common.delta);
    chgi_json_structure(text, &e->structure);
    chgi_json_array(text, "elastic_tensor", 2, (int64_t[]){6, 6}, r->stiffness[0]);
    chgi_json_array(text, "standard_error", 2, (int64_t[]){6, 6}, r->error[0]);
    if (r->group[0])
        chgi_json_text(text, "space_group", r->group);
    put_moduli(text, &r->moduli);
    chgi_json_array(text, "stress", 1, (int64_t[]){6}, r->stress);
    put_points(text, e);
    chgi_text_append(text, "}\n", 2);
    return CHGNET_OK;
}

static void put_csv(const chgi_cli_elastic_run *e, chgi_text *text)
{
    chgi_text_print(text, "component,strain");
    for (int i = 0; i < 12; i++)
        chgi_text_print(text, ",%s_%s_GPa", i < 6 ? "stress" : "fitted", voigt_names[i % 6]);
    for (int64_t k = 0; k < 6 * e->choice.n_point; k++) {
        const chgi_elastic_point *p = &e->points[k];
        chgi_text_print(text, "\n%s,", voigt_names[p->component]);
        chgi_text_number(text, p->strain);
        for (int i = 0; i < 12; i++) {
            chgi_text_append(text, ",", 1);
            chgi_text_number(text, i < 6 ? p->stress[i] : p->fitted[i - 6]);
        }
    }
    chgi_text_append(text, "\n", 1);
}

chgnet_status chgi_cli_elastic_write(chgnet_context *ctx, const chgi_cli_elastic_run *e)
{
    chgi_text text = {0};
    chgnet_status status = CHGNET_OK;
    if (ends_in(e->output, ".csv"))
        put_csv(e, &text);
    else
        status = put_json(ctx, e, &text);
    if (text.failed)
        status = chgi_context_nomem(ctx, text.length, 1);
    if (status == CHGNET_OK)
        status = chgi_file_write(ctx, e->output, text.data, text.length);
    chgi_text_destroy(&text);
    return status;
}

/* ---- picture ---------------------------------------------------------------------------------- */

/* A panel for each strain: all stresses by it, points and curves. */
chgnet_status chgi_cli_elastic_plot(chgnet_context *ctx, const chgi_cli_elastic_run *e)
{
    char path[4096];
    chgi_text script = {0};
    chgi_plot_name(e->output ? e->output : e->file, "-elastic.svg", path, sizeof path);
    chgi_plot_begin(&script, 840, 520);
    for (int j = 0; j < 6; j++) {
        chgi_text_print(&script, "$p%d << EOD\n", j);
        for (int64_t k = j * e->choice.n_point; k < (j + 1) * e->choice.n_point; k++) {
            chgi_text_print(&script, "%.8f", 100 * e->points[k].strain);
            for (int i = 0; i < 12; i++)
                chgi_text_print(&script, " %.6f", i < 6 ? e->points[k].stress[i] : e->points[k].fitted[i - 6]);
            chgi_text_print(&script, "\n");
        }
        chgi_text_print(&script, "EOD\n");
    }
    chgi_text_print(
        &script,
        "set samples 25\nset multiplot layout 2,3 margins 0.08,0.91,0.11,0.97 spacing 0.08,0.16\nset xtics %.8g\n"
        "set label 'stress (GPa)' at screen 0.015,0.5 center rotate\n",
        100 * e->choice.strain);
    for (int j = 0; j < 6; j++) {
        chgi_text_print(&script, "set xlabel 'strain %s (%%)'\n%s\nplot ", voigt_names[j],
                        j == 0 ? "set key at screen 0.995,0.5 right center vertical" : "unset key; unset label");
        for (int i = 0; i < 6; i++)
            chgi_text_print(&script,
                            "%s$p%d using 1:%d smooth csplines with lines lw 2 lc %d notitle, "
                            "'' using 1:%d with points pt 7 ps 0.5 lc %d title '%s'",
                            i ? ", " : "", j, i + 8, i + 1, i + 2, i + 1, voigt_names[i]);
        chgi_text_print(&script, "\n");
    }
    chgi_text_print(&script, "unset multiplot\n");
    chgnet_status status =
        script.failed ? chgi_context_nomem(ctx, script.length, 1) : chgi_plot_write(ctx, &script, path);
    chgi_text_destroy(&script);
    return status;
}
