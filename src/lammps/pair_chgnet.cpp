/* SPDX-License-Identifier: GPL-2.0-only */
#include "lammps/pair_chgnet.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include <atom.h>
#include <comm.h>
#include <error.h>
#include <force.h>
#include <memory.h>
#include <neighbor.h>
#include <update.h>

using namespace LAMMPS_NS;
using CHGNetLAMMPS::Exchange;
using CHGNetLAMMPS::Remote;

/* LAMMPS takes a literal for a format with braces; a string is printed as it is. */
[[noreturn]] static void refuse(Error *error, const std::string &text)
{
    error->all(FLERR, text);
}

/* What `compute pair` and thermo output find. */
enum { STD, DELTA_ENERGY, BYTES, SECONDS, N_VALUES };

PairCHGNet::PairCHGNet(LAMMPS *host) : Pair(host)
{
    single_enable = 0;
    restartinfo = 0; // models are files: name them again after read_restart
    one_coeff = 1;
    manybody_flag = 1;
    no_virial_fdotr_compute = 1;
    centroidstressflag = CENTROID_NOTAVAIL;
    nextra = N_VALUES;
    pvector = new double[N_VALUES]();
    if (chgnet_context_create(&context) != CHGNET_OK)
        error->one(FLERR, std::string("pair chgnet: not enough memory"));
    chgnet_context_on_warning(
        context,
        [](const char *text, void *self) {
            static_cast<PairCHGNet *>(self)->error->warning(FLERR, std::string("pair chgnet: ") + text);
        },
        this);
}

void PairCHGNet::release()
{
    chgnet_calculator_destroy(calculator);
    chgnet_delta_destroy(delta);
    chgnet_model_destroy(model);
    calculator = nullptr;
    delta = nullptr;
    model = nullptr;
}

PairCHGNet::~PairCHGNet()
{
    release();
    chgnet_context_destroy(context);
    delete[] pvector;
    memory->destroy(owner);
    if (allocated) {
        memory->destroy(setflag);
        memory->destroy(cutsq);
    }
}

/* Every rank reads the same files, and comes to the same end; in a computation one rank may fail alone. */
void PairCHGNet::check(chgnet_status status)
{
    if (status != CHGNET_OK)
        error->one(FLERR, std::string("pair chgnet: ") + chgnet_context_error(context));
}

/* ---- commands --------------------------------------------------------------------------------- */

static bool is_yes(Error *error, const char *key, const char *value)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        refuse(error, std::string("pair_style chgnet: ") + key + " " + value + "; give yes or no");
    return strcmp(value, "yes") == 0;
}

static double positive(Error *error, const char *key, const char *value)
{
    char *end;
    double x = strtod(value, &end);
    if (*end != '\0' || !(x > 0))
        refuse(error, std::string("pair_style chgnet: ") + key + " " + value + "; give a number above 0");
    return x;
}

void PairCHGNet::settings(int narg, char **arg)
{
    for (int k = 0; k < narg; k += 2) {
        std::string key = arg[k];
        if (k + 1 == narg)
            refuse(error, "pair_style chgnet: " + key + " lacks its value");
        if (key == "precision" && strcmp(arg[k + 1], "single") == 0)
            precision = CHGNET_SINGLE;
        else if (key == "precision" && strcmp(arg[k + 1], "double") == 0)
            precision = CHGNET_DOUBLE;
        else if (key == "precision")
            refuse(error, std::string("pair_style chgnet: precision ") + arg[k + 1] + "; give single or double");
        else if (key == "threads")
            threads = static_cast<int>(positive(error, "threads", arg[k + 1]));
        else if (key == "std")
            want_std = is_yes(error, "std", arg[k + 1]);
        else if (key == "max_std")
            max_std = positive(error, "max_std", arg[k + 1]);
        else
            refuse(error, "pair_style chgnet: unknown keyword " + key + "; there are precision, threads, std, max_std");
    }
}

void PairCHGNet::load_model(const char *name)
{
    check(chgnet_model_load(context, name, &model));
    cutoff = chgnet_model_get_info(model).atom_cutoff;
}

void PairCHGNet::load_delta(const char *path)
{
    check(chgnet_delta_load(context, path, &delta));
}

/* Atom types to elements. */
void PairCHGNet::map_types(int n, char **symbols)
{
    int known = chgnet_model_get_info(model).n_element;
    number_of_type.assign(n + 1, 0);
    for (int type = 1; type <= n; type++) {
        const char *symbol = symbols[type - 1];
        int z = chgnet_element_number(symbol);
        if (z == 0 || z > known)
            refuse(error, std::string("pair_coeff chgnet: atom type ") + std::to_string(type) + " is '" + symbol +
                              (z == 0 ? "', which is no element; give symbols such as Mg O in the order of types"
                                      : "', which this model does not know"));
        number_of_type[type] = z;
    }
}

void PairCHGNet::coeff(int narg, char **arg)
{
    int n = atom->ntypes;
    if (narg < 3 || strcmp(arg[0], "*") != 0 || strcmp(arg[1], "*") != 0)
        refuse(error, "pair_coeff chgnet: give * * MODEL [DELTA.h5] and an element for each atom type");
    if (narg != 3 + n && narg != 4 + n)
        refuse(error, "pair_coeff chgnet: there are " + std::to_string(n) + " atom types, and " +
                          std::to_string(narg - 3) +
                          " words after the model; give [DELTA.h5] and an element for each type");
    release();
    load_model(arg[2]);
    if (narg == 4 + n)
        load_delta(arg[3]);
    map_types(n, arg + narg - n);
    if ((want_std || max_std > 0) && !delta)
        refuse(error, "pair_style chgnet: std and max_std need a delta-model; name its file after the model in "
                      "pair_coeff");
    if (!allocated) {
        allocated = 1;
        memory->create(setflag, n + 1, n + 1, "pair:setflag");
        memory->create(cutsq, n + 1, n + 1, "pair:cutsq");
    }
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= n; j++)
            setflag[i][j] = 1;
    make_calculator();
}

void PairCHGNet::make_calculator()
{
    chgnet_options options = chgnet_options_default();
    options.precision = precision;
    options.threads = threads > 0 ? threads : comm->nthreads;
    options.trajectory = 1;
    check(chgnet_calculator_create(context, model, &options, &calculator));
    check(chgnet_calculator_set_delta(calculator, delta));
}

void PairCHGNet::init_style()
{
    if (strcmp(update->unit_style, "metal") != 0)
        refuse(error, std::string("pair chgnet: units ") + update->unit_style +
                          "; it computes in eV and Angstrom: give units metal");
    if (atom->tag_enable == 0)
        refuse(error, "pair chgnet: atoms have no IDs; give atom_modify id yes");
    if (neighbor->nex_type + neighbor->nex_group + neighbor->nex_mol > 0)
        refuse(error, "pair chgnet: neigh_modify exclude would cut bonds out of the network; leave it out");
    if (!calculator)
        refuse(error, "pair chgnet: there is no model; give pair_coeff * * MODEL and the elements");
    n_own = -1; // positions may be others'
}

double PairCHGNet::init_one(int, int)
{
    return cutoff;
}

/* ---- who is where ----------------------------------------------------------------------------- */

bool PairCHGNet::list_is_new()
{
    return neighbor->ago == 0 || n_own != atom->nlocal || n_site != atom->nlocal + atom->nghost ||
           last_build != neighbor->lastcall;
}

/* Every rank writes its name and the atom's number beside its atoms; ghosts get a copy. */
void PairCHGNet::find_owners()
{
    if (atom->nmax > n_column_owner) {
        n_column_owner = atom->nmax;
        memory->destroy(owner);
        memory->create(owner, n_column_owner, 2, "pair:owner");
    }
    for (int i = 0; i < atom->nlocal; i++) {
        owner[i][0] = comm->me;
        owner[i][1] = i;
    }
    comm->forward_comm_array(2, owner);
}

/* Which atom stands at each site; remote ones are found by their IDs. */
void PairCHGNet::map_sites(std::vector<Remote> &remote)
{
    std::unordered_map<tagint, int32_t> place;
    for (int i = n_own; i < n_site; i++) {
        if (static_cast<int>(owner[i][0]) == comm->me || place.count(atom->tag[i]))
            continue;
        place[atom->tag[i]] = 0;
        remote.push_back({static_cast<int>(owner[i][0]), static_cast<int32_t>(owner[i][1]), atom->tag[i]});
    }
    if (comm->nprocs > 1) {
        if (!exchange)
            exchange.reset(new Exchange(world));
        exchange->plan(std::vector<int64_t>(atom->tag, atom->tag + n_own), remote);
    }
    for (size_t k = 0; k < remote.size(); k++)
        place[static_cast<tagint>(remote[k].tag)] = static_cast<int32_t>(n_own + k);
    for (int i = 0; i < n_site; i++) {
        bool own = i < n_own || static_cast<int>(owner[i][0]) == comm->me;
        site_atom[i] = i < n_own ? i : own ? static_cast<int32_t>(owner[i][1]) : place[atom->tag[i]];
        numbers[site_atom[i]] = number_of_type[atom->type[i]];
    }
}

void PairCHGNet::set_part()
{
    std::vector<Remote> remote;
    n_own = atom->nlocal;
    n_site = atom->nlocal + atom->nghost;
    last_build = neighbor->lastcall;
    site_atom.resize(n_site);
    numbers.resize(n_site);
    find_owners();
    map_sites(remote);
    n_remote = static_cast<int>(remote.size());
    chgnet_part part = chgnet_part_default();
    part.n_own = n_own;
    part.n_remote = n_remote;
    part.numbers = numbers.data();
    part.n_site = n_site;
    part.positions = n_site > 0 ? atom->x[0] : nullptr;
    part.site_atom = site_atom.data();
    part.reach = cutoff + neighbor->skin;
    if (comm->get_comm_cutoff() < part.reach - 1e-9)
        refuse(error, "pair chgnet: ghosts reach " + std::to_string(comm->get_comm_cutoff()) +
                          " A, too few: cutoff and skin are " + std::to_string(part.reach) + " A");
    if (comm->nprocs > 1) {
        chgnet_exchange functions = exchange->functions();
        check(chgnet_calculator_set_part(calculator, &part, &functions));
    } else {
        check(chgnet_calculator_set_part(calculator, &part, nullptr));
    }
}

/* ---- results ---------------------------------------------------------------------------------- */

unsigned PairCHGNet::wanted()
{
    int flag, columns;
    unsigned want = CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT;
    if (vflag_atom)
        want |= CHGNET_WANT_SITE_VIRIALS;
    if (want_std || max_std > 0)
        want |= CHGNET_WANT_STD;
    if (delta && atom->find_custom("novelty", flag, columns) >= 0)
        want |= CHGNET_WANT_NOVELTY;
    return want;
}

void PairCHGNet::add_results()
{
    double energy, virial_of[3][3];
    forces.resize(3 * n_own);
    energies.resize(n_own);
    check(chgnet_calculator_get_forces(calculator, forces.data()));
    check(chgnet_calculator_get_site_energies(calculator, energies.data()));
    check(chgnet_calculator_get_energy(calculator, &energy));
    check(chgnet_calculator_get_virial(calculator, &virial_of[0][0]));
    for (int k = 0; k < 3 * n_own; k++)
        atom->f[k / 3][k % 3] += forces[k];
    if (eflag_global)
        eng_vdwl += energy;
    for (int i = 0; eflag_atom && i < n_own; i++)
        eatom[i] += energies[i];
    static const int first[6] = {0, 1, 2, 0, 0, 1}, second[6] = {0, 1, 2, 1, 2, 2};
    for (int k = 0; vflag_global && k < 6; k++) // of dE/dstrain; LAMMPS's virial is that of the forces
        virial[k] -= (virial_of[first[k]][second[k]] + virial_of[second[k]][first[k]]) / 2;
    if (vflag_atom)
        add_virials();
}

void PairCHGNet::add_virials()
{
    static const int place[6] = {0, 4, 8, 1, 2, 5};
    virials.resize(9 * n_own);
    check(chgnet_calculator_get_site_virials(calculator, virials.data()));
    for (int i = 0; i < n_own; i++)
        for (int k = 0; k < 6; k++)
            vatom[i][k] -= virials[9 * i + place[k]];
}

void PairCHGNet::fill_property(const char *name, const std::vector<double> &values)
{
    int is_double, columns, index = atom->find_custom(name, is_double, columns);
    if (index < 0 || !is_double || columns != 0)
        return;
    std::copy(values.begin(), values.begin() + n_own, atom->dvector[index]);
}

/* `fix property/atom d_magmom d_novelty` gives these a place that dumps and computes find. */
void PairCHGNet::fill_properties(unsigned want)
{
    magmoms.resize(atom->nmax);
    novelty.resize(atom->nmax);
    check(chgnet_calculator_get_magmoms(calculator, magmoms.data()));
    fill_property("magmom", magmoms);
    if (want & CHGNET_WANT_NOVELTY) {
        check(chgnet_calculator_get_novelty(calculator, novelty.data()));
        fill_property("novelty", novelty);
    }
}

/* LAMMPS adds these up over the ranks. */
void PairCHGNet::report()
{
    if (delta)
        check(chgnet_calculator_get_delta_energy(calculator, &pvector[DELTA_ENERGY]));
    if (want_std || max_std > 0) {
        check(chgnet_calculator_get_energy_std(calculator, &energy_std));
        pvector[STD] = comm->me == 0 ? energy_std : 0;
    }
    if (exchange) {
        pvector[BYTES] = static_cast<double>(exchange->bytes);
        pvector[SECONDS] = exchange->seconds / comm->nprocs;
        exchange->bytes = 0;
        exchange->seconds = 0;
    }
    if (max_std > 0 && energy_std > max_std)
        refuse(error, "pair chgnet: the standard deviation of the energy, " + std::to_string(energy_std) +
                          " eV, is beyond max_std, " + std::to_string(max_std) +
                          " eV; label this structure, or raise max_std");
}

void PairCHGNet::compute(int eflag, int vflag)
{
    ev_init(eflag, vflag);
    if (list_is_new())
        set_part();
    else
        check(chgnet_calculator_move_part(calculator, n_site > 0 ? atom->x[0] : nullptr));
    unsigned want = wanted();
    check(chgnet_calculator_compute(calculator, want));
    add_results();
    fill_properties(want);
    report();
}

double PairCHGNet::memory_usage()
{
    return Pair::memory_usage() + static_cast<double>(n_site > 0 ? n_site : 0) * (2 * sizeof(int32_t) + 16);
}

void *PairCHGNet::extract(const char *name, int &dim)
{
    dim = 0;
    if (strcmp(name, "energy_std") == 0)
        return &energy_std;
    return nullptr;
}

void *PairCHGNet::extract_peratom(const char *name, int &n_column)
{
    n_column = 0;
    if (strcmp(name, "magmom") == 0)
        return magmoms.data();
    if (strcmp(name, "novelty") == 0)
        return novelty.data();
    if (strcmp(name, "site_energy") == 0)
        return energies.data();
    return nullptr;
}
