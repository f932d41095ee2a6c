/* Forces, stress and the reverse pass with seeds against central differences, in double, for all three weight sets.
 * The tolerance is 1e-6 of the largest component; difference.h tells why the differences are better than that. */
#include "difference.h"

static const double TOLERANCE = 1e-6;

enum { N_FEATURE = 64, MOST = SAMPLE_MOST_ATOMS };

/* A number that depends on the structure: the energy, or one made with seeds. */
typedef struct probe {
    chgnet_context *ctx;
    chgnet_calculator *calculator;
    const double *seed_site, *seed_atom_fea, *seed_final; /* NULL: the plain energy */
} probe;

static double value(void *self, const chgi_structure *s)
{
    const probe *p = self;
    chgnet_calculator *c = p->calculator;
    sample_compute(c, s, CHGNET_WANT_ENERGY);
    if (!p->seed_site)
        return c->energy;
    double sum = 0;
    for (int64_t i = 0; i < s->n_atom; i++)
        sum += p->seed_site[i] * c->site_energies[i];
    for (int64_t k = 0; k < N_FEATURE * s->n_atom; k++)
        sum += p->seed_atom_fea[k] * c->atom_fea[k] + p->seed_final[k] * c->atom_fea_final[k];
    return sum;
}

/* The analytic gradient: forces and stress of the calculator, or a reverse pass with seeds. */
static void gradient(probe *p, const chgi_structure *s, double *dx, double virial[3][3])
{
    chgnet_calculator *c = p->calculator;
    sample_compute(c, s, SAMPLE_GRADIENT);
    if (!p->seed_site) {
        for (int64_t k = 0; k < 3 * s->n_atom; k++)
            dx[k] = -c->forces[k];
        memcpy(virial, c->virial, sizeof c->virial);
        return;
    }
    chgi_run run = {.network = c->network,
                    .graph = &c->graph,
                    .numbers = c->structure.numbers,
                    .n_thread = c->n_thread,
                    .gradient = true,
                    .workspace = &c->workspace,
                    .site_energies = c->site_energies,
                    .magmoms = c->magmoms,
                    .atom_fea = c->atom_fea,
                    .atom_fea_final = c->atom_fea_final,
                    .seed_site = p->seed_site,
                    .seed_atom_fea = p->seed_atom_fea,
                    .seed_final = p->seed_final,
                    .bond_gradient = c->bond_gradient};
    sample_must(p->ctx, c->kernel->forward(p->ctx, &run));
    c->kernel->backward(&run);
    difference_gather(&c->graph, c->bond_gradient, dx, virial);
}

/* Each coordinate by itself where `each` is set; then directions in which all atoms move: any wrong component shows in
 * them. */
static double position_error(probe *p, const chgi_structure *s, const double *dx, bool each, uint64_t *state)
{
    enum { DIRECTIONS = 2 };
    double shift[3 * MOST] = {0}, error = 0;
    int count = 3 * (int)s->n_atom;
    for (int k = 0; each && k < count; k++) {
        shift[k] = 1;
        error = fmax(error, fabs(difference(p->ctx, value, p, s, shift, NULL) - dx[k]));
        shift[k] = 0;
    }
    for (int trial = 0; trial < DIRECTIONS; trial++) {
        sample_fill(state, 1, count, shift);
        error = fmax(error, fabs(difference(p->ctx, value, p, s, shift, NULL) - difference_along(count, shift, dx)));
    }
    return error;
}

/* The same for the nine components of the strain; they turn the crystal, too. */
static double strain_error(probe *p, const chgi_structure *s, double virial[3][3], bool each, uint64_t *state)
{
    enum { DIRECTIONS = 2 };
    double strain[3][3] = {{0}}, error = 0;
    for (int k = 0; each && k < 9; k++) {
        strain[k / 3][k % 3] = 1;
        error = fmax(error, fabs(difference(p->ctx, value, p, s, NULL, strain) - virial[k / 3][k % 3]));
        strain[k / 3][k % 3] = 0;
    }
    for (int trial = 0; trial < DIRECTIONS; trial++) {
        sample_fill(state, 1, 9, strain[0]);
        double want = difference(p->ctx, value, p, s, NULL, strain);
        error = fmax(error, fabs(want - difference_along(9, strain[0], virial[0])));
    }
    return error;
}

static void check(probe *p, const chgi_structure *s, const char *label, bool each, uint64_t *state)
{
    double dx[3 * MOST], virial[3][3];
    gradient(p, s, dx, virial);
    double largest = sample_largest(3 * s->n_atom, dx), error = position_error(p, s, dx, each, state);
    /* One atom alone has no force: then its size is that of the virial over a bond length. */
    largest = fmax(largest, 0.1 * sample_largest(9, virial[0]));
    tap_ok(error <= TOLERANCE * largest, "%s: positions, error %.1e of %.3g", label, error, largest);
    largest = sample_largest(9, virial[0]);
    error = strain_error(p, s, virial, each, state);
    tap_ok(error <= TOLERANCE * largest, "%s: strain, error %.1e of %.3g", label, error, largest);
}

/* The published stress is the virial over the volume, whose sign is positive for any handedness. */
static void check_stress(probe *p, const chgi_structure *s, const char *label)
{
    double stress[9], want[9], volume = fabs(chgi_structure_volume(s->cell));
    if (!(s->pbc[0] && s->pbc[1] && s->pbc[2]))
        return;
    sample_compute(p->calculator, s, SAMPLE_GRADIENT);
    sample_must(p->ctx, chgnet_calculator_get_stress(p->calculator, stress));
    for (int k = 0; k < 9; k++)
        want[k] = p->calculator->virial[k / 3][k % 3] / volume * 160.21766208;
    tap_ok(sample_error(9, stress, want) <= 1e-12 * sample_largest(9, want), "%s: stress is virial over volume", label);
}

static void check_model(chgnet_context *ctx, const char *name)
{
    chgnet_model *model;
    sample_must(ctx, chgnet_model_load(ctx, name, &model));
    chgnet_calculator *calculator = sample_calculator(ctx, model, true, 1);
    const chgi_hyper *h = &chgi_model_weights(model)->hyper;
    for (int k = 0; k < SAMPLE_COUNT; k++) {
        uint64_t state = 1000 + (uint64_t)k;
        double site[MOST], atom_fea[MOST * N_FEATURE], final[MOST * N_FEATURE];
        char label[200];
        chgi_structure s;
        difference_sample(ctx, &sample_list[k], h->atom_cutoff, h->bond_cutoff, &state, &s);
        probe energy = {.ctx = ctx, .calculator = calculator}, seeded = {ctx, calculator, site, atom_fea, final};
        snprintf(label, sizeof label, "%s, %s", name, sample_list[k].name);
        check(&energy, &s, label, strcmp(name, sample_models[0]) == 0, &state);
        check_stress(&energy, &s, label);
        sample_fill(&state, 1, s.n_atom, site);
        sample_fill(&state, 1, N_FEATURE * s.n_atom, atom_fea);
        sample_fill(&state, 1, N_FEATURE * s.n_atom, final);
        snprintf(label, sizeof label, "%s, %s, seeds", name, sample_list[k].name);
        check(&seeded, &s, label, false, &state);
        chgi_structure_destroy(&s);
    }
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    for (int m = 0; m < SAMPLE_MODELS; m++)
        check_model(ctx, sample_models[m]);
    chgnet_context_destroy(ctx);
    return tap_done();
}
