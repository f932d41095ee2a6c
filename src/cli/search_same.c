/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "base/memory.h"
#include "cli/search.h"
#include "search/trial.h"

typedef struct search {
    chgnet_context *ctx;
    chgi_search_config config;
    chgnet_model *model;
    chgi_worker worker;
} search;

/* The potential as the search began with it, and thus the same description for every generation of its delta-model. */
static chgnet_status open_search(search *s, const char *folder)
{
    char path[CHGI_JOURNAL_PATH];
    if (snprintf(path, sizeof path, "%s/search.ini", folder) >= (int)sizeof path)
        return chgi_context_fail(s->ctx, CHGNET_EUSAGE, "%s: the name is too long; move the folder", folder);
    CHGI_TRY(chgi_search_config_read(s->ctx, path, &s->config));
    if (s->config.potential == CHGI_CHGNET)
        CHGI_TRY(chgnet_model_load(s->ctx, s->config.model, &s->model));
    return chgi_worker_create(s->ctx, &s->config, s->model, &s->worker);
}

static void close_search(search *s)
{
    chgi_worker_destroy(&s->worker);
    chgnet_model_destroy(s->model);
    chgi_search_config_destroy(&s->config);
}

static chgnet_status describe(const search *s, const chgi_structure *structure, chgi_fingerprint *fingerprint)
{
    chgi_outcome outcome;
    const chgi_potential *p = &s->worker.potential;
    chgnet_status status = p->set_structure(p->self, structure);
    if (status == CHGNET_OK)
        status = p->compute(p->self, CHGNET_WANT_ENERGY, &outcome);
    if (status == CHGNET_OK)
        status = chgi_fingerprint_make(s->worker.ctx, structure, &outcome, fingerprint);
    if (status != CHGNET_OK)
        chgi_context_fail(s->ctx, status, "%s", chgnet_context_error(s->worker.ctx));
    return status;
}

static chgnet_status compare_all(const search *s, const chgi_cli_folder *folder, const chgi_fingerprint *wanted,
                                 bool *same)
{
    for (int64_t k = 0; k < folder->n_minimum; k++) {
        chgi_fingerprint fingerprint = {0};
        CHGI_TRY(describe(s, &folder->minima[k], &fingerprint));
        same[k] = chgi_fingerprint_distance(wanted, &fingerprint) < s->config.same_feature;
        chgi_fingerprint_destroy(&fingerprint);
    }
    return CHGNET_OK;
}

chgnet_status chgi_cli_search_same(chgnet_context *ctx, const chgi_cli_folder *folder, const chgi_structure *structure,
                                   bool *same)
{
    search s = {.ctx = ctx};
    chgi_fingerprint wanted = {0};
    chgnet_status status = open_search(&s, folder->path);
    if (status == CHGNET_OK)
        status = describe(&s, structure, &wanted);
    if (status == CHGNET_OK)
        status = compare_all(&s, folder, &wanted, same);
    chgi_fingerprint_destroy(&wanted);
    close_search(&s);
    return status;
}
