/* lmp_chgnet: LAMMPS, as an installed library has it, with pair style chgnet.  Options are those of LAMMPS.
 *
 * For a LAMMPS without the PLUGIN package.  Its `plugin load` puts the style in place, as it does with the package, so
 * scripts are the same; the style is there from the start, and only `clear` makes the command necessary.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 */
#include <mpi.h>

#include <cstring>

#include <error.h>
#include <force.h>
#include <input.h>
#include <lammps.h>
#include "lammps/pair_chgnet.h"

#if __has_include(<command.h>)
#include <command.h>
#else
namespace LAMMPS_NS
{
class Command : protected Pointers
{
  public:
    explicit Command(LAMMPS *host) : Pointers(host)
    {
    }
    virtual void command(int, char **) = 0;
};
} // namespace LAMMPS_NS
#endif

using namespace LAMMPS_NS;

static Pair *create_pair(LAMMPS *lmp)
{
    return new PairCHGNet(lmp);
}

static void put_style(LAMMPS *lmp)
{
    (*lmp->force->pair_map)["chgnet"] = create_pair;
}

class PluginCommand : public Command
{
  public:
    explicit PluginCommand(LAMMPS *host) : Command(host)
    {
    }

    void command(int narg, char **arg) override
    {
        if (narg < 1 || strcmp(arg[0], "load") != 0)
            error->all(FLERR, std::string("plugin: this LAMMPS knows `plugin load' of pair style chgnet only"));
        put_style(lmp);
    }
};

static Command *create_command(LAMMPS *lmp)
{
    return new PluginCommand(lmp);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    LAMMPS *lmp = new LAMMPS(argc, argv, MPI_COMM_WORLD);
    put_style(lmp);
    if (lmp->input->command_map->count("plugin") == 0)
        (*lmp->input->command_map)["plugin"] = create_command;
    lmp->input->file();
    delete lmp;
    MPI_Finalize();
    return 0;
}
