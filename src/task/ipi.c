/* SPDX-License-Identifier: BSD-3-Clause */
#define _POSIX_C_SOURCE 200809L
#include "task/ipi.h"

#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

enum { HEADER = 12, MOST_INIT = 1 << 20, POLL_MILLISECONDS = 200 };

typedef struct client {
    chgnet_context *ctx;
    const chgi_ipi_choice *choice;
    const chgi_potential *potential;
    chgi_structure *structure;
    int fd;
    bool ready, has_data, first;
    chgi_outcome outcome;
    chgi_text extra;
    double *rows; /* (n_atom,3) bohr or hartree/bohr, on their way */
    int64_t n_done;
} client;

static bool should_stop(const client *c)
{
    return c->choice->should_stop && c->choice->should_stop(c->choice->user);
}

/* ---- bytes ------------------------------------------------------------------------------------ */

static chgnet_status fail_lost(const client *c, const char *why)
{
    return chgi_context_fail(c->ctx, CHGNET_EIO, "the connection to the server is lost: %s", why);
}

/* Read exactly so many bytes.  \param[out] stopped  a stop was asked for, or the server closed, before the first byte
 */
static chgnet_status receive(const client *c, void *data, size_t length, bool *stopped)
{
    size_t got = 0;
    struct pollfd wait = {.fd = c->fd, .events = POLLIN};
    while (got < length) {
        if (stopped && got == 0 && should_stop(c)) {
            *stopped = true;
            return CHGNET_OK;
        }
        if (poll(&wait, 1, POLL_MILLISECONDS) <= 0)
            continue;
        ssize_t n = recv(c->fd, (char *)data + got, length - got, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_lost(c, n == 0 ? "it closed" : strerror(errno));
        got += (size_t)n;
    }
    return CHGNET_OK;
}

static chgnet_status transmit(const client *c, const void *data, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(c->fd, (const char *)data + sent, length - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_lost(c, strerror(errno));
        sent += (size_t)n;
    }
    return CHGNET_OK;
}

static chgnet_status say(const client *c, const char *word)
{
    char header[HEADER + 1];
    snprintf(header, sizeof header, "%-12s", word);
    return transmit(c, header, HEADER);
}

/* ---- connecting ------------------------------------------------------------------------------- */

static chgnet_status connect_unix(client *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *name = c->choice->unix_name;
    int n = snprintf(address.sun_path, sizeof address.sun_path, strchr(name, '/') ? "%s" : "/tmp/ipi_%s", name);
    if (n >= (int)sizeof address.sun_path)
        return chgi_context_fail(c->ctx, CHGNET_EUSAGE, "the socket's name is too long; give a shorter one");
    c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return chgi_context_fail(c->ctx, CHGNET_EIO,
                                 "no server listens at %s: %s; start the server first, or give --retry",
                                 address.sun_path, strerror(errno));
    return CHGNET_OK;
}

static bool try_address(client *c, const struct addrinfo *a)
{
    const int yes = 1;
    c->fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (c->fd >= 0 && connect(c->fd, a->ai_addr, a->ai_addrlen) == 0) {
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* small messages, each waited for */
        return true;
    }
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    return false;
}

static chgnet_status connect_inet(client *c)
{
    char port[16];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    snprintf(port, sizeof port, "%d", c->choice->port);
    int error = getaddrinfo(c->choice->host, port, &hints, &list);
    if (error)
        return chgi_context_fail(c->ctx, CHGNET_EIO, "%s: %s; give the host of the server", c->choice->host,
                                 gai_strerror(error));
    for (const struct addrinfo *a = list; a && c->fd < 0; a = a->ai_next)
        try_address(c, a);
    freeaddrinfo(list);
    if (c->fd >= 0)
        return CHGNET_OK;
    return chgi_context_fail(c->ctx, CHGNET_EIO,
                             "no server listens at %s port %d; start the server first, or give --retry",
                             c->choice->host, c->choice->port);
}

/* ---- messages --------------------------------------------------------------------------------- */

static chgnet_status take_init(client *c)
{
    int32_t numbers[2]; /* of the replica, of bytes that follow */
    CHGI_TRY(receive(c, numbers, sizeof numbers, NULL));
    if (numbers[1] < 0 || numbers[1] > MOST_INIT)
        return chgi_context_fail(c->ctx, CHGNET_EINPUT, "the server's INIT has %d bytes; at most %d are expected",
                                 numbers[1], MOST_INIT);
    for (char byte; numbers[1] > 0; numbers[1]--)
        CHGI_TRY(receive(c, &byte, 1, NULL));
    c->ready = true;
    return CHGNET_OK;
}

static chgnet_status compute(client *c, const double cell[9])
{
    chgi_structure *s = c->structure;
    for (int a = 0; a < 3; a++) /* the wire has cell vectors as columns */
        for (int k = 0; k < 3; k++)
            s->cell[a][k] = cell[3 * k + a] * CHGI_BOHR;
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        s->positions[k] = c->rows[k] * CHGI_BOHR;
    if (c->first)
        CHGI_TRY(c->potential->set_structure(c->potential->self, s));
    else
        CHGI_TRY(c->potential->move(c->potential->self, s->positions, (const double(*)[3])s->cell));
    c->first = false;
    CHGI_TRY(c->potential->compute(c->potential->self, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT | c->choice->want,
                                   &c->outcome));
    if (c->choice->max_std > 0 && c->outcome.energy_std > c->choice->max_std)
        return chgi_context_fail(c->ctx, CHGNET_ENUMERIC,
                                 "the energy's standard deviation is %g eV, beyond --max-std %g; label this structure",
                                 c->outcome.energy_std, c->choice->max_std);
    c->n_done++;
    c->has_data = true;
    if (c->choice->tell)
        c->choice->tell(c->choice->user, c->n_done, &c->outcome);
    return CHGNET_OK;
}

static chgnet_status take_positions(client *c)
{
    double cell[9], inverse[9];
    int32_t n;
    CHGI_TRY(receive(c, cell, sizeof cell, NULL));
    CHGI_TRY(receive(c, inverse, sizeof inverse, NULL));
    CHGI_TRY(receive(c, &n, sizeof n, NULL));
    if (n != c->structure->n_atom)
        return chgi_context_fail(c->ctx, CHGNET_EINPUT,
                                 "the server has %d atoms, the structure file %lld; both must hold the same ones", n,
                                 (long long)c->structure->n_atom);
    CHGI_TRY(receive(c, c->rows, 3 * (size_t)n * sizeof *c->rows, NULL));
    return compute(c, cell);
}

/* What has no place of its own: magmoms and standard deviation, as JSON. */
static void fill_extra(client *c)
{
    chgi_text_clear(&c->extra);
    chgi_text_print(&c->extra, "{\"energy_eV\": ");
    chgi_text_number(&c->extra, c->outcome.energy);
    if (c->outcome.energy_std >= 0) {
        chgi_text_print(&c->extra, ", \"energy_std_eV\": ");
        chgi_text_number(&c->extra, c->outcome.energy_std);
    }
    for (int64_t i = 0; c->outcome.magmoms && i < c->structure->n_atom; i++) {
        chgi_text_print(&c->extra, i ? ", " : ", \"magmoms\": [");
        chgi_text_number(&c->extra, c->outcome.magmoms[i]);
    }
    chgi_text_print(&c->extra, c->outcome.magmoms ? "]}" : "}");
}

static chgnet_status send_forces(client *c)
{
    int32_t n = (int32_t)c->structure->n_atom;
    double energy = c->outcome.energy / CHGI_HARTREE, virial[9];
    for (int k = 0; k < 9; k++)
        virial[k] = -c->outcome.virial[k % 3][k / 3] / CHGI_HARTREE;
    for (int64_t k = 0; k < 3 * (int64_t)n; k++)
        c->rows[k] = c->outcome.forces[k] * CHGI_BOHR / CHGI_HARTREE;
    fill_extra(c);
    if (c->extra.failed)
        return chgi_context_nomem(c->ctx, c->extra.length, 1);
    int32_t length = (int32_t)c->extra.length;
    CHGI_TRY(say(c, "FORCEREADY"));
    CHGI_TRY(transmit(c, &energy, sizeof energy));
    CHGI_TRY(transmit(c, &n, sizeof n));
    CHGI_TRY(transmit(c, c->rows, 3 * (size_t)n * sizeof *c->rows));
    CHGI_TRY(transmit(c, virial, sizeof virial));
    CHGI_TRY(transmit(c, &length, sizeof length));
    CHGI_TRY(transmit(c, c->extra.data, (size_t)length));
    c->has_data = false;
    c->ready = false; /* the server initialises again before the next structure, or sends it at once */
    return CHGNET_OK;
}

static bool is_word(const char header[HEADER], const char *word)
{
    char padded[HEADER + 1];
    snprintf(padded, sizeof padded, "%-12s", word);
    return memcmp(header, padded, HEADER) == 0;
}

static chgnet_status answer(client *c, const char header[HEADER], bool *end)
{
    if (is_word(header, "STATUS"))
        return say(c, c->has_data ? "HAVEDATA" : c->ready ? "READY" : "NEEDINIT");
    if (is_word(header, "INIT"))
        return take_init(c);
    if (is_word(header, "POSDATA"))
        return take_positions(c);
    if (is_word(header, "GETFORCE") && c->has_data)
        return send_forces(c);
    *end = is_word(header, "EXIT");
    if (*end)
        return CHGNET_OK;
    return chgi_context_fail(c->ctx, CHGNET_EINPUT,
                             "the server says '%.12s', which is no message of the i-PI protocol here", header);
}

chgnet_status chgi_ipi_serve(chgnet_context *ctx, const chgi_ipi_choice *choice, const chgi_potential *potential,
                             chgi_structure *structure, int64_t *n_done)
{
    client c = {.ctx = ctx, .choice = choice, .potential = potential, .structure = structure, .fd = -1, .first = true};
    size_t n = (size_t)structure->n_atom;
    bool end = false;
    c.rows = chgi_memory_new(n, 3 * sizeof *c.rows);
    chgnet_status status = !c.rows        ? chgi_context_nomem(ctx, n, 3 * sizeof *c.rows)
                           : choice->host ? connect_inet(&c)
                                          : connect_unix(&c);
    while (status == CHGNET_OK && !end) {
        char header[HEADER];
        status = receive(&c, header, HEADER, &end);
        if (status == CHGNET_OK && !end)
            status = answer(&c, header, &end);
    }
    if (c.fd >= 0)
        close(c.fd);
    chgi_text_destroy(&c.extra);
    chgi_memory_free(c.rows);
    *n_done = c.n_done;
    return status;
}
