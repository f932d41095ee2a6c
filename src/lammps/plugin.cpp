/* The style as a runtime plugin: `plugin load chgnetplugin.so`.
 *
 * LAMMPS's lammpsplugin.h is not among the headers that packages install, so the structure that LAMMPS's manual
 * describes (Developer, "Writing plugins") is declared here.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 */
#include <error.h>
#include <lammps.h>
#include "lammps/pair_chgnet.h"

extern "C" {
typedef void *(*plugin_factory)(void *);

typedef struct {
    const char *version; /* of LAMMPS */
    const char *style, *name, *info, *author;
    union {
        plugin_factory one;
        void *(*three)(void *, int, char **); /* of fixes and computes */
    } creator;
    void *handle;
} plugin_entry;

typedef void (*plugin_register)(plugin_entry *, void *);
}

static void *create(void *lmp)
{
    return new LAMMPS_NS::PairCHGNet(static_cast<LAMMPS_NS::LAMMPS *>(lmp));
}

/* Classes of another LAMMPS are laid out otherwise: with them nothing would work, and not always visibly. */
static bool fits(LAMMPS_NS::LAMMPS *lmp)
{
    if (CHGNET_LAMMPS_VERSION == 0 || lmp->num_ver / 100 == CHGNET_LAMMPS_VERSION / 100)
        return true;
    lmp->error->all(FLERR, "plugin chgnet was built for LAMMPS " + std::to_string(CHGNET_LAMMPS_VERSION) +
                               ", and this is " + std::to_string(lmp->num_ver) + "; build it with this one's headers");
    return false;
}

extern "C" void lammpsplugin_init(void *lmp, void *handle, void *regfunc)
{
    LAMMPS_NS::LAMMPS *host = static_cast<LAMMPS_NS::LAMMPS *>(lmp);
    if (!fits(host))
        return;
    plugin_entry entry = {};
    entry.version = host->version;
    entry.style = "pair";
    entry.name = "chgnet";
    entry.info = "CHGNet, the universal interatomic potential, by chgnet-native";
    entry.author = "the authors of chgnet-native";
    entry.creator.one = create;
    entry.handle = handle;
    reinterpret_cast<plugin_register>(regfunc)(&entry, lmp);
}
