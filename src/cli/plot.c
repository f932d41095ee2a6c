/* SPDX-License-Identifier: BSD-3-Clause */
#define _POSIX_C_SOURCE 200809L
#include "cli/plot.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

extern char **environ;

void chgi_plot_begin(chgi_text *script, int width, int height)
{
    chgi_text_print(script,
                    "set terminal svg size %d,%d font 'sans,13' background '#ffffff'\n"
                    "set border lc '#444444'\nset tics nomirror\nset key top left reverse Left\n"
                    "set grid lc '#dddddd' lt 1\n",
                    width, height);
}

void chgi_plot_name(const char *file, const char *suffix, char *path, size_t size)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file, *dot = strrchr(name, '.');
    snprintf(path, size, "%.*s%s", dot && dot != name ? (int)(dot - name) : (int)strlen(name), name, suffix);
}

/* gnuplot reads the script from a file without a name, so that no pipe can fill up while the picture is read. */
static bool start(const chgi_text *script, pid_t *child, FILE **picture)
{
    int ends[2];
    char *arguments[] = {(char[]){"gnuplot"}, NULL};
    posix_spawn_file_actions_t actions;
    FILE *input = tmpfile();
    if (!input)
        return false;
    bool good = fwrite(script->data, 1, script->length, input) == script->length && fflush(input) == 0 &&
                fseek(input, 0, SEEK_SET) == 0 && pipe(ends) == 0;
    if (!good) {
        fclose(input);
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(input), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1 /* O_WRONLY */, 0);
    good = posix_spawnp(child, arguments[0], &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    fclose(input);
    close(ends[1]);
    *picture = good ? fdopen(ends[0], "r") : NULL;
    if (!*picture)
        close(ends[0]);
    return good;
}

static void read_picture(FILE *picture, chgi_text *svg)
{
    char buffer[8192];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, picture)) > 0)
        chgi_text_append(svg, buffer, n);
    fclose(picture);
}

chgnet_status chgi_plot_write(chgnet_context *ctx, const chgi_text *script, const char *path)
{
    pid_t child;
    FILE *picture;
    int code = 0;
    chgi_text svg = {0};
    if (script->failed)
        return chgi_context_nomem(ctx, script->length, 2);
    if (!start(script, &child, &picture)) {
        chgi_context_warn(ctx, CHGI_WARN_FILE,
                          "no picture: gnuplot cannot be started; install it, or leave out --plot");
        return CHGNET_OK;
    }
    if (picture)
        read_picture(picture, &svg);
    while (waitpid(child, &code, 0) < 0 && errno == EINTR)
        ;
    chgnet_status status = CHGNET_OK;
    if (svg.failed)
        status = chgi_context_nomem(ctx, svg.length, 2);
    else if (code != 0 || svg.length == 0)
        chgi_context_warn(ctx, CHGI_WARN_FILE, "no picture: gnuplot failed; a gnuplot with the svg terminal is needed");
    else
        status = chgi_file_write(ctx, path, svg.data, svg.length);
    chgi_text_destroy(&svg);
    return status;
}
