/* Messages of the first atom convolution as functions of a distance.
 *
 * Its inputs are rows by element and functions of the bond's length, so that the message of an edge, weight included,
 * is a function of both elements and the length: where many steps with the same elements follow, it is tabulated for
 * each ordered pair of them.  In single precision only: tables as good as double would be large. */
#ifndef CHGI_MODEL_PAIR_TABLE_H
#define CHGI_MODEL_PAIR_TABLE_H

#include "model/kernel.h"
#include "model/network.h"

#define chgi_pair_choose CHGI_K(pair_choose)
#define chgi_pair_fill CHGI_K(pair_fill)
#define chgi_pair_sum CHGI_K(pair_sum)
#define chgi_pair_slopes CHGI_K(pair_slopes)

/** Whether tables pay for this structure: enough edges for each pair.  Depends on the structure alone.
 *  \param[in] tables  NULL: never */
bool chgi_pair_choose(const chgi_pass *pass, const chgi_pair_tables *tables);

/** Make the tables for the elements of the pass, unless they are there.  \return CHGNET_OK, CHGNET_ENOMEM */
chgnet_status chgi_pair_fill(chgnet_context *ctx, const chgi_pass *pass, chgi_pair_tables *tables);

/** sum (width_atom) = sum over the edges of one atom of their messages. */
void chgi_pair_sum(const chgi_pass *pass, int64_t atom, chg_real *sum);

/** dlength_edge of one atom's edges += dE/dr from dE/d(sum). */
void chgi_pair_slopes(const chgi_pass *pass, int64_t atom, const chg_real *dsum);

#endif
