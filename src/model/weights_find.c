/* Where files of weights lie, and what upstream released. */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/weights.h"

static const chgi_release releases[] = {
    {"0.3.0", "ebdb2868c68fe584c70a6d6b63327f709852d677d844f7e896bc6337512a9b74",
     "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1"},
    {"0.2.0", "46e0126cac89a4c22cf505d4c2491b53cac6d0909355da7f30b14b0bf72ba0ae",
     "ef624f78b6db9d315b4ef256f1bb3207449924191b91720dc17d3f60c5df980e"},
    {"r2scan", "05b8e00e2686d5a361307d171cf9e8f644d2dc78c2c94f63ea2490fe2cd8c9fa",
     "8eba3db0f35a2788bb3ae22885ad340591e27996f213c6643af522a633b50dad"},
};

const chgi_release *chgi_weights_release(int i)
{
    return i >= 0 && (size_t)i < sizeof releases / sizeof releases[0] ? &releases[i] : NULL;
}

/* The search: the folders that were tried, for the error text, and the path that was found. */
typedef struct search {
    const char *name;
    chgi_text tried;
    chgi_text path;
    bool found;
} search;

static void try_folder(search *s, const char *folder, size_t length)
{
    if (s->found || s->path.failed || length == 0)
        return;
    chgi_text_clear(&s->path);
    chgi_text_append(&s->path, folder, length);
    chgi_text_print(&s->path, "/chgnet-%s.h5", s->name);
    if (!s->path.failed && access(s->path.data, F_OK) == 0) {
        s->found = true;
        return;
    }
    if (s->tried.length > 0)
        chgi_text_append(&s->tried, ", ", 2);
    chgi_text_append(&s->tried, folder, length);
}

static const char share[] = "/share/chgnet", weights[] = "/weights";
enum { LONGEST = 4096 };

/* Beside the running program: ../share/chgnet when it was installed, weights/ some folders up when it was only built
 * (its own folder, or .libs of it, lies inside the source tree). */
static void try_program(search *s)
{
    enum { LEVELS_UP = 4 };
    char folder[LONGEST];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - sizeof share);
    if (length <= 0 || (size_t)length >= sizeof folder - sizeof share)
        return;
    folder[length] = '\0';
    for (int level = 0; level <= LEVELS_UP; level++) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            return;
        *slash = '\0';
        size_t used = strlen(folder);
        if (level == 1) {
            memcpy(folder + used, share, sizeof share);
            try_folder(s, folder, used + sizeof share - 1);
        }
        memcpy(folder + used, weights, sizeof weights);
        if (!s->found && access(folder, F_OK) == 0)
            try_folder(s, folder, used + sizeof weights - 1);
        folder[used] = '\0';
    }
}

/* Beside the library: ../share/chgnet, wherever an installed tree was moved to. */
static void try_library(search *s)
{
    Dl_info library;
    char folder[LONGEST];
    if (!dladdr(releases, &library) || !library.dli_fname || strlen(library.dli_fname) >= sizeof folder - sizeof share)
        return;
    memcpy(folder, library.dli_fname, strlen(library.dli_fname) + 1);
    for (int level = 0; level < 2; level++) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
    size_t used = strlen(folder);
    memcpy(folder + used, share, sizeof share);
    if (access(folder, F_OK) == 0)
        try_folder(s, folder, used + sizeof share - 1);
}

static chgnet_status not_found(chgnet_context *ctx, const search *s)
{
    return chgi_context_fail(ctx, CHGNET_EINPUT,
                             "no weights named '%.100s': chgnet-%.100s.h5 is not in %.500s; give 0.3.0, "
                             "0.2.0, r2scan, or the path of a file ending in .h5, or set CHGNET_WEIGHTS",
                             s->name, s->name, s->tried.data ? s->tried.data : "any folder");
}

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length >= 3 && strcmp(name + length - 3, ".h5") == 0);
}

chgnet_status chgi_weights_locate(chgnet_context *ctx, const char *name, char **path)
{
    *path = NULL;
    search s = {.name = name};
    if (is_path(name)) {
        chgi_text_append(&s.path, name, strlen(name));
        s.found = true;
    } else {
        const char *folder = getenv("CHGNET_WEIGHTS");
        if (folder)
            try_folder(&s, folder, strlen(folder));
#ifdef CHGNET_DATADIR
        try_folder(&s, CHGNET_DATADIR, strlen(CHGNET_DATADIR));
#endif
        try_program(&s);
        try_library(&s);
    }
    chgnet_status status = CHGNET_OK;
    if (s.path.failed || s.tried.failed)
        status = chgi_context_nomem(ctx, strlen(name) + 1, 1);
    else if (!s.found)
        status = not_found(ctx, &s);
    else
        *path = s.path.data;
    if (status != CHGNET_OK)
        chgi_text_destroy(&s.path);
    chgi_text_destroy(&s.tried);
    return status;
}
