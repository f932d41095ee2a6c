/* -*- c++ -*-
 * pair_style chgnet: CHGNet, with or without a delta-model, in LAMMPS.
 *
 * Each rank computes its own atoms.  Their features, and the messages of bonds across the borders, go to the ranks that
 * need them in every layer (exchange.h), so ghosts are needed within the atom cutoff only, whatever the number of
 * ranks. A ghost that is an image of an own atom is told from a copy of another rank's atom, and costs nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 */
#ifdef PAIR_CLASS
PairStyle(chgnet, PairCHGNet);
#else

#ifndef LMP_PAIR_CHGNET_H
#define LMP_PAIR_CHGNET_H

#include <pair.h>

#include <memory>
#include <string>
#include <vector>

#include "lammps/exchange.h"

namespace LAMMPS_NS
{

class PairCHGNet : public Pair
{
  public:
    explicit PairCHGNet(LAMMPS *host);
    ~PairCHGNet() override;
    void compute(int eflag, int vflag) override;
    void settings(int narg, char **arg) override;
    void coeff(int narg, char **arg) override;
    void init_style() override;
    double init_one(int i, int j) override;
    double memory_usage() override;
    void *extract(const char *name, int &dim) override;
    virtual void *extract_peratom(const char *name, int &n_column); // not in LAMMPS before 2022-05

  private:
    chgnet_context *context = nullptr;
    chgnet_model *model = nullptr;
    chgnet_delta *delta = nullptr;
    chgnet_calculator *calculator = nullptr;
    std::unique_ptr<CHGNetLAMMPS::Exchange> exchange;

    chgnet_precision precision = CHGNET_SINGLE;
    int threads = 0; // 0: LAMMPS's
    bool want_std = false;
    double max_std = 0;    // eV; 0: no limit
    double cutoff = 0;     // A, of atoms' bonds
    double energy_std = 0; // eV, of the whole system

    std::vector<int> number_of_type; // (ntypes + 1) atomic numbers
    std::vector<int32_t> numbers, site_atom;
    std::vector<double> forces, energies, magmoms, novelty, virials;
    int n_own = -1, n_site = -1, n_remote = 0;
    bigint last_build = -1;
    int n_column_owner = 0;
    double **owner = nullptr; // (nmax,2) of atoms and ghosts: rank, number there

    void load_model(const char *name);
    void load_delta(const char *path);
    void map_types(int n, char **symbols);
    void make_calculator();
    void check(chgnet_status status);

    bool list_is_new();
    void find_owners();
    void map_sites(std::vector<CHGNetLAMMPS::Remote> &remote);
    void set_part();
    unsigned wanted();
    void add_results();
    void add_virials();
    void fill_properties(unsigned want);
    void fill_property(const char *name, const std::vector<double> &values);
    void report();
    void release();
};

} // namespace LAMMPS_NS

#endif
#endif
