/* The i-PI client against a small server in a second process: a conversation, and servers that misbehave.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calc/lennard_jones.h"
#include "tap.h"
#include "task/ipi.h"

enum { N = 3, HEADER = 12 };

static chgnet_context *ctx;
static char path[64];

/* ---- the server, in a process of its own: its exit status tells what went wrong -------------------------------------
 */

static void put(int fd, const void *data, size_t length)
{
    if (write(fd, data, length) != (ssize_t)length)
        _exit(101);
}

static void get(int fd, void *data, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t n = read(fd, (char *)data + got, length - got);
        if (n <= 0)
            _exit(102);
        got += (size_t)n;
    }
}

static void say(int fd, const char *word)
{
    char header[HEADER + 1];
    snprintf(header, sizeof header, "%-12s", word);
    put(fd, header, HEADER);
}

static void expect(int fd, const char *word)
{
    char header[HEADER], want[HEADER + 1];
    snprintf(want, sizeof want, "%-12s", word);
    get(fd, header, HEADER);
    if (memcmp(header, want, HEADER) != 0)
        _exit(103);
}

static void send_cell(int fd, int32_t n)
{
    const double cell[9] = {20, 0, 0, 0, 20, 0, 0, 0, 20};
    say(fd, "POSDATA");
    put(fd, cell, sizeof cell);
    put(fd, cell, sizeof cell);
    put(fd, &n, sizeof n);
}

static void send_positions(int fd, const double *positions)
{
    double bohr[3 * N];
    for (int k = 0; k < 3 * N; k++)
        bohr[k] = positions[k] / CHGI_BOHR;
    send_cell(fd, N);
    put(fd, bohr, sizeof bohr);
}

static void initialise(int fd)
{
    const int32_t numbers[2] = {0, 5};
    say(fd, "STATUS");
    expect(fd, "NEEDINIT");
    say(fd, "INIT");
    put(fd, numbers, sizeof numbers);
    put(fd, "hello", 5);
    say(fd, "STATUS");
    expect(fd, "READY");
}

/* Energies and forces as they come over the wire must be those of a direct call. */
static void converse(int fd, const double *positions, const chgi_outcome *want)
{
    double energy, forces[3 * N], virial[9];
    int32_t n, length;
    char extra[512] = "";
    initialise(fd);
    for (int round = 0; round < 2; round++) {
        send_positions(fd, positions);
        say(fd, "STATUS");
        expect(fd, "HAVEDATA");
        say(fd, "GETFORCE");
        expect(fd, "FORCEREADY");
        get(fd, &energy, sizeof energy);
        get(fd, &n, sizeof n);
        get(fd, forces, sizeof forces);
        get(fd, virial, sizeof virial);
        get(fd, &length, sizeof length);
        if (n != N || length < 2 || length >= (int32_t)sizeof extra)
            _exit(104);
        get(fd, extra, (size_t)length);
        /* positions went through a division and a product: a few units in the last place, times slopes of 1e2 */
        if (fabs(energy * CHGI_HARTREE - want->energy) > 1e-11)
            _exit(105);
        for (int k = 0; k < 3 * N; k++)
            if (fabs(forces[k] * CHGI_HARTREE / CHGI_BOHR - want->forces[k]) > 1e-10)
                _exit(106);
        for (int k = 0; k < 9; k++)
            if (fabs(virial[k] * CHGI_HARTREE + want->virial[k / 3][k % 3]) > 1e-10)
                _exit(107);
        if (extra[0] != '{' || extra[length - 1] != '}')
            _exit(108);
    }
    say(fd, "EXIT");
}

typedef void (*script)(int fd, const double *positions, const chgi_outcome *want);

static void other_atoms(int fd, const double *positions, const chgi_outcome *want)
{
    (void)positions;
    (void)want;
    initialise(fd);
    send_cell(fd, N + 1);
    (void)!read(fd, &(char){0}, 1);
}

static void garbage(int fd, const double *positions, const chgi_outcome *want)
{
    (void)positions;
    (void)want;
    say(fd, "GET / HTTP");
    (void)!read(fd, &(char){0}, 1);
}

static void huge_init(int fd, const double *positions, const chgi_outcome *want)
{
    const int32_t numbers[2] = {0, INT32_MAX};
    (void)positions;
    (void)want;
    say(fd, "INIT");
    put(fd, numbers, sizeof numbers);
    (void)!read(fd, &(char){0}, 1);
}

static void hang_up(int fd, const double *positions, const chgi_outcome *want)
{
    (void)positions;
    (void)want;
    initialise(fd);
    say(fd, "POSDATA");
}

static pid_t start_server(script play, const double *positions, const chgi_outcome *want)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0)
        tap_bail("no socket");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = accept(listener, NULL, NULL);
        play(fd, positions, want);
        close(fd);
        _exit(0);
    }
    close(listener);
    return pid;
}

static void serve(script play, const chgi_potential *lj, const chgi_structure *start, const chgi_outcome *want,
                  chgnet_status expected, int64_t structures, const char *name)
{
    chgi_structure s = {0};
    int64_t n_done;
    int state;
    if (chgi_structure_copy(ctx, start, &s) != CHGNET_OK)
        tap_bail("no memory");
    pid_t server = start_server(play, start->positions, want);
    chgi_ipi_choice choice = {.unix_name = path};
    chgnet_status status = chgi_ipi_serve(ctx, &choice, lj, &s, &n_done);
    waitpid(server, &state, 0);
    tap_ok(status == expected, "%s: status %d, expected %d (%s)", name, status, expected,
           status ? chgnet_context_error(ctx) : "done");
    tap_ok(n_done == structures, "%s: %d structures", name, (int)n_done);
    tap_ok(WIFEXITED(state) && WEXITSTATUS(state) == 0, "%s: the server is content (%d)", name, WEXITSTATUS(state));
    chgi_structure_destroy(&s);
}

static bool stop_at_once(void *user)
{
    (void)user;
    return true;
}

static void wait_for_ever(int fd, const double *positions, const chgi_outcome *want)
{
    (void)positions;
    (void)want;
    (void)!read(fd, &(char){0}, 1);
}

static void test_stop(const chgi_potential *lj, chgi_structure *s)
{
    int64_t n_done;
    chgi_ipi_choice choice = {.unix_name = path, .should_stop = stop_at_once};
    pid_t server = start_server(wait_for_ever, s->positions, NULL);
    tap_is_int(chgi_ipi_serve(ctx, &choice, lj, s, &n_done), CHGNET_OK, "a stop ends the wait");
    waitpid(server, NULL, 0);
    unlink(path);
    tap_is_int(chgi_ipi_serve(ctx, &choice, lj, s, &n_done), CHGNET_EIO, "no server");
    choice = (chgi_ipi_choice){.host = "localhost", .port = 1};
    tap_is_int(chgi_ipi_serve(ctx, &choice, lj, s, &n_done), CHGNET_EIO, "no server at a port");
}

int main(void)
{
    chgi_structure s = {0};
    chgi_potential lj;
    chgi_outcome want;
    const double positions[3 * N] = {0, 0, 0, 1.1, 0.1, 0, 0.3, 1.2, 0.2};
    snprintf(path, sizeof path, "./ipi-%ld.tmp", (long)getpid());
    if (chgnet_context_create(&ctx) != CHGNET_OK || chgi_structure_create(ctx, N, &s) != CHGNET_OK ||
        chgi_lennard_jones_create(ctx, &lj) != CHGNET_OK)
        tap_bail("no memory");
    memcpy(s.positions, positions, sizeof positions);
    chgi_potential direct;
    if (chgi_lennard_jones_create(ctx, &direct) != CHGNET_OK || direct.set_structure(direct.self, &s) != CHGNET_OK ||
        direct.compute(direct.self, CHGNET_WANT_GRADIENT, &want) != CHGNET_OK)
        tap_bail("no energy");
    serve(converse, &lj, &s, &want, CHGNET_OK, 2, "a conversation");
    serve(other_atoms, &lj, &s, &want, CHGNET_EINPUT, 0, "another number of atoms");
    serve(garbage, &lj, &s, &want, CHGNET_EINPUT, 0, "another protocol");
    serve(huge_init, &lj, &s, &want, CHGNET_EINPUT, 0, "an INIT of 2 GB");
    serve(hang_up, &lj, &s, &want, CHGNET_EIO, 0, "a server that hangs up");
    test_stop(&lj, &s);
    lj.destroy(lj.self);
    direct.destroy(direct.self);
    chgi_structure_destroy(&s);
    chgnet_context_destroy(ctx);
    return tap_done();
}
