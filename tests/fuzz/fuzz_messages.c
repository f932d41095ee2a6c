/* Targets: configuration files, and messages of an i-PI server.  The messages come from the input: the linker sends the
 * client's calls of connect, poll, recv and send here (tests/hard.am, WRAP_FUZZ), so that there is no server.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/context.h"
#include "fuzz.h"
#include "search/config.h"
#include "task/ipi.h"
#include "../springs.h"

void fuzz_ini(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    chgi_search_config config;
    chgnet_status status = chgi_search_config_read(ctx, fuzz_file(bytes, length), &config);
    if (status == CHGNET_OK)
        chgi_search_config_destroy(&config);
    else if (status != CHGNET_EIO) /* a path in it may be one that cannot be read */
        fuzz_check_refusal(ctx, status);
    chgnet_context_destroy(ctx);
}

/* ---- i-PI ------------------------------------------------------------------------------------- */

static const uint8_t *message;
static size_t message_left;

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __wrap_recv(int fd, void *buffer, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *buffer, size_t length, int flags);

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)fd, (void)address, (void)length;
    return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    (void)count, (void)timeout;
    fds[0].revents = POLLIN;
    return 1;
}

/* In pieces of 7 bytes, as a network may bring them. */
ssize_t __wrap_recv(int fd, void *buffer, size_t length, int flags)
{
    (void)fd, (void)flags;
    size_t n = length < message_left ? length : message_left;
    n = n < 7 ? n : 7;
    memcpy(buffer, message, n);
    message += n;
    message_left -= n;
    return (ssize_t)n;
}

ssize_t __wrap_send(int fd, const void *buffer, size_t length, int flags)
{
    (void)fd, (void)buffer, (void)flags;
    return (ssize_t)length;
}

void fuzz_ipi(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    springs potential_of = {.ctx = ctx, .stiffness = {1, 2}, .factor = 1, .std = -1};
    chgi_potential potential = springs_potential(&potential_of);
    chgi_ipi_choice choice = {.unix_name = "fuzz"};
    chgi_structure s;
    int64_t n_done = 0;
    if (chgi_structure_create(ctx, 2, &s) != CHGNET_OK)
        fuzz_broken("no memory");
    for (int k = 0; k < 3; k++) {
        s.cell[k][k] = 4;
        s.pbc[k] = true;
        s.positions[3 + k] = 2;
    }
    s.numbers[0] = 12;
    s.numbers[1] = 8;
    message = bytes;
    message_left = length;
    chgnet_status status = chgi_ipi_serve(ctx, &choice, &potential, &s, &n_done);
    if (status != CHGNET_OK && status != CHGNET_EIO && status != CHGNET_ENUMERIC) /* EIO: the message ends */
        fuzz_check_refusal(ctx, status);
    chgi_structure_destroy(&s);
    chgnet_context_destroy(ctx);
}
