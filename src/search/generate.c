/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/generate.h"

#include <math.h>
#include <string.h>

enum { ATTEMPTS_PER_ATOM = 200, ATTEMPTS_PER_STRUCTURE = 100, ATTEMPTS_PER_MOVE = 40 };

#define PI 3.14159265358979323846

static const char *const names[CHGI_N_MOVE] = {"rattle", "swap", "group", "jump", "add", "remove"};

const char *chgi_move_name(chgi_move move)
{
    return names[move];
}

/* A whole number from 0 to n - 1. */
static int64_t draw_below(chgi_rng *rng, int64_t n)
{
    int64_t k = (int64_t)(chgi_rng_uniform(rng) * (double)n);
    return k < n ? k : n - 1;
}

/* A point in the unit ball: directions from normals, radius from a uniform number. */
static void draw_in_ball(chgi_rng *rng, double point[3])
{
    double r2 = 0;
    for (int k = 0; k < 3; k++) {
        point[k] = chgi_rng_normal(rng);
        r2 += point[k] * point[k];
    }
    double scale = cbrt(chgi_rng_uniform(rng)) / sqrt(r2 > 0 ? r2 : 1);
    for (int k = 0; k < 3; k++)
        point[k] *= scale;
}

static void draw_place(const chgi_space *space, chgi_rng *rng, double point[3])
{
    if (space->is_sphere) {
        draw_in_ball(rng, point);
        for (int k = 0; k < 3; k++)
            point[k] = space->center[k] + space->radius * point[k];
        return;
    }
    memcpy(point, space->origin, sizeof space->origin);
    for (int axis = 0; axis < 3; axis++) {
        double share = chgi_rng_uniform(rng);
        for (int k = 0; k < 3; k++)
            point[k] += share * space->edges[axis][k];
    }
}

/* ---- from nothing ----------------------------------------------------------------------------- */

/* How many atoms of each element, and the structure with the scaffold in front. */
static chgnet_status start_structure(chgnet_context *ctx, const chgi_space *space, int64_t n_placed,
                                     chgi_structure *structure)
{
    const chgi_structure *from = &space->scaffold;
    CHGI_TRY(chgi_structure_create(ctx, from->n_atom + n_placed, structure));
    size_t n = (size_t)from->n_atom;
    if (n > 0) {
        memcpy(structure->numbers, from->numbers, n * sizeof *from->numbers);
        memcpy(structure->positions, from->positions, 3 * n * sizeof *from->positions);
    }
    memcpy(structure->cell, from->cell, sizeof from->cell);
    memcpy(structure->pbc, from->pbc, sizeof from->pbc);
    return CHGNET_OK;
}

/* Everything may move save what the scaffold fixes. */
static chgnet_status copy_mask(chgnet_context *ctx, const chgi_space *space, chgi_structure *structure)
{
    const chgi_structure *from = &space->scaffold;
    if (!from->move_mask)
        return CHGNET_OK;
    CHGI_TRY(chgi_structure_free_all(ctx, structure));
    memcpy(structure->move_mask, from->move_mask, 3 * (size_t)from->n_atom * sizeof *from->move_mask);
    return CHGNET_OK;
}

static int64_t draw_composition(const chgi_space *space, chgi_rng *rng, int64_t counts[CHGI_MAX_PLACE])
{
    int64_t total = 0;
    while (total == 0) {
        for (int p = 0; p < space->n_place; p++) {
            const chgi_place *place = &space->places[p];
            counts[p] = place->least + draw_below(rng, place->most - place->least + 1);
            total += counts[p];
        }
    }
    return total;
}

static bool place_atom(const chgi_space *space, chgi_rng *rng, chgi_structure *structure, int64_t i, int64_t placed)
{
    for (int attempt = 0; attempt < ATTEMPTS_PER_ATOM; attempt++) {
        draw_place(space, rng, structure->positions + 3 * i);
        if (chgi_space_has_room(space, structure, i, placed) && chgi_space_is_bound(space, structure, i, placed))
            return true;
    }
    return false;
}

static bool place_all(const chgi_space *space, chgi_rng *rng, chgi_structure *structure)
{
    for (int64_t i = space->scaffold.n_atom; i < structure->n_atom; i++)
        if (!place_atom(space, rng, structure, i, i))
            return false;
    return true;
}

/* Elements in random order: otherwise the first ones would always lie nearest to the scaffold. */
static void set_elements(const chgi_space *space, const int64_t counts[CHGI_MAX_PLACE], chgi_rng *rng,
                         chgi_structure *structure)
{
    int64_t i = space->scaffold.n_atom, first = i;
    for (int p = 0; p < space->n_place; p++)
        for (int64_t k = 0; k < counts[p]; k++)
            structure->numbers[i++] = space->places[p].element;
    for (i = structure->n_atom - 1; i > first; i--) {
        int64_t j = first + draw_below(rng, i - first + 1);
        int32_t other = structure->numbers[i];
        structure->numbers[i] = structure->numbers[j];
        structure->numbers[j] = other;
    }
}

chgnet_status chgi_generate_random(chgnet_context *ctx, const chgi_space *space, chgi_rng *rng,
                                   chgi_structure *structure)
{
    int64_t counts[CHGI_MAX_PLACE];
    int64_t n_placed = draw_composition(space, rng, counts);
    CHGI_TRY(start_structure(ctx, space, n_placed, structure));
    chgnet_status status = copy_mask(ctx, space, structure);
    for (int attempt = 0; status == CHGNET_OK && attempt < ATTEMPTS_PER_STRUCTURE; attempt++) {
        set_elements(space, counts, rng, structure);
        if (place_all(space, rng, structure))
            return CHGNET_OK;
    }
    chgi_structure_destroy(structure);
    if (status != CHGNET_OK)
        return status;
    return chgi_context_fail(ctx, CHGNET_EINPUT,
                             "%lld atoms found no place in the region in %d attempts; make the region larger, the "
                             "atoms fewer, or the least distances smaller",
                             (long long)n_placed, ATTEMPTS_PER_STRUCTURE);
}

/* ---- from a parent ---------------------------------------------------------------------------- */

static bool can_add(const chgi_space *space, const chgi_structure *parent, int p)
{
    return chgi_space_count(space, parent, space->places[p].element) < space->places[p].most;
}

static bool can_remove(const chgi_space *space, const chgi_structure *parent, int p)
{
    return chgi_space_count(space, parent, space->places[p].element) > space->places[p].least &&
           parent->n_atom > space->scaffold.n_atom + 1;
}

/* A place whose element can be added or removed; -1 when there is none. */
static int draw_element(const chgi_space *space, const chgi_structure *parent, chgi_rng *rng,
                        bool (*can)(const chgi_space *, const chgi_structure *, int))
{
    int fit[CHGI_MAX_PLACE], n = 0;
    for (int p = 0; p < space->n_place; p++)
        if (can(space, parent, p))
            fit[n++] = p;
    return n > 0 ? fit[draw_below(rng, n)] : -1;
}

static bool has_two_elements(const chgi_space *space, const chgi_structure *parent)
{
    for (int64_t i = space->scaffold.n_atom + 1; i < parent->n_atom; i++)
        if (parent->numbers[i] != parent->numbers[i - 1])
            return true;
    return false;
}

chgi_move chgi_generate_draw(const chgi_space *space, const chgi_structure *parent, chgi_rng *rng)
{
    chgi_move fit[CHGI_N_MOVE + 1] = {CHGI_MOVE_RATTLE, CHGI_MOVE_RATTLE, CHGI_MOVE_JUMP};
    int n = 3;
    if (has_two_elements(space, parent))
        fit[n++] = CHGI_MOVE_SWAP;
    if (parent->n_atom > space->scaffold.n_atom + 1)
        fit[n++] = CHGI_MOVE_GROUP;
    for (int p = 0; p < space->n_place; p++)
        if (space->places[p].most > space->places[p].least) {
            fit[n++] = chgi_rng_uniform(rng) < 0.5 ? CHGI_MOVE_ADD : CHGI_MOVE_REMOVE;
            break;
        }
    return fit[draw_below(rng, n)];
}

static bool is_whole(const chgi_space *space, const chgi_structure *structure)
{
    return chgi_space_judge(space, structure) == NULL;
}

/* Placed atoms, and the scaffold's free ones by a third of that, are displaced. */
static void rattle(const chgi_space *space, const chgi_structure *parent, double amplitude, chgi_rng *rng,
                   chgi_structure *child)
{
    for (int64_t i = 0; i < child->n_atom; i++) {
        double shift[3], reach = i < space->scaffold.n_atom ? amplitude / 3 : amplitude;
        draw_in_ball(rng, shift);
        for (int k = 0; k < 3; k++)
            if (!child->move_mask || child->move_mask[3 * i + k])
                child->positions[3 * i + k] = parent->positions[3 * i + k] + reach * shift[k];
    }
}

static void swap(const chgi_space *space, const chgi_structure *parent, chgi_rng *rng, chgi_structure *child)
{
    int64_t first = space->scaffold.n_atom, n = parent->n_atom - first, i, j;
    do {
        i = first + draw_below(rng, n);
        j = first + draw_below(rng, n);
    } while (parent->numbers[i] == parent->numbers[j]);
    child->numbers[i] = parent->numbers[j];
    child->numbers[j] = parent->numbers[i];
}

/* x = center + (d turned by an angle about a unit axis), by Rodrigues' formula. */
static void turn_about(const double axis[3], double angle, const double center[3], const double d[3], double x[3])
{
    double along = 0, c = cos(angle), s = sin(angle);
    for (int k = 0; k < 3; k++)
        along += axis[k] * d[k];
    for (int k = 0; k < 3; k++) {
        int a = (k + 1) % 3, b = (k + 2) % 3;
        x[k] = center[k] + c * d[k] + s * (axis[a] * d[b] - axis[b] * d[a]) + (1 - c) * along * axis[k];
    }
}

/* Placed atoms turn about the axis z (in a sphere about any axis) through their center, which moves to a new place
 * sideways.  Without a scaffold that would change nothing: there one half of them turns against the other. */
static void move_group(const chgi_space *space, const chgi_structure *parent, chgi_rng *rng, chgi_structure *child)
{
    int64_t first = space->scaffold.n_atom, n = parent->n_atom - first;
    double center[3] = {0, 0, 0}, place[3], axis[3] = {0, 0, 1}, length = 0, angle = 2 * PI * chgi_rng_uniform(rng);
    for (int64_t i = first; i < parent->n_atom; i++)
        for (int k = 0; k < 3; k++)
            center[k] += parent->positions[3 * i + k] / (double)n;
    if (space->is_sphere || first == 0)
        draw_in_ball(rng, axis);
    for (int k = 0; k < 3; k++)
        length += axis[k] * axis[k];
    for (int k = 0; k < 3; k++)
        axis[k] /= length > 0 ? sqrt(length) : 1;
    draw_place(space, rng, place);
    for (int64_t i = first; i < parent->n_atom; i++) {
        double d[3], *x = child->positions + 3 * i;
        for (int k = 0; k < 3; k++)
            d[k] = parent->positions[3 * i + k] - center[k];
        if (first > 0 || axis[0] * d[0] + axis[1] * d[1] + axis[2] * d[2] > 0)
            turn_about(axis, angle, center, d, x);
        for (int k = 0; k < 2 && first > 0 && !space->is_sphere; k++)
            x[k] += place[k] - center[k];
    }
}

static void jump(const chgi_space *space, chgi_rng *rng, chgi_structure *child)
{
    int64_t first = space->scaffold.n_atom;
    int64_t i = first + draw_below(rng, child->n_atom - first);
    draw_place(space, rng, child->positions + 3 * i);
}

static void copy_places(const chgi_structure *parent, chgi_structure *child)
{
    memcpy(child->numbers, parent->numbers, (size_t)parent->n_atom * sizeof *parent->numbers);
    memcpy(child->positions, parent->positions, 3 * (size_t)parent->n_atom * sizeof *parent->positions);
}

/* Repeat a move until the child is whole. */
static bool try_move(const chgi_space *space, const chgi_structure *parent, chgi_move move, double amplitude,
                     chgi_rng *rng, chgi_structure *child)
{
    for (int attempt = 0; attempt < ATTEMPTS_PER_MOVE; attempt++) {
        copy_places(parent, child);
        if (move == CHGI_MOVE_RATTLE)
            rattle(space, parent, amplitude, rng, child);
        else if (move == CHGI_MOVE_SWAP)
            swap(space, parent, rng, child);
        else if (move == CHGI_MOVE_GROUP)
            move_group(space, parent, rng, child);
        else
            jump(space, rng, child);
        if (is_whole(space, child))
            return true;
    }
    return false;
}

/* The parent with one atom more, at a random place, or one fewer. */
static bool add_or_remove(const chgi_space *space, const chgi_structure *parent, int place, bool add, chgi_rng *rng,
                          chgi_structure *child)
{
    int64_t first = space->scaffold.n_atom, last = parent->n_atom;
    int element = space->places[place].element;
    if (add) {
        copy_places(parent, child);
        child->numbers[last] = element;
        return place_atom(space, rng, child, last, last);
    }
    int64_t skip = draw_below(rng, chgi_space_count(space, parent, element)), to = first;
    copy_places(&space->scaffold, child);
    memcpy(child->positions, parent->positions, 3 * (size_t)first * sizeof *parent->positions);
    for (int64_t i = first; i < last; i++) {
        if (parent->numbers[i] == element && skip-- == 0)
            continue;
        child->numbers[to] = parent->numbers[i];
        memcpy(child->positions + 3 * to++, parent->positions + 3 * i, 3 * sizeof *parent->positions);
    }
    return is_whole(space, child);
}

static chgnet_status start_child(chgnet_context *ctx, const chgi_space *space, const chgi_structure *parent,
                                 int64_t more, chgi_structure *child)
{
    CHGI_TRY(start_structure(ctx, space, parent->n_atom - space->scaffold.n_atom + more, child));
    chgnet_status status = copy_mask(ctx, space, child);
    if (status != CHGNET_OK)
        chgi_structure_destroy(child);
    return status;
}

chgnet_status chgi_generate_child(chgnet_context *ctx, const chgi_space *space, const chgi_structure *parent,
                                  chgi_move move, double amplitude, chgi_rng *rng, chgi_structure *structure)
{
    if (move == CHGI_MOVE_ADD || move == CHGI_MOVE_REMOVE) {
        bool add = move == CHGI_MOVE_ADD;
        int place = draw_element(space, parent, rng, add ? can_add : can_remove);
        if (place >= 0) {
            CHGI_TRY(start_child(ctx, space, parent, add ? 1 : -1, structure));
            if (add_or_remove(space, parent, place, add, rng, structure))
                return CHGNET_OK;
            chgi_structure_destroy(structure);
        }
        move = CHGI_MOVE_RATTLE;
    }
    CHGI_TRY(start_child(ctx, space, parent, 0, structure));
    if (try_move(space, parent, move, amplitude, rng, structure))
        return CHGNET_OK;
    while (!try_move(space, parent, CHGI_MOVE_RATTLE, amplitude, rng, structure) && amplitude > 1e-3)
        amplitude /= 2; /* at 1 mA the child is as whole as its parent */
    return CHGNET_OK;
}
