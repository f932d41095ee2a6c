/* What the calculator does otherwise for a part of a system. */
#ifndef CHGI_CALC_CALCULATOR_PART_H
#define CHGI_CALC_CALCULATOR_PART_H

#include "calc/calculator.h"

/** The graph of the part that is set, and what the other processes have to know of it. */
chgnet_status chgi_calculator_part_graph(chgnet_calculator *calculator);

/** Rows of remote atoms join their owners'. \param[in,out] rows (n_atom,width) */
void chgi_calculator_part_collect(const chgnet_calculator *calculator, int width, double *rows);

/** chgi_delta_predict where the atoms are shared: `energy` and the arrays are those of the own atoms, `std` is the
 *  system's.  What is a sum over atoms is made from the own ones; else every process takes all atoms' embeddings.
 *  \param[in] fea (n_own,n_feature) */
chgnet_status chgi_calculator_part_correct(chgnet_calculator *calculator, const double *fea,
                                           chgi_correction *correction);

void chgi_calculator_part_destroy(chgnet_calculator *calculator);

/* The calculator's own, which both files need. */

/** Graph, and room for the results. */
chgnet_status chgi_calculator_prepare(chgnet_calculator *calculator);
/** Results and graph are gone. */
void chgi_calculator_forget(chgnet_calculator *calculator);

#endif
