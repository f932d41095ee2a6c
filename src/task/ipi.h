/* A client of the i-PI protocol: a server sends cells and positions, the client answers with energy, forces and virial.
 * Source: i-PI's documentation of its sockets; ASE speaks the same.  Lengths in bohr, energies in hartree on the wire;
 * integers of 4 bytes, numbers of 8, as this machine orders them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_TASK_IPI_H
#define CHGI_TASK_IPI_H

#include "calc/potential.h"

#define CHGI_BOHR 0.529177210903     /* A */
#define CHGI_HARTREE 27.211386245988 /* eV; both CODATA 2018 */

typedef struct chgi_ipi_choice {
    const char *host; /**< name or address; NULL: `unix_name` */
    int port;
    const char *unix_name;           /**< socket /tmp/ipi_NAME, or a path when it holds a slash */
    unsigned want;                   /**< CHGNET_WANT_ flags beyond energy and gradient */
    double max_std;                  /**< eV: a larger standard deviation ends the run; 0: no limit */
    bool (*should_stop)(void *user); /**< asked between messages and while waiting */
    void (*tell)(void *user, int64_t n_done, const chgi_outcome *outcome);
    void *user;
} chgi_ipi_choice;

/** Connect and serve until the server says EXIT, closes, or a stop is asked for.
 *  \param[in,out] structure  atoms, elements and periodic axes; cell and positions follow what the server sends
 *  \param[out]    n_done     structures computed
 *  \return CHGNET_OK after EXIT or a stop; CHGNET_EIO when there is no server or it is gone; CHGNET_EINPUT for another
 *          number of atoms or bytes that are no such protocol; CHGNET_ENUMERIC, CHGNET_ENOMEM as the potential */
chgnet_status chgi_ipi_serve(chgnet_context *ctx, const chgi_ipi_choice *choice, const chgi_potential *potential,
                             chgi_structure *structure, int64_t *n_done);

#endif
