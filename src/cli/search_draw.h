/* Pictures of a search's report, as SVG inside HTML.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_SEARCH_DRAW_H
#define CHGI_CLI_SEARCH_DRAW_H

#include "base/text.h"
#include "crystal/structure.h"

/** Points of a chart; NaN is left out. */
typedef struct chgi_series {
    const char *name, *colour;
    const double *x, *y;
    int64_t n;
    bool line; /**< joined; else dots */
} chgi_series;

/** A chart with axes, ticks and a legend. */
void chgi_draw_chart(chgi_text *html, const char *title, const char *x_name, const char *y_name, int n_series,
                     const chgi_series *series);

/** Atoms as balls in the colours of their elements, the far ones first; with the cell, and its neighbours' atoms along
 *  periodic axes faint around it.  \param[in] from_side  along y; else from above, along -z */
void chgi_draw_structure(chgi_text *html, const chgi_structure *structure, bool from_side);

#endif
