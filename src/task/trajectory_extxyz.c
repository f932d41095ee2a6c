#include "task/trajectory_extxyz.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "calc/calculator.h"
#include "crystal/writer.h"
#include "task/md.h"

static chgnet_status copy_mask(chgnet_context *ctx, const chgi_structure *from, chgi_structure *to)
{
    size_t n = 3 * (size_t)from->n_atom;
    if (!from->move_mask)
        return CHGNET_OK;
    to->move_mask = chgi_memory_new(n, sizeof *to->move_mask);
    if (!to->move_mask)
        return chgi_context_nomem(ctx, n, sizeof *to->move_mask);
    memcpy(to->move_mask, from->move_mask, n * sizeof *to->move_mask);
    to->mask_direct = from->mask_direct;
    return CHGNET_OK;
}

chgnet_status chgi_frame_writer_create(chgnet_context *ctx, const chgi_trajectory_plan *plan, chgi_frame_writer *w)
{
    const chgi_structure *s = plan->structure;
    *w = (chgi_frame_writer){.masses = plan->masses, .n_feature = plan->n_feature};
    w->has_stress = s->pbc[0] && s->pbc[1] && s->pbc[2];
    CHGI_TRY(chgi_structure_create(ctx, s->n_atom, &w->structure));
    memcpy(w->structure.numbers, s->numbers, (size_t)s->n_atom * sizeof *s->numbers);
    memcpy(w->structure.pbc, s->pbc, sizeof s->pbc);
    CHGI_TRY(copy_mask(ctx, s, &w->structure));
    CHGI_TRY(chgi_structure_add_column(ctx, &w->structure, "momenta", 'R', 3, &w->momenta));
    CHGI_TRY(chgi_structure_add_column(ctx, &w->structure, "forces", 'R', 3, &w->forces));
    if (plan->magmoms)
        CHGI_TRY(chgi_structure_add_column(ctx, &w->structure, "magmoms", 'R', 1, &w->magmoms));
    if (plan->n_feature > 0)
        CHGI_TRY(chgi_structure_add_column(ctx, &w->structure, "atom_fea", 'R', plan->n_feature, &w->embeddings));
    return CHGNET_OK;
}

void chgi_frame_writer_destroy(chgi_frame_writer *w)
{
    chgi_structure_destroy(&w->structure);
    *w = (chgi_frame_writer){0};
}

static chgnet_status set_numbers(chgnet_context *ctx, chgi_structure *frame, const char *key, const double *values,
                                 int n, double unit)
{
    chgi_text text = {0};
    for (int i = 0; i < n; i++) {
        if (i > 0)
            chgi_text_append(&text, " ", 1);
        chgi_text_number(&text, values[i] / unit);
    }
    chgnet_status status =
        text.failed ? chgi_context_nomem(ctx, (size_t)n, 32) : chgi_structure_set_info(ctx, frame, key, text.data);
    chgi_text_destroy(&text);
    return status;
}

static void fill_columns(chgi_frame_writer *w, const chgi_frame *frame)
{
    size_t n = (size_t)w->structure.n_atom;
    memcpy(w->structure.positions, frame->positions, 3 * n * sizeof(double));
    memcpy(w->structure.cell, frame->cell, sizeof frame->cell);
    memcpy(w->forces, frame->forces, 3 * n * sizeof(double));
    for (size_t i = 0; i < 3 * n; i++)
        w->momenta[i] = w->masses[i / 3] * frame->velocities[i] / CHGI_MD_FS;
    if (w->magmoms)
        memcpy(w->magmoms, frame->magmoms, n * sizeof(double));
    if (w->embeddings)
        memcpy(w->embeddings, frame->embeddings, n * (size_t)w->n_feature * sizeof(double));
}

chgnet_status chgi_frame_writer_print(chgnet_context *ctx, chgi_frame_writer *w, const chgi_frame *frame,
                                      chgi_text *text)
{
    char step[32];
    snprintf(step, sizeof step, "%lld", (long long)frame->step);
    fill_columns(w, frame);
    CHGI_TRY(set_numbers(ctx, &w->structure, "energy", &frame->energy, 1, 1));
    if (w->has_stress)
        CHGI_TRY(set_numbers(ctx, &w->structure, "stress", frame->stress[0], 9, CHGI_GPA));
    CHGI_TRY(chgi_structure_set_info(ctx, &w->structure, "step", step));
    CHGI_TRY(set_numbers(ctx, &w->structure, "time", &frame->time, 1, 1));
    return chgi_extxyz_write(ctx, text, &w->structure);
}
