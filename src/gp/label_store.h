/* Labelled structures in a file. */
#ifndef CHGI_GP_LABEL_STORE_H
#define CHGI_GP_LABEL_STORE_H

#include "gp/label_set.h"
#include "store/record.h"

/** Write or read the group `labels`: structures, energies, forces, the base's, and where they were read.  Embeddings
 *  are left out.
 *  \param[in,out] set  empty before it is read
 *  \return CHGNET_OK; CHGNET_EINPUT for a file that is not consistent; CHGNET_ENOMEM, CHGNET_EINTERNAL */
chgnet_status chgi_label_set_visit(chgi_record *record, chgi_label_set *set);

#endif
