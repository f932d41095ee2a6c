#include "task/label_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

chgi_label_form chgi_label_form_default(void)
{
    return (chgi_label_form){.energy_key = "REF_energy", .forces_key = "REF_forces", .energy_needed = true};
}

/* ---- values ----------------------------------------------------------------------------------- */

/* Another key of the frame that may be the one meant. */
static const char *likely_key(const chgi_structure *s)
{
    static const char *const known[] = {"REF_energy", "energy", "free_energy", "dft_energy", "DFT_energy", "E"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (chgi_structure_info(s, known[i]))
            return known[i];
    return NULL;
}

static chgnet_status fail_missing_energy(chgnet_context *ctx, const chgi_structure *s, const char *key,
                                         const char *option)
{
    const char *likely = likely_key(s);
    if (likely)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the frame has no energy '%s'; is it '%s'? then give %s %s", key,
                                 likely, option, likely);
    return chgi_context_fail(ctx, CHGNET_EINPUT, "the frame has no energy '%s'; name its key by %s", key, option);
}

static chgnet_status take_energy(chgnet_context *ctx, const chgi_structure *s, const char *key, const char *option,
                                 bool needed, bool *has, double *energy)
{
    const char *text = chgi_structure_info(s, key);
    *has = false;
    if (!text)
        return needed ? fail_missing_energy(ctx, s, key, option) : CHGNET_OK;
    if (!chgi_text_to_double(text, strlen(text), energy) || !isfinite(*energy))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s is '%.60s'; a finite number in eV is needed", key, text);
    *has = true;
    return CHGNET_OK;
}

/* A column of forces; `forces` stays NULL where there is none. */
static chgnet_status take_forces(chgnet_context *ctx, const chgi_structure *s, const char *key, double **forces)
{
    const chgi_column *column = key ? chgi_structure_column(s, key) : NULL;
    size_t n = 3 * (size_t)s->n_atom;
    if (!column)
        return CHGNET_OK;
    if (column->type != 'R' || column->width != 3)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%s has %d column%s of type %c; forces are three real numbers per atom (%s:R:3)", key,
                                 column->width, column->width == 1 ? "" : "s", column->type, key);
    for (size_t k = 0; k < n; k++)
        if (!isfinite(column->data[k]))
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "%s of atom %zu is not finite; correct it or leave the frame out", key, k / 3 + 1);
    *forces = chgi_memory_new(n, sizeof **forces);
    if (!*forces)
        return chgi_context_nomem(ctx, n, sizeof **forces);
    memcpy(*forces, column->data, n * sizeof **forces);
    return CHGNET_OK;
}

static chgnet_status take_mask_column(chgnet_context *ctx, const chgi_structure *s, const char *name, bool *use)
{
    const chgi_column *column = chgi_structure_column(s, name);
    if (!column)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the frame has no column '%s' for --mask; give another name",
                                 name);
    if ((column->type != 'L' && column->type != 'I') || (column->width != 1 && column->width != 3))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s is no mask; give flags, one or three per atom (%s:L:1)", name,
                                 name);
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        use[k] = column->data[column->width == 3 ? k : k / 3] != 0;
    return CHGNET_OK;
}

static chgnet_status take_mask(chgnet_context *ctx, const chgi_label_form *form, const chgi_structure *s, bool **use)
{
    size_t n = 3 * (size_t)s->n_atom;
    bool own = form->mask && strcmp(form->mask, "move_mask") == 0;
    if (!form->mask || (own && !s->move_mask)) /* no mask: every atom may move */
        return CHGNET_OK;
    *use = chgi_memory_new(n, sizeof **use);
    if (!*use)
        return chgi_context_nomem(ctx, n, sizeof **use);
    if (!own)
        return take_mask_column(ctx, s, form->mask, *use);
    memcpy(*use, s->move_mask, n * sizeof **use);
    return CHGNET_OK;
}

static chgnet_status take_base(chgnet_context *ctx, const chgi_label_form *form, const chgi_structure *s,
                               chgi_labelled *labelled)
{
    bool has = false;
    if (!form->base_energy_key)
        return CHGNET_OK;
    CHGI_TRY(take_energy(ctx, s, form->base_energy_key, "--base-energy-key", true, &has, &labelled->base_energy));
    CHGI_TRY(take_forces(ctx, s, form->base_forces_key, &labelled->base_forces));
    if (labelled->forces && !labelled->base_forces)
        return chgi_context_fail(
            ctx, CHGNET_EINPUT,
            "the frame has forces but none of the base; name their column by --base-forces-key, or "
            "give --energies-only");
    return CHGNET_OK;
}

static chgnet_status take(chgnet_context *ctx, const chgi_label_form *form, int n_element, chgi_labelled *labelled)
{
    const chgi_structure *s = &labelled->structure;
    CHGI_TRY(chgi_structure_check(ctx, s, n_element));
    CHGI_TRY(take_energy(ctx, s, form->energy_key, "--energy-key", form->energy_needed, &labelled->has_energy,
                         &labelled->energy));
    CHGI_TRY(take_forces(ctx, s, form->forces_key, &labelled->forces));
    CHGI_TRY(take_mask(ctx, form, s, &labelled->use));
    return take_base(ctx, form, s, labelled);
}

/* What a label does not need any more. */
static void drop_rest(chgi_structure *s)
{
    for (int i = 0; i < s->n_info; i++) {
        chgi_memory_free(s->info[i].key);
        chgi_memory_free(s->info[i].value);
    }
    for (int i = 0; i < s->n_column; i++) {
        chgi_memory_free(s->columns[i].name);
        chgi_memory_free(s->columns[i].data);
    }
    chgi_memory_free(s->info);
    chgi_memory_free(s->columns);
    s->info = NULL;
    s->columns = NULL;
    s->n_info = s->n_column = 0;
}

chgnet_status chgi_labelled_take(chgnet_context *ctx, const chgi_label_form *form, int n_element,
                                 chgi_structure *structure, chgi_labelled *labelled)
{
    *labelled = (chgi_labelled){.structure = *structure};
    *structure = (chgi_structure){0};
    chgnet_status status = take(ctx, form, n_element, labelled);
    if (status == CHGNET_OK)
        drop_rest(&labelled->structure);
    else
        chgi_labelled_destroy(labelled);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------ */

static chgnet_status set_place(chgnet_context *ctx, const char *path, long line, chgi_labelled *labelled)
{
    chgi_text text = {0};
    chgi_text_print(&text, "%s:%ld", path, line);
    if (text.failed)
        return chgi_context_nomem(ctx, strlen(path), 2);
    labelled->place = text.data;
    return CHGNET_OK;
}

static chgnet_status take_frame(chgnet_context *ctx, chgi_reader *reader, const chgi_label_form *form, int n_element,
                                chgi_structure *structure, chgi_label_set *set)
{
    chgi_labelled labelled;
    chgnet_status status = chgi_labelled_take(ctx, form, n_element, structure, &labelled);
    if (status != CHGNET_OK) {
        chgi_context_locate(ctx, chgi_reader_path(reader), chgi_reader_line(reader));
        return status;
    }
    status = set_place(ctx, chgi_reader_path(reader), chgi_reader_line(reader), &labelled);
    if (status == CHGNET_OK)
        return chgi_label_set_add(ctx, set, &labelled);
    chgi_labelled_destroy(&labelled);
    return status;
}

static chgnet_status read_frame(chgnet_context *ctx, chgi_reader *reader, const chgi_label_form *form, int n_element,
                                chgi_label_set *set, bool *got)
{
    chgi_structure structure;
    CHGI_TRY(chgi_reader_next(reader, &structure, got));
    if (!*got)
        return CHGNET_OK;
    chgnet_status status = take_frame(ctx, reader, form, n_element, &structure, set);
    chgi_structure_destroy(&structure);
    return status;
}

static chgnet_status read_frames(chgnet_context *ctx, chgi_reader *reader, const chgi_label_form *form, int n_element,
                                 chgi_label_set *set)
{
    while (!chgi_reader_at_end(reader)) {
        bool got = true;
        chgnet_status status = read_frame(ctx, reader, form, n_element, set, &got);
        if (status == CHGNET_EINPUT && form->skip_bad) {
            set->n_skipped++;
            chgi_context_warn(ctx, CHGI_WARN_LABEL, "a label is left out: %s", chgnet_context_error(ctx));
            continue;
        }
        CHGI_TRY(status);
        if (!got)
            break;
    }
    return CHGNET_OK;
}

chgnet_status chgi_label_file_read(chgnet_context *ctx, const char *path, const chgi_label_form *form, int n_element,
                                   chgi_label_set *set)
{
    chgi_reader *reader;
    int64_t before = set->n_label + set->n_skipped;
    CHGI_TRY(chgi_reader_open(ctx, path, &reader));
    chgnet_status status = read_frames(ctx, reader, form, n_element, set);
    if (status == CHGNET_OK && set->n_label + set->n_skipped == before)
        status = chgi_context_fail(ctx, CHGNET_EINPUT, "%s: holds no frame; a labelled extended XYZ is needed", path);
    chgi_reader_destroy(reader);
    return status;
}
