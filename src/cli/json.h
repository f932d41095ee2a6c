/* Members of a JSON object, written into a text that begins with its brace.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_JSON_H
#define CHGI_CLI_JSON_H

#include "base/text.h"
#include "crystal/structure.h"

/** A comma unless the member is the first, the key, the value; bytes that are no UTF-8 become U+FFFD. */
void chgi_json_text(chgi_text *text, const char *name, const char *value);

/** Numbers of rank 0, 1 or 2.  \param[in] shape (rank)  \param[in] values  row-major; NULL: the member is null */
void chgi_json_array(chgi_text *text, const char *name, int rank, const int64_t *shape, const double *values);

/** Members `numbers`, `positions`, `cell`, `pbc` and, where there is one, `move_mask`. */
void chgi_json_structure(chgi_text *text, const chgi_structure *structure);

#endif
