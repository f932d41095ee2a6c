/* The syntax of CIF 1.1: data blocks, items, loops, quotes, text fields.
 * Format: Hall, Allen, Brown, Acta Cryst. A47 (1991) 655; https://www.iucr.org/resources/cif/spec/version1.1 */
#ifndef CHGI_CRYSTAL_CIF_PARSE_H
#define CHGI_CRYSTAL_CIF_PARSE_H

#include "crystal/lines.h"

typedef struct chgi_cif_value {
    chgi_span text; /**< without quotes */
    long line;
    bool quoted; /**< a quoted ? or . is a text, not "unknown" or "none" */
} chgi_cif_value;

typedef struct chgi_cif_item {
    chgi_span tag;
    long line;
    int64_t first, stride, count; /**< value k is values[first + k*stride] */
} chgi_cif_item;

typedef struct chgi_cif_block {
    chgi_span name;
    long line;
    chgi_cif_value *values;
    chgi_cif_item *items; /**< sorted by tag */
    int64_t n_value, n_item;
    size_t value_capacity, item_capacity;
} chgi_cif_block;

/** Read the next data block.  A syntax error leaves `lines` at the end of the file.
 *  \param[out] got  false when there is none
 *  \return CHGNET_OK; CHGNET_EINPUT (unclosed quote or text field, unfilled loop, item without value, a tag given
 *          twice) with path and line; CHGNET_ENOMEM.  The block is to be destroyed in any case. */
chgnet_status chgi_cif_parse(chgi_lines *lines, chgi_cif_block *block, bool *got);
void chgi_cif_block_destroy(chgi_cif_block *block);

/** An item by its tag, letters of either case alike, '.' and '_' alike; NULL when absent. */
const chgi_cif_item *chgi_cif_find(const chgi_cif_block *block, const char *tag);
const chgi_cif_value *chgi_cif_get(const chgi_cif_block *block, const chgi_cif_item *item, int64_t k);

/** True for an unquoted ? or . */
bool chgi_cif_is_unknown(const chgi_cif_value *value);

/** Read a number, which may have its uncertainty in brackets: 1.234(5).  \return false unless it is a finite one */
bool chgi_cif_to_number(const chgi_cif_value *value, double *number);

#endif
