/* Label commands: answers, and every way in which a command can fail.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "search/label.h"
#include "tap.h"

static chgnet_context *ctx;
static chgi_structure pair;

#define FOLDER "label's folder" /* quotes in paths reach the command as they are */

static const char good[] = "2\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 pbc=\"F F F\"\n"
                           "Cu 0 0 0 0.1 0.2 0.3\nS 0 0 2.1 -0.1 -0.2 -0.3\n";

static void write_answer(const char *text)
{
    FILE *file = fopen("answer.tmp", "wb");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        tap_bail("cannot write a temporary file");
}

static chgnet_status run(const char *text, int64_t retries, double limit, chgi_label_job *job)
{
    chgi_label_command command = {text, FOLDER, limit, retries, 1, NULL, NULL};
    *job = (chgi_label_job){.id = 7, .structure = &pair};
    return chgi_label_run(ctx, &command, 1, job);
}

static void fails(const char *text, const char *reason)
{
    chgi_label_job job;
    tap_is_int(run(text, 0, 10, &job), CHGNET_OK, "a failed command is no error of the search");
    tap_ok(job.done && strcmp(job.reason, reason) == 0, "why: %s (expected: %s)", job.reason, reason);
    chgi_label_job_destroy(&job);
}

static void fails_with_answer(const char *answer, const char *reason)
{
    write_answer(answer);
    fails("cp answer.tmp {out}", reason);
}

static void test_good(void)
{
    chgi_label_job job;
    write_answer(good);
    tap_is_int(run("test -s {in} && cp answer.tmp {out}", 0, 10, &job), CHGNET_OK, "a command that answers");
    tap_ok(job.done && !job.reason[0] && job.energy == -1.5 && job.forces && job.forces[5] == -0.3,
           "energy and forces");
    tap_ok(access(FOLDER "/label-7.in.extxyz", F_OK) != 0 && access(FOLDER "/label-7.out.extxyz", F_OK) != 0 &&
               access(FOLDER "/label-7.log", F_OK) != 0,
           "its files are removed");
    chgi_label_job_destroy(&job);
    unlink("once.tmp");
    run("test -e once.tmp && cp answer.tmp {out} || { touch once.tmp; exit 1; }", 1, 10, &job);
    tap_ok(job.done && !job.reason[0], "the second attempt succeeds");
    chgi_label_job_destroy(&job);
    unlink("once.tmp");
}

static void test_bad(void)
{
    fails("exit 3", "the command returned 3; see label-7.log");
    fails("kill -9 $$", "the command was ended by signal 9");
    fails("true", "label's folder/label-7.out.extxyz: cannot be opened: No such file or directory; check the path");
    fails_with_answer(
        "3\nenergy=1 Properties=species:S:1:pos:R:3:forces:R:3\nCu 0 0 0 0 0 0\nS 0 0 2.1 0 0 0\nS 4 0 0 0 0 0\n",
        "the answer has another number of atoms");
    fails_with_answer("2\nenergy=1 Properties=species:S:1:pos:R:3:forces:R:3\nCu 0 0 0 0 0 0\nS 0 0 2.2 0 0 0\n",
                      "the answer has other elements or places; a label command must not move atoms");
    fails_with_answer("2\nProperties=species:S:1:pos:R:3:forces:R:3\nCu 0 0 0 0 0 0\nS 0 0 2.1 0 0 0\n",
                      "the answer has no finite energy (info `energy` or `REF_energy`)");
    fails_with_answer("2\nenergy=nan Properties=species:S:1:pos:R:3:forces:R:3\nCu 0 0 0 0 0 0\nS 0 0 2.1 0 0 0\n",
                      "the answer has no finite energy (info `energy` or `REF_energy`)");
    fails_with_answer("2\nenergy=1 Properties=species:S:1:pos:R:3\nCu 0 0 0\nS 0 0 2.1\n",
                      "the answer has no finite forces (column `forces` or `REF_forces`)");
    chgi_label_job job;
    write_answer("garbage\n\1\2\n");
    run("cp answer.tmp {out}", 0, 10, &job);
    tap_ok(job.done && job.reason[0], "garbage is refused: %s", job.reason);
    chgi_label_job_destroy(&job);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void test_limits(void)
{
    chgi_label_job job;
    double start = seconds();
    run("sleep 30 & sleep 30; wait", 0, 0.2, &job);
    tap_ok(job.done && strcmp(job.reason, "the command ran longer than 0.2 s") == 0 && seconds() - start < 10,
           "a command that hangs is ended, with its children: %s", job.reason);
    chgi_label_job_destroy(&job);
    chgi_label_job jobs[6];
    chgi_label_command command = {"sleep 0.3; cp answer.tmp {out}", FOLDER, 20, 0, 6, NULL, NULL};
    write_answer(good);
    for (int k = 0; k < 6; k++)
        jobs[k] = (chgi_label_job){.id = k, .structure = &pair};
    start = seconds();
    tap_is_int(chgi_label_run(ctx, &command, 6, jobs), CHGNET_OK, "six at one time");
    int done = 0;
    for (int k = 0; k < 6; k++) {
        done += jobs[k].done && !jobs[k].reason[0];
        chgi_label_job_destroy(&jobs[k]);
    }
    tap_is_int(done, 6, "all answered");
}

static bool stop_at_once(void *user)
{
    return ++*(int *)user > 3;
}

static void test_stop(void)
{
    int asked = 0;
    chgi_label_job job = {.id = 1, .structure = &pair};
    chgi_label_command command = {"sleep 30", FOLDER, 60, 0, 1, stop_at_once, &asked};
    double start = seconds();
    tap_is_int(chgi_label_run(ctx, &command, 1, &job), CHGNET_OK, "a stop");
    tap_ok(!job.done && seconds() - start < 10, "leaves the job undone, and does not wait");
    command.folder = "not/there";
    tap_is_int(chgi_label_run(ctx, &command, 1, &job), CHGNET_OK, "after a stop nothing is started");
    command.should_stop = NULL;
    tap_is_int(chgi_label_run(ctx, &command, 1, &job), CHGNET_EIO, "a folder that is not there");
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK || chgi_structure_create(ctx, 2, &pair) != CHGNET_OK)
        tap_bail("no memory");
    pair.numbers[0] = 29;
    pair.numbers[1] = 16;
    pair.positions[5] = 2.1;
    mkdir(FOLDER, 0777);
    test_good();
    test_bad();
    test_limits();
    test_stop();
    (void)!system("rm -rf \"label's folder\" answer.tmp");
    chgi_structure_destroy(&pair);
    chgnet_context_destroy(ctx);
    return tap_done();
}
