/* What a delta-model is, for people and for programs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cli/delta.h"

/* ---- a page ----------------------------------------------------------------------------------- */

static void print_elements(chgi_text *text, const chgi_delta_summary *s)
{
    for (int k = 0; k < s->n_element; k++)
        chgi_text_print(text, "%s%s", k ? " " : "", chgi_element_symbol(s->elements[k]));
}

static void print_aggregation(chgi_text *text, const chgi_delta_choice *c)
{
    chgi_text_print(text, "%s", chgi_aggregation_name(c->aggregation));
    if (c->aggregation == CHGI_GLOBAL)
        chgi_text_print(text, c->mean ? " (mean over atoms)" : " (sum over atoms)");
    if (c->aggregation == CHGI_SPECIES)
        chgi_text_print(text, c->species_sum ? " (one kernel per element)" : " (elements side by side)");
    if (c->aggregation == CHGI_ATOMIC && c->mix > 0)
        chgi_text_print(text, " (pairs of different elements count %g)", c->mix);
}

static void print_line(chgi_text *text, const char *name)
{
    chgi_text_print(text, "%-16s", name);
}

static void print_noise(chgi_text *text, const chgi_delta_summary *s)
{
    print_line(text, "noise");
    chgi_text_print(text, "%.4g meV per energy", 1e3 * s->choice->noise_energy.value);
    if (s->n_force > 0)
        chgi_text_print(text, ", %.4g meV/A per force component", 1e3 * s->choice->noise_force.value);
    chgi_text_print(text, "\n");
}

static void print_size(chgi_text *text, const chgi_delta_summary *s)
{
    print_line(text, "size");
    if (s->n_inducing > 0)
        chgi_text_print(text, "sparse: %lld inducing points of %lld (%s)\n", (long long)s->n_inducing,
                        (long long)s->n_point, chgi_inducing_name(s->choice->inducing));
    else
        chgi_text_print(text, "dense: %lld rows, %lld points\n", (long long)(s->n_energy + s->n_force),
                        (long long)s->n_point);
}

static void print_likelihood(chgi_text *text, const chgi_delta_summary *s)
{
    print_line(text, "log likelihood");
    chgi_text_print(text, "%.3f (log prior %.3f)", s->log_likelihood, s->log_prior);
    if (s->n_evaluation > 0)
        chgi_text_print(text, ", found in %d evaluations", s->n_evaluation);
    chgi_text_print(text, "\n");
    if (s->jitter > 0) {
        print_line(text, "jitter");
        chgi_text_print(text, "%.3g eV^2 on the diagonal: without it the kernel matrix was singular\n", s->jitter);
    }
}

static void print_left_out(chgi_text *text, const chgnet_delta *delta)
{
    if (delta->set.n_label < 2)
        return;
    print_line(text, "leave one out");
    chgi_text_print(text, "mean absolute errors before and after: energy %.2f and %.2f meV/cell", 1e3 * delta->loo[0],
                    1e3 * delta->loo[1]);
    if (delta->loo[2] > 0)
        chgi_text_print(text, ", forces %.2f and %.2f meV/A", 1e3 * delta->loo[2], 1e3 * delta->loo[3]);
    chgi_text_print(text, "\n");
    print_line(text, "");
    chgi_text_print(text, "energies within 1 standard deviation %.0f %%, within 2 %.0f %%\n", 100 * delta->within[0],
                    100 * delta->within[1]);
}

static void print_parameters(chgi_text *text, const chgi_delta_choice *c)
{
    chgi_covariance covariance = c->covariance; /* only read */
    chgi_text_print(text, "\nhyperparameter            value          low         high\n");
    for (int k = 0; k < chgi_covariance_count(&covariance); k++) {
        char name[32];
        const chgi_parameter *p = chgi_covariance_parameter(&covariance, k);
        chgi_covariance_name(&covariance, k, name);
        chgi_text_print(text, "%-18s %12.5g %12.5g %12.5g%s\n", name, p->value, p->low, p->high,
                        p->fixed ? "  fixed" : "");
    }
    chgi_text_print(text, "%-18s %12.5g %12.5g %12.5g%s\n", "noise_energy (eV)", c->noise_energy.value,
                    c->noise_energy.low, c->noise_energy.high, c->noise_energy.fixed ? "  fixed" : "");
    chgi_text_print(text, "%-18s %12.5g %12.5g %12.5g%s\n", "noise_force (eV/A)", c->noise_force.value,
                    c->noise_force.low, c->noise_force.high, c->noise_force.fixed ? "  fixed" : "");
}

static void print_offsets(chgi_text *text, const chgi_delta_summary *s)
{
    chgi_text_print(text, "\nelement     offset (eV)   +-%s\n", s->choice->offsets ? "  (given)" : "");
    for (int k = 0; k < s->n_element; k++)
        chgi_text_print(text, "%-7s %15.6f   %.6f\n", chgi_element_symbol(s->elements[k]), s->offsets[k],
                        s->offset_std[k]);
}

void chgi_cli_print_delta(chgi_text *text, const chgnet_delta *delta, bool all)
{
    chgi_delta_summary s = chgi_delta_describe(delta->gp);
    print_line(text, "delta-model");
    print_aggregation(text, s.choice);
    chgi_text_print(text, ", %s of CHGNet %s (model_sha256 %.12s)\n", chgi_layer_name(s.choice->layer), delta->model,
                    delta->model_sha256);
    if (strcmp(delta->base, "chgnet") != 0) {
        print_line(text, "corrects");
        chgi_text_print(text, "%s\n", delta->base);
    }
    print_line(text, "labels");
    chgi_text_print(text, "%lld: %lld energies, %lld force components; elements ", (long long)s.n_label,
                    (long long)s.n_energy, (long long)s.n_force);
    print_elements(text, &s);
    chgi_text_print(text, "\n");
    print_line(text, "kernel");
    chgi_covariance_print(&s.choice->covariance, text);
    chgi_text_print(text, "\n");
    print_noise(text, &s);
    print_size(text, &s);
    print_likelihood(text, &s);
    print_left_out(text, delta);
    if (!all)
        return;
    print_line(text, "made by");
    chgi_text_print(text, "chgnet %s%s%s\n", delta->version, delta->path ? ", file " : "",
                    delta->path ? delta->path : "");
    print_parameters(text, s.choice);
    print_offsets(text, &s);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static void json_double(chgi_text *text, const char *name, double value)
{
    chgi_text_print(text, ", \"%s\": ", name);
    chgi_text_number(text, value);
}

static void json_text(chgi_text *text, const char *name, const char *value)
{
    chgi_text_print(text, ", \"%s\": ", name);
    chgi_cli_json_string(text, value);
}

static void json_kernel(chgi_text *text, const chgi_covariance *covariance)
{
    chgi_text kernel = {0};
    chgi_covariance_print(covariance, &kernel);
    if (kernel.failed)
        text->failed = true;
    else
        json_text(text, "kernel", kernel.data);
    chgi_text_destroy(&kernel);
}

static void json_offsets(chgi_text *text, const chgi_delta_summary *s)
{
    chgi_text_print(text, ", \"offsets\": {");
    for (int k = 0; k < s->n_element; k++) {
        chgi_text_print(text, "%s\"%s\": ", k ? ", " : "", chgi_element_symbol(s->elements[k]));
        chgi_text_number(text, s->offsets[k]);
    }
    chgi_text_print(text, "}");
}

void chgi_cli_json_delta(chgi_text *text, const chgnet_delta *delta)
{
    static const char *const errors[4] = {"loo_energy_before", "loo_energy_after", "loo_force_before",
                                          "loo_force_after"};
    chgi_delta_summary s = chgi_delta_describe(delta->gp);
    chgi_text_print(text, "{\"aggregation\": \"%s\", \"layer\": \"%s\"", chgi_aggregation_name(s.choice->aggregation),
                    chgi_layer_name(s.choice->layer));
    json_text(text, "model", delta->model);
    json_text(text, "model_sha256", delta->model_sha256);
    json_text(text, "base", delta->base);
    json_text(text, "version", delta->version);
    chgi_text_print(
        text, ", \"n_label\": %lld, \"n_energy\": %lld, \"n_force\": %lld, \"n_point\": %lld, \"n_inducing\": %lld",
        (long long)s.n_label, (long long)s.n_energy, (long long)s.n_force, (long long)s.n_point,
        (long long)s.n_inducing);
    json_kernel(text, &s.choice->covariance);
    json_double(text, "mix", s.choice->mix);
    json_double(text, "noise_energy", s.choice->noise_energy.value);
    json_double(text, "noise_force", s.choice->noise_force.value);
    json_double(text, "log_likelihood", s.log_likelihood);
    json_double(text, "log_prior", s.log_prior);
    json_double(text, "jitter", s.jitter);
    json_offsets(text, &s);
    for (int k = 0; k < 4; k++)
        json_double(text, errors[k], delta->loo[k]);
    json_double(text, "loo_within_1", delta->within[0]);
    json_double(text, "loo_within_2", delta->within[1]);
    chgi_text_print(text, "}");
}
