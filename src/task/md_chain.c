/* Nose-Hoover chains: Martyna, Tuckerman, Tobias, Klein, Mol. Phys. 87, 1117 (1996).
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "task/md_inside.h"

/* The first link carries all degrees of freedom, each further one the link before it. */
static double link_inertia(int link, double freedom, double thermal, double relaxation)
{
    return (link == 0 ? freedom : 1) * thermal * relaxation * relaxation;
}

typedef struct chain {
    double *velocity, inertia[CHGI_MD_MAX_CHAIN];
    int n_link;
    double freedom, thermal;
} chain;

/* Acceleration of a link by what it is coupled to. */
static double acceleration(const chain *c, int link, double twice_kinetic)
{
    if (link > 0)
        twice_kinetic = c->inertia[link - 1] * c->velocity[link - 1] * c->velocity[link - 1];
    return (twice_kinetic - (link == 0 ? c->freedom : 1) * c->thermal) / c->inertia[link];
}

/* A link by its acceleration over a time, half of the friction of the next link before and half after it. */
static void move_link(chain *c, int link, double twice_kinetic, double time)
{
    double friction = link + 1 < c->n_link ? exp(-c->velocity[link + 1] * time / 2) : 1;
    c->velocity[link] *= friction;
    c->velocity[link] += acceleration(c, link, twice_kinetic) * time;
    c->velocity[link] *= friction;
}

double chgi_md_chain_move(double *velocity, int n_link, double freedom, double thermal, double relaxation,
                          double twice_kinetic, double time, double *exchanged)
{
    /* Suzuki and Yoshida's three steps of fourth order. */
    static const double weights[3] = {1.3512071919596578, -1.7024143839193153, 1.3512071919596578};
    chain c = {.velocity = velocity, .n_link = n_link, .freedom = freedom, .thermal = thermal};
    double factor = 1;
    for (int link = 0; link < n_link; link++)
        c.inertia[link] = link_inertia(link, freedom, thermal, relaxation);
    for (int w = 0; w < 3; w++) {
        double step = weights[w] * time;
        for (int link = n_link - 1; link >= 0; link--)
            move_link(&c, link, factor * factor * twice_kinetic, step / 2);
        factor *= exp(-velocity[0] * step);
        for (int link = 0; link < n_link; link++)
            *exchanged -= (link == 0 ? freedom : 1) * thermal * velocity[link] * step;
        for (int link = 0; link < n_link; link++)
            move_link(&c, link, factor * factor * twice_kinetic, step / 2);
    }
    return factor;
}

double chgi_md_chain_kinetic(const double *velocity, int n_link, double freedom, double thermal, double relaxation)
{
    double energy = 0;
    for (int link = 0; link < n_link; link++)
        energy += link_inertia(link, freedom, thermal, relaxation) * velocity[link] * velocity[link] / 2;
    return energy;
}

void chgi_md_chain_atoms(chgi_md *md, double time)
{
    chgi_md_numbers *numbers = md->state.numbers;
    double factor =
        chgi_md_chain_move(numbers->chain_velocity, md->options.chain, (double)md->n_freedom, chgi_md_thermal(md),
                           md->options.thermostat_time, 2 * chgi_md_kinetic(md), time, &numbers->exchanged);
    for (int64_t k = 0; k < 3 * md->state.n_atom; k++)
        md->state.velocities[k] *= factor;
}
