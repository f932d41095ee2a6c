/* Where results go: a file whose suffix chooses the format, or standard output.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_OUTPUT_H
#define CHGI_CLI_OUTPUT_H

#include "base/text.h"
#include "cli/result.h"
#include "store/h5.h"

typedef enum chgi_format {
    CHGI_FORMAT_H5,
    CHGI_FORMAT_EXTXYZ,
    CHGI_FORMAT_JSON,
    CHGI_FORMAT_CIF,  /**< structures alone, without results */
    CHGI_FORMAT_VASP, /**< one structure alone */
    CHGI_FORMAT_TABLE
} chgi_format;

typedef struct chgi_output chgi_output;

/** The format that the suffix of a path chooses.
 *  \return CHGNET_OK; CHGNET_EUSAGE when the suffix is unknown or of a format that cannot hold results */
chgnet_status chgi_output_format(chgnet_context *ctx, const char *path, chgi_format *format);

/** The same for outputs whose point is the structures, which may be CIF or POSCAR too. */
chgnet_status chgi_output_structure_format(chgnet_context *ctx, const char *path, chgi_format *format);

/** Begin an output.  A file is held in memory until it is finished.
 *  \param[in] path  must outlive the output; NULL: standard output, for JSON and the table
 *  \return CHGNET_OK; CHGNET_EIO when the file could not be written later; CHGNET_ENOMEM */
chgnet_status chgi_output_create(chgnet_context *ctx, chgi_format format, const char *path, chgi_output **output);

/** Whether what is added appears on a terminal at once. */
bool chgi_output_on_terminal(const chgi_output *output);

/** Add a frame.  Frames come in the order of their numbers.
 *  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM, CHGNET_EINTERNAL, and then nothing more can be added */
chgnet_status chgi_output_add(chgnet_context *ctx, chgi_output *output, const chgi_result *result);

/** Write the file, or the rest of the table.  Without any frame there is no file. */
chgnet_status chgi_output_finish(chgnet_context *ctx, chgi_output *output);

/** Free; what was not finished is dropped. */
void chgi_output_destroy(chgi_output *output);

/* ---- the formats ------------------------------------------------------------------------------ */

/** One line of JSON. */
chgnet_status chgi_json_print(chgnet_context *ctx, chgi_text *text, const chgi_result *result);

/** One frame of extended XYZ with results as ASE reads them; same-named ones of the frame's own are replaced. */
chgnet_status chgi_results_extxyz_print(chgnet_context *ctx, chgi_text *text, const chgi_result *result);

/** One group of HDF5; the first frame brings the attributes of the root. */
chgnet_status chgi_results_h5_add(chgnet_context *ctx, chgi_h5 *file, const chgi_result *result, bool first);

/** One line of the table; `colour` where a terminal shows it. */
void chgi_table_print_header(chgi_text *text, const chgi_provenance *provenance, bool colour);
void chgi_table_print_row(chgi_text *text, const chgi_result *result);
/** Where a result's structure came from, without what a terminal would take for a command. */
void chgi_table_print_source(chgi_text *text, const chgi_result *result);
/** A single structure in full. */
void chgi_table_print_single(chgi_text *text, const chgi_result *result, bool colour);

#endif
