/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/space.h"

#include <math.h>

void chgi_space_destroy(chgi_space *space)
{
    chgi_structure_destroy(&space->scaffold);
}

int64_t chgi_space_most_atoms(const chgi_space *space)
{
    int64_t n = space->scaffold.n_atom;
    for (int p = 0; p < space->n_place; p++)
        n += space->places[p].most;
    return n;
}

static double length_with_image(const chgi_structure *s, const double d[3], int a, int b, int c)
{
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        double x = d[k] + a * s->cell[0][k] + b * s->cell[1][k] + c * s->cell[2][k];
        sum += x * x;
    }
    return sqrt(sum);
}

/* The separation brought near the origin along periodic axes, so that the images around it are enough. */
static void wrap(const chgi_structure *s, double d[3])
{
    double inverse[3][3];
    if (!chgi_structure_invert(s->cell, inverse))
        return;
    for (int axis = 0; axis < 3; axis++) {
        if (!s->pbc[axis])
            continue;
        double turns = round(d[0] * inverse[0][axis] + d[1] * inverse[1][axis] + d[2] * inverse[2][axis]);
        for (int k = 0; k < 3; k++)
            d[k] -= turns * s->cell[axis][k];
    }
}

double chgi_space_distance(const chgi_structure *structure, int64_t i, int64_t j)
{
    const chgi_structure *s = structure;
    double d[3], least = INFINITY;
    for (int k = 0; k < 3; k++)
        d[k] = s->positions[3 * j + k] - s->positions[3 * i + k];
    wrap(s, d);
    for (int a = -s->pbc[0]; a <= s->pbc[0]; a++)
        for (int b = -s->pbc[1]; b <= s->pbc[1]; b++)
            for (int c = -s->pbc[2]; c <= s->pbc[2]; c++)
                if (i != j || a || b || c)
                    least = fmin(least, length_with_image(s, d, a, b, c));
    return least;
}

static double sum_of_radii(const chgi_structure *s, int64_t i, int64_t j)
{
    return chgi_element_radius(s->numbers[i]) + chgi_element_radius(s->numbers[j]);
}

bool chgi_space_has_room(const chgi_space *space, const chgi_structure *structure, int64_t i, int64_t against)
{
    for (int64_t j = 0; j < against; j++) {
        if (j == i)
            continue;
        double least = fmax(space->least_distance, space->closeness * sum_of_radii(structure, i, j));
        if (least > 0 && chgi_space_distance(structure, i, j) < least)
            return false;
    }
    return true;
}

bool chgi_space_is_bound(const chgi_space *space, const chgi_structure *structure, int64_t i, int64_t against)
{
    if (against == 0 || (space->isolation == 0 && space->farthest == 0))
        return true;
    for (int64_t j = 0; j < against; j++) {
        if (j == i)
            continue;
        double most = space->farthest > 0 ? space->farthest : space->isolation * sum_of_radii(structure, i, j);
        if (chgi_space_distance(structure, i, j) <= most)
            return true;
    }
    return false;
}

const char *chgi_space_judge(const chgi_space *space, const chgi_structure *structure)
{
    int64_t n = structure->n_atom;
    for (int64_t k = 0; k < 3 * n; k++)
        if (!isfinite(structure->positions[k]))
            return "a position is not finite";
    for (int64_t i = space->scaffold.n_atom; i < n; i++) {
        if (!chgi_space_has_room(space, structure, i, n))
            return "two atoms too close";
        if (n > 1 && !chgi_space_is_bound(space, structure, i, n))
            return "an atom flew off";
    }
    return NULL;
}

int64_t chgi_space_count(const chgi_space *space, const chgi_structure *structure, int element)
{
    int64_t n = 0;
    for (int64_t i = space->scaffold.n_atom; i < structure->n_atom; i++)
        n += structure->numbers[i] == element;
    return n;
}

double chgi_space_free_energy(const chgi_space *space, const chgi_structure *structure, double energy)
{
    for (int64_t i = space->scaffold.n_atom; i < structure->n_atom; i++)
        energy -= space->potentials[structure->numbers[i]];
    return energy;
}
