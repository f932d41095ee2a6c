/* Memory of a likelihood problem. */
#include "base/memory.h"
#include "gp/delta_inside.h"

static bool take(double **array, int64_t a, int64_t b)
{
    size_t n = (size_t)a, m = (size_t)b;
    if (m && n > SIZE_MAX / sizeof(double) / m)
        return false;
    *array = chgi_memory_raw(n * m * sizeof(double));
    return *array != NULL;
}

chgnet_status chgi_problem_allocate(chgnet_context *ctx, chgi_problem *p, bool gradient)
{
    int64_t row = p->rows->n_row, n = p->inducing ? p->inducing->n : 0, weight = n + p->rows->n_element;
    bool done;
    CHGI_TRY(chgi_team_create(ctx, p->rows, &p->team));
    if (p->inducing)
        done = take(&p->weights, weight, 1) && take(&p->columns, row, weight) && take(&p->inducing_factor, n, n) &&
               take(&p->normal_factor, weight, weight) && take(&p->normal_target, weight, 1);
    else
        done = take(&p->weights, row, 1) && take(&p->k, row, row) &&
               (!gradient || (take(&p->inverse, row, row) && take(&p->scratch, 64, row)));
    return done ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)row, (size_t)(n ? weight : row) * sizeof(double));
}

void chgi_problem_destroy(chgi_problem *p)
{
    chgi_team_destroy(&p->team);
    double *arrays[] = {p->weights,      p->k, p->inverse, p->scratch, p->columns, p->inducing_factor, p->normal_factor,
                        p->normal_target};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    *p = (chgi_problem){0};
}
