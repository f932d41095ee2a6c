/* -*- c++ -*-
 * What the ranks of LAMMPS tell each other for pair style chgnet: features of atoms and messages of bonds at the
 * borders. Point to point, only what is needed: rows of remote atoms within the reach, rows of short bonds across the
 * border.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 */
#ifndef CHGNET_LAMMPS_EXCHANGE_H
#define CHGNET_LAMMPS_EXCHANGE_H

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/chgnet.h"

namespace CHGNetLAMMPS
{

/** An atom that another rank owns: where it is known by which number, and its ID, the same everywhere. */
struct Remote {
    int rank;
    int32_t index;
    int64_t tag;
};

class Exchange
{
  public:
    explicit Exchange(MPI_Comm world);
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;
    ~Exchange();

    /** Who asks whom for which atoms, until the next call.  All ranks call it.
     *  \param[in,out] remote  sorted by rank; remote atom k has the number n_own + k from then on
     *  \param[in] tags (n_own) IDs of own atoms */
    void plan(const std::vector<int64_t> &tags, std::vector<Remote> &remote);

    /** The functions that the calculator calls; valid while this lives. */
    chgnet_exchange functions();

    int64_t bytes = 0;  /**< sent by this rank since it was zeroed */
    double seconds = 0; /**< spent here by this rank */

  private:
    struct Peer {
        int rank;
        int first, count;             // its atoms among the remote ones
        std::vector<int32_t> asked;   // own atoms that it asks for
        std::vector<int32_t> rows;    // own crossings to its atoms, in the order in which they are sent
        std::vector<int32_t> partner; // for each of them the place among those that it sends; -1: it has none
        int n_theirs = 0;             // crossings that it sends
        std::vector<char> send, receive;
    };
    struct Key { // of a crossing, as its sender sees it
        int64_t own, remote;
        double vector[3];
    };
    class Clock;

    MPI_Comm world;
    int me, n_rank, n_here;
    int n_own = 0;
    std::vector<int64_t> own_tags;
    std::vector<Remote> remote;
    std::vector<Peer> peers;
    std::vector<int> peer_of; // rank -> place among peers, -1
    std::vector<MPI_Request> requests;
    std::vector<int> counts, starts; // own atoms by rank
    std::vector<char> gathered;

    void find_peers(const std::vector<int> &wanted, const std::vector<int> &asked);
    void tell_wishes();
    void swap_buffers(int tag);
    void tell_keys(const std::vector<std::vector<Key>> &mine, std::vector<std::vector<Key>> &theirs);
    static void match(const std::vector<Key> &mine, const std::vector<Key> &theirs, std::vector<int32_t> &partner);
    template <typename real> void add(int width, const Peer &peer, real *rows);

    void spread(size_t row_size, char *rows);
    void collect(int width, bool is_double, void *rows);
    void cross(int64_t n, const chgnet_crossing *crossings);
    void swap(size_t row_size, char *rows);
    void sum(int n, double *values);
    const void *gather(size_t row_size, const void *rows, int64_t *n_all, int64_t *first);
};

} // namespace CHGNetLAMMPS

#endif
