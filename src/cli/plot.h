/* Pictures by gnuplot, where it is installed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_PLOT_H
#define CHGI_CLI_PLOT_H

#include "base/text.h"

/** Run gnuplot on a script that draws to standard output (its terminal: svg) and write the picture: whole or not at
 * all. \return CHGNET_OK, also without gnuplot, after a warning; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_plot_write(chgnet_context *ctx, const chgi_text *script, const char *path);

/** The name of a picture beside the working folder: the file's name without folder and suffix, then `suffix`. */
void chgi_plot_name(const char *file, const char *suffix, char *path, size_t size);

/** Lines of a script that every picture begins with: terminal, fonts, colours.  \param[in] width, height in pixels */
void chgi_plot_begin(chgi_text *script, int width, int height);

#endif
