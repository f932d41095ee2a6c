/* Trajectories: what a frame holds, files that are cut back to a mark and go on, H5MD in closed files.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "crystal/reader.h"
#include "store/h5_large.h"
#include "task/md.h"
#include "task/trajectory.h"
#include "tap.h"

static chgnet_context *ctx;

static const chgi_column_name columns[] = {{"potential_eV", "potential_energy", "eV"},
                                           {"temperature_K", "temperature", "K"},
                                           {"odd", "odd", ""}};

enum { N_ATOM = 4, N_FEATURE = 5 };

/* A run of frames whose numbers are all different. */
typedef struct sample {
    chgi_structure structure;
    double masses[N_ATOM], velocities[3 * N_ATOM], forces[3 * N_ATOM], magmoms[N_ATOM];
    double *embeddings, values[3];
    chgi_trajectory_plan plan;
} sample;

static void make_sample(sample *s, const char *path, const char *log, int n_feature)
{
    *s = (sample){0};
    if (chgi_structure_create(ctx, N_ATOM, &s->structure) != CHGNET_OK)
        tap_bail("no memory");
    for (int i = 0; i < N_ATOM; i++) {
        s->structure.numbers[i] = 12 - 4 * (i % 2);
        s->masses[i] = i % 2 ? 15.999 : 24.305;
        s->structure.pbc[i % 3] = true;
    }
    s->embeddings = chgi_memory_new((size_t)(N_ATOM * n_feature), sizeof(double));
    s->plan = (chgi_trajectory_plan){.path = path,
                                     .log = log,
                                     .structure = &s->structure,
                                     .masses = s->masses,
                                     .creator = "9.9",
                                     .n_feature = n_feature,
                                     .magmoms = true,
                                     .n_column = 3,
                                     .columns = columns};
}

static void free_sample(sample *s)
{
    chgi_structure_destroy(&s->structure);
    chgi_memory_free(s->embeddings);
}

static chgi_frame frame_of(sample *s, int64_t number)
{
    double base = (double)number + 1.0 / 3;
    chgi_frame frame = {.step = 100000 * number, .time = 0.5 * (double)number, .energy = -10 - base};
    for (int i = 0; i < 3 * N_ATOM; i++) {
        s->structure.positions[i] = base + i;
        s->velocities[i] = 1e-3 * base * (i - 5);
        s->forces[i] = base - 3 * i;
    }
    for (int i = 0; i < N_ATOM; i++)
        s->magmoms[i] = base / (i + 1);
    for (int i = 0; i < N_ATOM * s->plan.n_feature; i++)
        s->embeddings[i] = base * i;
    for (int k = 0; k < 9; k++) {
        frame.cell[k / 3][k % 3] = k % 4 ? 0.25 * base : 20 + base;
        frame.stress[k / 3][k % 3] = 160.21766208 * (k % 4 ? 0.5 : base);
    }
    s->values[0] = frame.energy;
    s->values[1] = 300 * base;
    s->values[2] = number % 2 ? NAN : 1e300;
    frame.positions = s->structure.positions;
    frame.velocities = s->velocities;
    frame.forces = s->forces;
    frame.magmoms = s->magmoms;
    frame.embeddings = s->embeddings;
    frame.values = s->values;
    return frame;
}

static chgi_trajectory *open_new(sample *s)
{
    chgi_trajectory *t;
    if (chgi_trajectory_open(ctx, &s->plan, NULL, &t) != CHGNET_OK || chgi_trajectory_clear(ctx, t) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    return t;
}

static void add_frames(sample *s, chgi_trajectory *t, int64_t first, int64_t end)
{
    for (int64_t number = first; number < end; number++) {
        chgi_frame frame = frame_of(s, number);
        if (chgi_trajectory_add(ctx, t, &frame) != CHGNET_OK)
            tap_bail(chgnet_context_error(ctx));
    }
}

static void end(chgi_trajectory *t)
{
    if (chgi_trajectory_finish(ctx, t) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    chgi_trajectory_destroy(t);
}

static bool same_files(const char *a, const char *b)
{
    char *data[2];
    size_t length[2];
    if (chgi_file_read(ctx, a, &data[0], &length[0]) != CHGNET_OK)
        return false;
    if (chgi_file_read(ctx, b, &data[1], &length[1]) != CHGNET_OK) {
        chgi_memory_free(data[0]);
        return false;
    }
    bool same = length[0] == length[1] && memcmp(data[0], data[1], length[0]) == 0;
    chgi_memory_free(data[0]);
    chgi_memory_free(data[1]);
    return same;
}

static void append_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        tap_bail("cannot append");
}

/* ---- contents --------------------------------------------------------------------------------- */

static void test_extxyz(void)
{
    sample s;
    chgi_reader *reader;
    chgi_structure got;
    bool any;
    make_sample(&s, "content.extxyz", "content.csv", 0);
    chgi_trajectory *t = open_new(&s);
    add_frames(&s, t, 0, 3);
    tap_ok(access("content.extxyz", F_OK) == 0, "frames can be read while it runs");
    chgi_frame frame = frame_of(&s, 0);
    if (chgi_reader_open(ctx, "content.extxyz", &reader) != CHGNET_OK ||
        chgi_reader_next(reader, &got, &any) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    tap_is_text(chgi_structure_info(&got, "step"), "0", "extended XYZ: step");
    tap_is_text(chgi_structure_info(&got, "energy"), "-10.333333333333334", "extended XYZ: energy in eV, all digits");
    const char *stress = chgi_structure_info(&got, "stress");
    tap_near(stress ? strtod(stress, NULL) : NAN, 1.0 / 3, 1e-15, "extended XYZ: stress in eV/A^3");
    const chgi_column *momenta = chgi_structure_column(&got, "momenta"),
                      *forces = chgi_structure_column(&got, "forces");
    tap_ok(momenta && forces && chgi_structure_column(&got, "magmoms"), "extended XYZ: momenta, forces, magmoms");
    /* 1 fs is 0.09822694788 A sqrt(amu/eV); the constant is known to ten digits here. */
    tap_near(momenta->data[0], 24.305 * frame.velocities[0] / 0.09822694788, 1e-10,
             "extended XYZ: momenta in ASE's units");
    tap_near(forces->data[11], frame.forces[11], 0, "extended XYZ: forces");
    tap_near(got.cell[0][0], frame.cell[0][0], 0, "extended XYZ: cell");
    chgi_structure_destroy(&got);
    if (chgi_reader_next(reader, &got, &any) != CHGNET_OK || !any)
        tap_bail(chgnet_context_error(ctx));
    tap_is_text(chgi_structure_info(&got, "step"), "100000", "extended XYZ: a large step is a whole number");
    chgi_structure_destroy(&got);
    chgi_reader_destroy(reader);
    end(t);
    char *table;
    size_t length;
    if (chgi_file_read(ctx, "content.csv", &table, &length) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    tap_is_text(table,
                "step,time_fs,potential_eV,temperature_K,odd\n0,0,-10.333333333333334,100,1e+300\n"
                "100000,0.5,-11.333333333333334,400,\n200000,1,-12.333333333333334,700,1e+300\n",
                "table: names, all digits, nothing where a number is not defined");
    chgi_memory_free(table);
    free_sample(&s);
}

static double row(chgi_h5 *file, const char *group, int64_t frame, int64_t place, int64_t n_word)
{
    double values[64];
    if (n_word > 64 || chgi_h5_read_rows(ctx, file, group, "value", CHGI_H5_DOUBLE, frame, 1, values) != CHGNET_OK)
        return NAN;
    return values[place];
}

static void test_h5md(void)
{
    sample s;
    chgi_h5 *file;
    make_sample(&s, "content.h5", NULL, N_FEATURE);
    chgi_trajectory *t = open_new(&s);
    add_frames(&s, t, 0, 3);
    end(t);
    tap_ok(access("content.h5.part", F_OK) != 0, "H5MD: the part is gone at the end");
    chgi_frame frame = frame_of(&s, 2);
    if (chgi_h5_open_large(ctx, "content.h5", &file) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    tap_near(row(file, "particles/trajectory/position", 2, 7, 12), frame.positions[7], 0, "H5MD: position");
    tap_near(row(file, "particles/trajectory/velocity", 2, 7, 12), frame.velocities[7], 0, "H5MD: velocity");
    /* 1 eV is 96.485332 kJ/mol. */
    tap_near(row(file, "particles/trajectory/force", 2, 7, 12), frame.forces[7] * 96.485332123, 1e-6, "H5MD: force");
    tap_near(row(file, "particles/trajectory/box/edges", 2, 4, 9), frame.cell[1][1], 0, "H5MD: edges");
    tap_near(row(file, "observables/trajectory/magmom", 2, 1, 4), frame.magmoms[1], 0,
             "H5MD: magmom, by its second name");
    tap_near(row(file, "particles/trajectory/atom_fea", 2, 19, 20), frame.embeddings[19], 0, "H5MD: embedding");
    tap_near(row(file, "observables/stress", 2, 0, 9), frame.stress[0][0], 0, "H5MD: stress");
    tap_near(row(file, "observables/temperature", 2, 0, 1), frame.values[1], 0, "H5MD: observable");
    int64_t step = -1, shape[CHGI_H5_MAX_RANK];
    tap_ok(chgi_h5_read_rows(ctx, file, "observables/temperature", "step", CHGI_H5_INT64, 2, 1, &step) == CHGNET_OK &&
               step == 200000,
           "H5MD: step");
    tap_ok(chgi_h5_shape(ctx, file, "particles/trajectory", "mass", CHGI_H5_DOUBLE, 1, shape, NULL) == CHGNET_OK &&
               shape[0] == N_ATOM,
           "H5MD: masses");
    chgi_h5_destroy(file);
    free_sample(&s);
}

/* ---- stopped and resumed ---------------------------------------------------------------------- */

static chgi_trajectory_mark mark_now(chgi_trajectory *t)
{
    chgi_trajectory_mark mark;
    if (chgi_trajectory_sync(ctx, t, &mark) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    return mark;
}

/* N frames with a mark after each tenth part; at every mark in turn the run is torn a little later and resumed there.
 */
static void test_resumed(const char *suffix, int n_feature, int64_t n)
{
    char whole[64], torn[64], part[80];
    snprintf(whole, sizeof whole, "whole.%s", suffix);
    snprintf(torn, sizeof torn, "torn.%s", suffix);
    snprintf(part, sizeof part, "%s%s", torn, strcmp(suffix, "h5") == 0 ? ".part" : "");
    sample s, s2;
    make_sample(&s, whole, "whole.csv", n_feature);
    make_sample(&s2, torn, "torn.csv", n_feature);
    chgi_trajectory *t = open_new(&s);
    add_frames(&s, t, 0, n);
    end(t);

    chgi_trajectory_mark mark = {0};
    t = open_new(&s2);
    for (int tenth = 0; tenth < 10; tenth++) {
        int64_t from = n * tenth / 10, to = n * (tenth + 1) / 10;
        mark = mark_now(t);
        if (tenth % 3 == 1 && chgi_trajectory_publish(ctx, t) != CHGNET_OK)
            tap_bail(chgnet_context_error(ctx));
        add_frames(&s2, t, from, to);
        if (tenth % 2 && chgi_trajectory_publish(ctx, t) != CHGNET_OK) /* newer than the mark */
            tap_bail(chgnet_context_error(ctx));
        chgi_trajectory_destroy(t);
        append_text(part, "torn");
        append_text("torn.csv", "17");
        if (chgi_trajectory_open(ctx, &s2.plan, &mark, &t) != CHGNET_OK)
            tap_bail(chgnet_context_error(ctx));
        add_frames(&s2, t, from, to);
    }
    tap_is_int(chgi_trajectory_count(t), n, "all frames are counted");
    end(t);
    tap_ok(same_files(whole, torn), "%s, %lld frames: stopped and resumed ten times, the file has the same bytes",
           suffix, (long long)n);
    tap_ok(same_files("whole.csv", "torn.csv"), "and so has the table");

    /* A finished run goes on, and one goes back to its beginning. */
    mark = (chgi_trajectory_mark){0};
    if (chgi_trajectory_open(ctx, &s2.plan, &mark, &t) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    add_frames(&s2, t, 0, n);
    mark = mark_now(t);
    end(t);
    if (chgi_trajectory_open(ctx, &s2.plan, &mark, &t) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    end(t);
    tap_ok(same_files(whole, torn) && same_files("whole.csv", "torn.csv"),
           "from the beginning, and with nothing more to do: the same");
    free_sample(&s);
    free_sample(&s2);
}

/* ---- files that are not as they should be ----------------------------------------------------- */

static chgnet_status open_at(sample *s, int64_t n_frame, int64_t length)
{
    chgi_trajectory *t;
    chgi_trajectory_mark mark = {.n_frame = n_frame, .length = length};
    chgnet_status status = chgi_trajectory_open(ctx, &s->plan, &mark, &t);
    chgi_trajectory_destroy(t);
    return status;
}

static void flip_byte(const char *path, long place)
{
    FILE *file = fopen(path, "r+b");
    if (!file || fseek(file, place, SEEK_SET) != 0)
        tap_bail("cannot change a byte");
    int byte = fgetc(file);
    if (byte == EOF || fseek(file, place, SEEK_SET) != 0 || fputc(byte ^ 0x40, file) == EOF || fclose(file) != 0)
        tap_bail("cannot change a byte");
}

static void test_damage(void)
{
    sample s;
    make_sample(&s, "damaged.h5", NULL, 0);
    chgi_trajectory *t = open_new(&s);
    add_frames(&s, t, 0, 4);
    (void)mark_now(t);
    chgi_trajectory_destroy(t);
    tap_is_int(open_at(&s, 5, 0), CHGNET_EINPUT, "a part with fewer frames than the checkpoint says is refused");
    tap_is_int(open_at(&s, 4, 0), CHGNET_OK, "the right one is taken");
    flip_byte("damaged.h5.part", 200);
    tap_is_int(open_at(&s, 4, 0), CHGNET_EINPUT, "one with a changed byte is refused");
    flip_byte("damaged.h5.part", 200);
    flip_byte("damaged.h5.part", 17);
    tap_is_int(open_at(&s, 4, 0), CHGNET_EINPUT, "and one with a changed header");
    (void)unlink("damaged.h5.part");
    tap_is_int(open_at(&s, 4, 0), CHGNET_EINPUT, "and a missing one");
    tap_ok(access("damaged.h5.part", F_OK) != 0, "which is not made then");
    append_text("damaged.h5", "no HDF5");
    tap_is_int(open_at(&s, 4, 0), CHGNET_EINPUT, "T.h5 that is no HDF5 file is refused");
    free_sample(&s);

    make_sample(&s, "damaged.extxyz", NULL, 0);
    tap_is_int(open_at(&s, 1, 100), CHGNET_EINPUT, "a missing trajectory is refused");
    append_text("damaged.extxyz", "short");
    tap_is_int(open_at(&s, 1, 100), CHGNET_EINPUT, "a short one is refused");
    tap_ok(strstr(chgnet_context_error(ctx), "damaged.extxyz") != NULL, "and named");
    if (chgi_trajectory_open(ctx, &s.plan, NULL, &t) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    chgi_trajectory_destroy(t);
    char *data;
    size_t length;
    if (chgi_file_read(ctx, "damaged.extxyz", &data, &length) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    tap_is_text(data, "short", "an old trajectory stays until it is cleared");
    chgi_memory_free(data);
    free_sample(&s);
}

/* Two runs at once would spoil each other's files. */
static void test_alone(void)
{
    sample s;
    int code = 0;
    make_sample(&s, "alone.extxyz", NULL, 0);
    chgi_trajectory *t = open_new(&s);
    add_frames(&s, t, 0, 1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        chgi_trajectory *second;
        _exit(chgi_trajectory_open(ctx, &s.plan, NULL, &second));
    }
    tap_ok(child > 0 && waitpid(child, &code, 0) == child && WIFEXITED(code) && WEXITSTATUS(code) == CHGNET_EIO,
           "a second process may not write to the same trajectory");
    end(t);
    tap_is_int(chgi_trajectory_check(ctx, "a.cif"), CHGNET_EUSAGE, "a suffix of no trajectory");
    tap_is_int(chgi_trajectory_check(ctx, "nowhere/a.xyz"), CHGNET_EIO, "a folder that is not there");
    tap_is_int(chgi_trajectory_check(ctx, "a.xyz"), CHGNET_OK, "a good path");
    free_sample(&s);
}

int main(void)
{
    char folder[] = "trajectory-XXXXXX", command[64];
    if (chgnet_context_create(&ctx) != CHGNET_OK || !mkdtemp(folder) || chdir(folder) != 0)
        tap_bail("no folder");
    test_extxyz();
    test_h5md();
    test_resumed("extxyz", 0, 40);
    test_resumed("h5", 0, 40);
    test_resumed("h5", 20000, 30); /* a frame of 640 kB: several blocks are copied */
    test_damage();
    test_alone();
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    if (chdir("..") != 0 || system(command) != 0)
        tap_note("%s is left", folder);
    chgnet_context_destroy(ctx);
    return tap_done();
}
