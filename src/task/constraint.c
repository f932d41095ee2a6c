#include "task/constraint.h"

#include <math.h>
#include <string.h>

#include "math/lattice.h"

/* Take off x what points along a direction of unit length. */
static void take_off(double x[3], const double direction[3])
{
    double part = chgi_dot(x, direction);
    for (int c = 0; c < 3; c++)
        x[c] -= part * direction[c];
}

/* What is left of a cell vector at right angles to the ones before, as a unit vector; zero when nothing is. */
static void straighten(const double vector[3], double (*before)[3], int n, double out[3])
{
    memcpy(out, vector, 3 * sizeof *out);
    for (int k = 0; k < n; k++)
        take_off(out, before[k]);
    double length = sqrt(chgi_dot(out, out));
    for (int c = 0; c < 3; c++)
        out[c] = length > 0 ? out[c] / length : 0;
}

static void project_direct(const chgi_structure *s, const bool *open, double x[3])
{
    double basis[3][3], rest[3];
    int n = 0;
    for (int k = 0; k < 3; k++)
        if (open[k]) {
            straighten(s->cell[k], basis, n, basis[n]);
            n++;
        }
    memcpy(rest, x, sizeof rest);
    for (int k = 0; k < n; k++)
        take_off(rest, basis[k]);
    for (int c = 0; c < 3; c++)
        x[c] -= rest[c];
}

void chgi_constraint_project(const chgi_structure *structure, double *rows)
{
    for (int64_t i = 0; structure->move_mask && i < structure->n_atom; i++) {
        const bool *open = structure->move_mask + 3 * i;
        bool partly = (open[0] || open[1] || open[2]) && !(open[0] && open[1] && open[2]);
        if (partly && structure->mask_direct)
            project_direct(structure, open, rows + 3 * i);
        else
            for (int c = 0; c < 3; c++)
                rows[3 * i + c] *= open[c];
    }
}

bool chgi_constraint_fixes_all(const chgi_structure *structure)
{
    for (int64_t k = 0; k < 3 * structure->n_atom; k++)
        if (!structure->move_mask || structure->move_mask[k])
            return false;
    return true;
}
