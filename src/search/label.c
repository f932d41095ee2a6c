/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/label.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "crystal/reader.h"
#include "crystal/writer.h"

extern char **environ;

enum { LONGEST_PATH = 4096, POLL_NANOSECONDS = 5000000 };

/** Atoms may come back this much elsewhere (A): the digits of a program that writes few. */
#define SAME_PLACE 1e-3

/* A job that is being run. */
typedef struct running {
    chgi_label_job *job;
    pid_t pid; /* of the command, which leads a group of its own; 0: this place is free */
    double started;
    int64_t attempts;
} running;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void path_of(const chgi_label_command *command, const chgi_label_job *job, const char *suffix,
                    char path[LONGEST_PATH])
{
    snprintf(path, LONGEST_PATH, "%s/label-%lld%s", command->folder, (long long)job->id, suffix);
}

/* ---- starting --------------------------------------------------------------------------------- */

/* A path as one word of the shell. */
static void add_quoted(chgi_text *text, const char *path)
{
    chgi_text_append(text, "'", 1);
    for (; *path; path++)
        if (*path == '\'')
            chgi_text_append(text, "'\\''", 4);
        else
            chgi_text_append(text, path, 1);
    chgi_text_append(text, "'", 1);
}

static chgnet_status fill_in(chgnet_context *ctx, const chgi_label_command *command, const chgi_label_job *job,
                             chgi_text *line)
{
    char path[LONGEST_PATH];
    for (const char *c = command->command; *c;) {
        bool in = strncmp(c, "{in}", 4) == 0, out = strncmp(c, "{out}", 5) == 0;
        if (!in && !out) {
            chgi_text_append(line, c++, 1);
            continue;
        }
        path_of(command, job, in ? ".in.extxyz" : ".out.extxyz", path);
        add_quoted(line, path);
        c += in ? 4 : 5;
    }
    return line->failed ? chgi_context_nomem(ctx, line->length, 1) : CHGNET_OK;
}

static chgnet_status write_question(chgnet_context *ctx, const chgi_label_command *command, const chgi_label_job *job)
{
    char path[LONGEST_PATH];
    chgi_text text = {0};
    path_of(command, job, ".out.extxyz", path);
    unlink(path); /* what an earlier attempt left is no answer to this one */
    path_of(command, job, ".in.extxyz", path);
    chgnet_status status = chgi_extxyz_write(ctx, &text, job->structure);
    if (status == CHGNET_OK)
        status = chgi_file_write(ctx, path, text.data, text.length);
    chgi_text_destroy(&text);
    return status;
}

/* The shell in a group of its own, so that a time limit ends its children too; signals as a new program has them. */
static int spawn(const char *line, const char *log, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char name[] = "sh", option[] = "-c", *arguments[] = {name, option, (char *)(uintptr_t)line, NULL};
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(pid, "/bin/sh", &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

static chgnet_status start(chgnet_context *ctx, const chgi_label_command *command, running *r)
{
    char log[LONGEST_PATH];
    chgi_text line = {0};
    chgnet_status status;
    CHGI_TRY_CLEANUP(write_question(ctx, command, r->job));
    CHGI_TRY_CLEANUP(fill_in(ctx, command, r->job, &line));
    path_of(command, r->job, ".log", log);
    int error = spawn(line.data, log, &r->pid);
    if (error) {
        r->pid = 0;
        status = chgi_context_fail(ctx, CHGNET_EIO, "the label command cannot be started: %s", strerror(error));
    }
    r->started = now();
    r->attempts++;
cleanup:
    chgi_text_destroy(&line);
    return status;
}

/* ---- the answer ------------------------------------------------------------------------------- */

static bool is_same_crystal(const chgi_structure *a, const chgi_structure *b)
{
    if (a->n_atom != b->n_atom)
        return false;
    for (int64_t i = 0; i < a->n_atom; i++)
        if (a->numbers[i] != b->numbers[i])
            return false;
    for (int64_t k = 0; k < 3 * a->n_atom; k++)
        if (!(fabs(a->positions[k] - b->positions[k]) < SAME_PLACE))
            return false;
    return true;
}

static bool take_energy(const chgi_structure *answer, double *energy)
{
    const char *text = chgi_structure_info(answer, "REF_energy");
    if (!text)
        text = chgi_structure_info(answer, "energy");
    return text && chgi_text_to_double(text, strlen(text), energy) && isfinite(*energy);
}

static bool take_forces(const chgi_structure *answer, double *forces)
{
    const chgi_column *column = chgi_structure_column(answer, "REF_forces");
    if (!column)
        column = chgi_structure_column(answer, "forces");
    if (!column || column->type != 'R' || column->width != 3)
        return false;
    for (int64_t k = 0; k < 3 * answer->n_atom; k++) {
        if (!isfinite(column->data[k]))
            return false;
        forces[k] = column->data[k];
    }
    return true;
}

/* NULL, or what is wrong with the answer. */
static const char *check_answer(chgi_label_job *job, const chgi_structure *answer)
{
    if (answer->n_atom != job->structure->n_atom)
        return "the answer has another number of atoms";
    if (!is_same_crystal(job->structure, answer))
        return "the answer has other elements or places; a label command must not move atoms";
    if (!take_energy(answer, &job->energy))
        return "the answer has no finite energy (info `energy` or `REF_energy`)";
    if (!take_forces(answer, job->forces))
        return "the answer has no finite forces (column `forces` or `REF_forces`)";
    return NULL;
}

static chgnet_status read_answer(const chgi_label_command *command, chgi_label_job *job)
{
    char path[LONGEST_PATH];
    chgnet_context *own; /* a bad answer is a failed label, not an error of the search */
    chgi_reader *reader = NULL;
    chgi_structure answer = {0};
    bool got = false;
    CHGI_TRY(chgnet_context_create(&own));
    path_of(command, job, ".out.extxyz", path);
    job->forces = chgi_memory_new((size_t)job->structure->n_atom, 3 * sizeof(double));
    chgnet_status status = job->forces ? chgi_reader_open(own, path, &reader) : CHGNET_ENOMEM;
    if (status == CHGNET_OK)
        status = chgi_reader_next(reader, &answer, &got);
    const char *wrong = NULL;
    if (status == CHGNET_OK)
        wrong = got ? check_answer(job, &answer) : "the answer is empty";
    else if (status != CHGNET_ENOMEM)
        wrong = chgnet_context_error(own);
    if (wrong)
        snprintf(job->reason, sizeof job->reason, "%s", wrong);
    chgi_structure_destroy(&answer);
    chgi_reader_destroy(reader);
    chgnet_context_destroy(own);
    return status == CHGNET_ENOMEM ? status : CHGNET_OK;
}

static void remove_files(const chgi_label_command *command, const chgi_label_job *job)
{
    static const char *const suffixes[] = {".in.extxyz", ".out.extxyz", ".log"};
    char path[LONGEST_PATH];
    for (int k = 0; k < 3; k++) {
        path_of(command, job, suffixes[k], path);
        unlink(path);
    }
}

/* ---- running ---------------------------------------------------------------------------------- */

/* The command has ended, by itself or at its limit. */
static chgnet_status take_end(const chgi_label_command *command, running *r, int state, bool late)
{
    chgi_label_job *job = r->job;
    r->pid = 0;
    job->reason[0] = 0;
    chgi_memory_free(job->forces);
    job->forces = NULL;
    if (late)
        snprintf(job->reason, sizeof job->reason, "the command ran longer than %g s", command->time_limit);
    else if (WIFSIGNALED(state))
        snprintf(job->reason, sizeof job->reason, "the command was ended by signal %d", WTERMSIG(state));
    else if (WEXITSTATUS(state) != 0)
        snprintf(job->reason, sizeof job->reason, "the command returned %d; see label-%lld.log", WEXITSTATUS(state),
                 (long long)job->id);
    else
        CHGI_TRY(read_answer(command, job));
    job->done = true;
    if (!job->reason[0])
        remove_files(command, job);
    return CHGNET_OK;
}

/* Look after one place: has its command ended, or used up its time? */
static chgnet_status look_after(chgnet_context *ctx, const chgi_label_command *command, running *r)
{
    int state = 0;
    bool late = now() - r->started > command->time_limit;
    if (late) {
        kill(-r->pid, SIGKILL);
        while (waitpid(r->pid, &state, 0) < 0 && errno == EINTR)
            continue;
    } else if (waitpid(r->pid, &state, WNOHANG) != r->pid)
        return CHGNET_OK;
    CHGI_TRY(take_end(command, r, state, late));
    if (!r->job->reason[0] || r->attempts > command->retries)
        return CHGNET_OK;
    r->job->done = false;
    return start(ctx, command, r);
}

static void end_all(running *places, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        if (places[k].pid == 0)
            continue;
        kill(-places[k].pid, SIGKILL);
        while (waitpid(places[k].pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        places[k].pid = 0;
    }
}

/* One round over all places.  \param[out] busy  places with a command */
static chgnet_status go_round(chgnet_context *ctx, const chgi_label_command *command, int64_t n_job,
                              chgi_label_job *jobs, int64_t *next, running *places, int64_t *busy)
{
    *busy = 0;
    for (int64_t k = 0; k < command->parallel; k++) {
        if (places[k].pid)
            CHGI_TRY(look_after(ctx, command, &places[k]));
        if (!places[k].pid && *next < n_job) {
            places[k] = (running){.job = &jobs[(*next)++]};
            CHGI_TRY(start(ctx, command, &places[k]));
        }
        *busy += places[k].pid != 0;
    }
    return CHGNET_OK;
}

chgnet_status chgi_label_run(chgnet_context *ctx, const chgi_label_command *command, int64_t n_job,
                             chgi_label_job *jobs)
{
    size_t n = (size_t)command->parallel;
    running *places = chgi_memory_new(n, sizeof *places);
    if (!places)
        return chgi_context_nomem(ctx, n, sizeof *places);
    const struct timespec pause = {0, POLL_NANOSECONDS};
    int64_t next = 0, busy = 1;
    chgnet_status status = CHGNET_OK;
    while (status == CHGNET_OK && (busy > 0 || next < n_job)) {
        if (command->should_stop && command->should_stop(command->user))
            break;
        status = go_round(ctx, command, n_job, jobs, &next, places, &busy);
        if (busy > 0)
            nanosleep(&pause, NULL);
    }
    end_all(places, command->parallel);
    chgi_memory_free(places);
    return status;
}

void chgi_label_job_destroy(chgi_label_job *job)
{
    chgi_memory_free(job->forces);
    job->forces = NULL;
}
