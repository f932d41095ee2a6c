/* SPDX-License-Identifier: GPL-2.0-only */
#include "lammps/exchange.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace CHGNetLAMMPS
{

enum { TAG_WISHES = 7301, TAG_SPREAD, TAG_COLLECT, TAG_COUNT, TAG_KEYS, TAG_SWAP };

/** Adds the time it lives to the seconds. */
class Exchange::Clock
{
  public:
    explicit Clock(Exchange *owner) : exchange(owner), start(MPI_Wtime())
    {
    }
    ~Clock()
    {
        exchange->seconds += MPI_Wtime() - start;
    }

  private:
    Exchange *exchange;
    double start;
};

static int count_here(MPI_Comm world)
{
    MPI_Comm here;
    int n = 1;
    MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
    MPI_Comm_size(here, &n);
    MPI_Comm_free(&here);
    return n;
}

Exchange::Exchange(MPI_Comm comm)
{
    MPI_Comm_dup(comm, &world); // nobody else's messages are met here
    MPI_Comm_rank(world, &me);
    MPI_Comm_size(world, &n_rank);
    n_here = count_here(world);
}

Exchange::~Exchange()
{
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (!finalized)
        MPI_Comm_free(&world);
}

/* ---- who asks whom ---------------------------------------------------------------------------- */

void Exchange::find_peers(const std::vector<int> &wanted, const std::vector<int> &asked)
{
    peers.clear();
    peer_of.assign(n_rank, -1);
    for (int rank = 0, first = 0; rank < n_rank; first += wanted[rank++]) {
        if (wanted[rank] == 0 && asked[rank] == 0)
            continue;
        Peer peer;
        peer.rank = rank;
        peer.first = first;
        peer.count = wanted[rank];
        peer.asked.resize(asked[rank]);
        peer_of[rank] = static_cast<int>(peers.size());
        peers.push_back(peer);
    }
}

/* Each rank tells the others by which numbers they know the atoms that it needs. */
void Exchange::tell_wishes()
{
    std::vector<int32_t> indices(remote.size());
    for (size_t k = 0; k < remote.size(); k++)
        indices[k] = remote[k].index;
    requests.clear();
    for (Peer &peer : peers) {
        requests.emplace_back();
        MPI_Irecv(peer.asked.data(), static_cast<int>(peer.asked.size()), MPI_INT32_T, peer.rank, TAG_WISHES, world,
                  &requests.back());
        requests.emplace_back();
        MPI_Isend(indices.data() + peer.first, peer.count, MPI_INT32_T, peer.rank, TAG_WISHES, world, &requests.back());
    }
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
}

void Exchange::plan(const std::vector<int64_t> &tags, std::vector<Remote> &atoms)
{
    Clock clock(this);
    std::vector<int> wanted(n_rank, 0), asked(n_rank, 0);
    std::sort(atoms.begin(), atoms.end(),
              [](const Remote &a, const Remote &b) { return a.rank != b.rank ? a.rank < b.rank : a.tag < b.tag; });
    own_tags = tags;
    n_own = static_cast<int>(tags.size());
    remote = atoms;
    for (const Remote &atom : remote)
        wanted[atom.rank]++;
    MPI_Alltoall(wanted.data(), 1, MPI_INT, asked.data(), 1, MPI_INT, world);
    find_peers(wanted, asked);
    tell_wishes();
    counts.resize(n_rank);
    starts.assign(n_rank + 1, 0);
    MPI_Allgather(&n_own, 1, MPI_INT, counts.data(), 1, MPI_INT, world);
    for (int rank = 0; rank < n_rank; rank++)
        starts[rank + 1] = starts[rank] + counts[rank];
}

/* ---- messages --------------------------------------------------------------------------------- */

/* Each peer's `send` goes there, and fills its `receive`. */
void Exchange::swap_buffers(int tag)
{
    requests.clear();
    for (Peer &peer : peers) {
        if (!peer.receive.empty()) {
            requests.emplace_back();
            MPI_Irecv(peer.receive.data(), static_cast<int>(peer.receive.size()), MPI_BYTE, peer.rank, tag, world,
                      &requests.back());
        }
        if (!peer.send.empty()) {
            requests.emplace_back();
            MPI_Isend(peer.send.data(), static_cast<int>(peer.send.size()), MPI_BYTE, peer.rank, tag, world,
                      &requests.back());
            bytes += static_cast<int64_t>(peer.send.size());
        }
    }
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
}

/* The rows that `which` names, one after another. */
static void pack(const std::vector<int32_t> &which, size_t row_size, const char *rows, std::vector<char> &buffer)
{
    buffer.resize(which.size() * row_size);
    for (size_t k = 0; k < which.size(); k++)
        memcpy(buffer.data() + k * row_size, rows + static_cast<size_t>(which[k]) * row_size, row_size);
}

void Exchange::spread(size_t row_size, char *rows)
{
    Clock clock(this);
    for (Peer &peer : peers) {
        pack(peer.asked, row_size, rows, peer.send);
        peer.receive.resize(static_cast<size_t>(peer.count) * row_size);
    }
    swap_buffers(TAG_SPREAD);
    for (const Peer &peer : peers)
        if (peer.count > 0)
            memcpy(rows + static_cast<size_t>(n_own + peer.first) * row_size, peer.receive.data(), peer.receive.size());
}

template <typename real> void Exchange::add(int width, const Peer &peer, real *rows)
{
    const char *from = peer.receive.data();
    std::vector<real> row(static_cast<size_t>(width));
    for (int32_t atom : peer.asked) {
        memcpy(row.data(), from, row.size() * sizeof(real));
        from += row.size() * sizeof(real);
        for (int c = 0; c < width; c++)
            rows[static_cast<size_t>(atom) * width + c] += row[c];
    }
}

void Exchange::collect(int width, bool is_double, void *rows)
{
    Clock clock(this);
    size_t row_size = static_cast<size_t>(width) * (is_double ? sizeof(double) : sizeof(float));
    for (Peer &peer : peers) {
        const char *from = static_cast<char *>(rows) + static_cast<size_t>(n_own + peer.first) * row_size;
        peer.send.assign(from, from + static_cast<size_t>(peer.count) * row_size);
        peer.receive.resize(peer.asked.size() * row_size);
    }
    swap_buffers(TAG_COLLECT);
    for (const Peer &peer : peers) // in the order of ranks, so that sums have the same bits every time
        if (is_double)
            add(width, peer, static_cast<double *>(rows));
        else
            add(width, peer, static_cast<float *>(rows));
}

/* ---- bonds across the border ------------------------------------------------------------------ */

void Exchange::tell_keys(const std::vector<std::vector<Key>> &mine, std::vector<std::vector<Key>> &theirs)
{
    for (size_t p = 0; p < peers.size(); p++) {
        int n = static_cast<int>(mine[p].size());
        peers[p].send.resize(sizeof n);
        peers[p].receive.resize(sizeof n);
        memcpy(peers[p].send.data(), &n, sizeof n);
    }
    swap_buffers(TAG_COUNT);
    for (size_t p = 0; p < peers.size(); p++) {
        memcpy(&peers[p].n_theirs, peers[p].receive.data(), sizeof peers[p].n_theirs);
        peers[p].send.resize(mine[p].size() * sizeof(Key));
        if (!mine[p].empty())
            memcpy(peers[p].send.data(), mine[p].data(), peers[p].send.size());
        peers[p].receive.resize(static_cast<size_t>(peers[p].n_theirs) * sizeof(Key));
    }
    swap_buffers(TAG_KEYS);
    for (size_t p = 0; p < peers.size(); p++) {
        theirs[p].resize(static_cast<size_t>(peers[p].n_theirs));
        if (!theirs[p].empty())
            memcpy(theirs[p].data(), peers[p].receive.data(), peers[p].receive.size());
    }
}

/* The same bond, seen from its two ends: the atoms change places and the vector is opposite within rounding. */
void Exchange::match(const std::vector<Key> &mine, const std::vector<Key> &theirs, std::vector<int32_t> &partner)
{
    static const double same = 1e-3; // A: far above rounding, far below the distance of images
    std::vector<int32_t> order(theirs.size());
    for (size_t k = 0; k < order.size(); k++)
        order[k] = static_cast<int32_t>(k);
    auto less = [](int64_t a0, int64_t a1, int64_t b0, int64_t b1) { return a0 != b0 ? a0 < b0 : a1 < b1; };
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        return less(theirs[a].remote, theirs[a].own, theirs[b].remote, theirs[b].own);
    });
    partner.assign(mine.size(), -1);
    for (size_t k = 0; k < mine.size(); k++) {
        auto at = std::lower_bound(order.begin(), order.end(), k, [&](int32_t a, size_t m) {
            return less(theirs[a].remote, theirs[a].own, mine[m].own, mine[m].remote);
        });
        for (; at != order.end() && theirs[*at].remote == mine[k].own && theirs[*at].own == mine[k].remote; ++at) {
            const double *a = mine[k].vector, *b = theirs[*at].vector;
            if (std::fabs(a[0] + b[0]) < same && std::fabs(a[1] + b[1]) < same && std::fabs(a[2] + b[2]) < same)
                partner[k] = *at;
        }
    }
}

void Exchange::cross(int64_t n, const chgnet_crossing *crossings)
{
    Clock clock(this);
    std::vector<std::vector<Key>> mine(peers.size()), theirs(peers.size());
    for (Peer &peer : peers)
        peer.rows.clear();
    for (int64_t k = 0; k < n; k++) {
        const Remote &atom = remote[crossings[k].remote - n_own];
        const double *d = crossings[k].vector;
        int p = peer_of[atom.rank];
        peers[p].rows.push_back(static_cast<int32_t>(k));
        mine[p].push_back({own_tags[crossings[k].own], atom.tag, {d[0], d[1], d[2]}});
    }
    tell_keys(mine, theirs);
    for (size_t p = 0; p < peers.size(); p++)
        match(mine[p], theirs[p], peers[p].partner);
}

void Exchange::swap(size_t row_size, char *rows)
{
    Clock clock(this);
    for (Peer &peer : peers) {
        pack(peer.rows, row_size, rows, peer.send);
        peer.receive.resize(static_cast<size_t>(peer.n_theirs) * row_size);
    }
    swap_buffers(TAG_SWAP);
    for (const Peer &peer : peers)
        for (size_t k = 0; k < peer.rows.size(); k++) {
            char *row = rows + static_cast<size_t>(peer.rows[k]) * row_size;
            if (peer.partner[k] < 0)
                memset(row, 0, row_size);
            else
                memcpy(row, peer.receive.data() + static_cast<size_t>(peer.partner[k]) * row_size, row_size);
        }
}

/* ---- all ranks -------------------------------------------------------------------------------- */

void Exchange::sum(int n, double *values)
{
    Clock clock(this);
    MPI_Allreduce(MPI_IN_PLACE, values, n, MPI_DOUBLE, MPI_SUM, world);
}

const void *Exchange::gather(size_t row_size, const void *rows, int64_t *n_all, int64_t *first)
{
    Clock clock(this);
    MPI_Datatype row;
    gathered.resize(static_cast<size_t>(starts[n_rank]) * row_size + 1);
    MPI_Type_contiguous(static_cast<int>(row_size), MPI_BYTE, &row);
    MPI_Type_commit(&row);
    MPI_Allgatherv(rows, n_own, row, gathered.data(), counts.data(), starts.data(), row, world);
    MPI_Type_free(&row);
    bytes += static_cast<int64_t>(row_size) * n_own * (n_rank - 1);
    *n_all = starts[n_rank];
    *first = starts[me];
    return gathered.data();
}

chgnet_exchange Exchange::functions()
{
    chgnet_exchange f = chgnet_exchange_default();
    f.user = this;
    f.n_process = n_here;
    f.spread = [](void *self, size_t row_size, void *rows) {
        static_cast<Exchange *>(self)->spread(row_size, static_cast<char *>(rows));
    };
    f.collect = [](void *self, int width, int is_double, void *rows) {
        static_cast<Exchange *>(self)->collect(width, is_double != 0, rows);
    };
    f.cross = [](void *self, int64_t n, const chgnet_crossing *crossings) {
        static_cast<Exchange *>(self)->cross(n, crossings);
    };
    f.swap = [](void *self, size_t row_size, void *rows) {
        static_cast<Exchange *>(self)->swap(row_size, static_cast<char *>(rows));
    };
    f.sum = [](void *self, int n, double *values) { static_cast<Exchange *>(self)->sum(n, values); };
    f.gather = [](void *self, size_t row_size, const void *rows, int64_t *n_all, int64_t *first) {
        return static_cast<Exchange *>(self)->gather(row_size, rows, n_all, first);
    };
    return f;
}

} // namespace CHGNetLAMMPS
