#include "crystal/part.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static chgnet_status check(chgnet_context *ctx, const chgnet_part *from)
{
    if (from->n_own < 0 || from->n_remote < 0 || from->n_site < from->n_own || from->n_site > INT32_MAX ||
        from->n_own + from->n_remote > from->n_site)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "a part of %lld own and %lld remote atoms at %lld sites; every atom needs a site",
                                 (long long)from->n_own, (long long)from->n_remote, (long long)from->n_site);
    for (int64_t i = 0; i < from->n_site; i++) {
        int64_t atom = from->site_atom[i];
        if (atom < 0 || atom >= from->n_own + from->n_remote || (i < from->n_own && atom != i))
            return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                     "site %lld of a part holds atom %lld; the first %lld sites are the own atoms, and "
                                     "there are %lld atoms",
                                     (long long)i, (long long)atom, (long long)from->n_own,
                                     (long long)(from->n_own + from->n_remote));
    }
    return CHGNET_OK;
}

static chgnet_status copy(chgnet_context *ctx, const chgnet_part *from, chgi_part *part)
{
    size_t n = (size_t)from->n_site;
    if (part->sites.n_atom != from->n_site || !part->site_atom) {
        chgi_part_destroy(part);
        CHGI_TRY(chgi_structure_create(ctx, from->n_site, &part->sites));
        part->site_atom = chgi_memory_new(n, sizeof *part->site_atom);
        if (!part->site_atom)
            return chgi_context_nomem(ctx, n, sizeof *part->site_atom);
    }
    part->n_own = from->n_own;
    part->n_atom = from->n_own + from->n_remote;
    memcpy(part->site_atom, from->site_atom, n * sizeof *part->site_atom);
    memcpy(part->sites.positions, from->positions, 3 * n * sizeof *from->positions);
    for (size_t i = 0; i < n; i++)
        part->sites.numbers[i] = from->numbers[from->site_atom[i]];
    return CHGNET_OK;
}

/* Of the two sights of a bond between own atoms a and b over an image: that from the smaller number, or, for a = b, the
 * one whose vector points up. */
static bool counts(const chgi_part *part, const chgi_candidate *pair)
{
    static const double up = 1e-6; /* A: beyond rounding of positions, far below a distance of images */
    int64_t center = pair->center, atom = part->site_atom[pair->neighbour];
    const double *from = part->sites.positions + 3 * center, *to = part->sites.positions + 3 * (int64_t)pair->neighbour;
    if (center >= part->n_own)
        return false;
    if (pair->neighbour < part->n_own || atom >= part->n_own)
        return true;
    if (center != atom)
        return center < atom;
    for (int c = 0; c < 3; c++)
        if (fabs(to[c] - from[c]) > up)
            return to[c] > from[c];
    return false;
}

chgnet_status chgi_part_set(chgnet_context *ctx, const chgnet_part *from, chgi_part *part)
{
    CHGI_TRY(check(ctx, from));
    CHGI_TRY(copy(ctx, from, part));
    chgi_candidate_list *list = &part->candidates;
    list->n_candidate = 0;
    if (part->n_own == 0)
        return CHGNET_OK;
    CHGI_TRY(chgi_neighbour_candidates(ctx, &part->sites, from->reach, list));
    size_t kept = 0;
    for (size_t k = 0; k < list->n_candidate; k++)
        if (counts(part, &list->candidates[k]))
            list->candidates[kept++] = list->candidates[k];
    list->n_candidate = kept;
    return CHGNET_OK;
}

chgnet_status chgi_part_measure(chgnet_context *ctx, chgi_part *part, double cutoff, chgi_pair_list *pairs)
{
    CHGI_TRY(chgi_neighbour_measure(ctx, &part->sites, &part->candidates, cutoff, pairs));
    for (size_t k = 0; k < pairs->n_pair; k++)
        pairs->pairs[k].neighbour = part->site_atom[pairs->pairs[k].neighbour];
    return CHGNET_OK;
}

void chgi_part_destroy(chgi_part *part)
{
    chgi_structure_destroy(&part->sites);
    chgi_candidate_list_destroy(&part->candidates);
    chgi_memory_free(part->site_atom);
    *part = (chgi_part){0};
}
