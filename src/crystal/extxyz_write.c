/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "crystal/writer.h"

/* Quotes, brackets, blanks, '=' and ',' mean something to some reader; the backslash escapes. */
static void print_word(chgi_text *text, const char *word)
{
    if (*word && !strpbrk(word, " \t\r\n\v\f\"'{}[]=,\\")) {
        chgi_text_append(text, word, strlen(word));
        return;
    }
    chgi_text_append(text, "\"", 1);
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            chgi_text_append(text, "\\", 1);
        chgi_text_append(text, *word == '\n' || *word == '\r' ? " " : word, 1);
    }
    chgi_text_append(text, "\"", 1);
}

static void print_lattice(chgi_text *text, const double cell[3][3])
{
    bool any = false;
    for (int i = 0; i < 9; i++)
        any = any || cell[i / 3][i % 3] != 0;
    if (!any)
        return;
    chgi_text_print(text, "Lattice=\"");
    for (int i = 0; i < 9; i++) {
        if (i > 0)
            chgi_text_append(text, " ", 1);
        chgi_text_number(text, cell[i / 3][i % 3]);
    }
    chgi_text_print(text, "\" ");
}

/* One flag an atom is enough unless some atom is free in some directions only. */
static int mask_width(const chgi_structure *structure)
{
    if (!structure->move_mask)
        return 0;
    const bool *mask = structure->move_mask;
    for (int64_t i = 0; i < structure->n_atom; i++)
        if (mask[3 * i] != mask[3 * i + 1] || mask[3 * i] != mask[3 * i + 2])
            return 3;
    return 1;
}

/* Names of columns come from the file that was read, where they may have been quoted. */
static void print_columns(chgi_text *text, const chgi_structure *structure, int n_mask)
{
    chgi_text list = {0};
    chgi_text_print(&list, "species:S:1:pos:R:3");
    if (n_mask > 0)
        chgi_text_print(&list, ":%s:L:%d", n_mask == 3 && structure->mask_direct ? "move_mask_direct" : "move_mask",
                        n_mask);
    for (int i = 0; i < structure->n_column; i++)
        chgi_text_print(&list, ":%s:%c:%d", structure->columns[i].name, structure->columns[i].type,
                        structure->columns[i].width);
    chgi_text_print(text, "Properties=");
    if (list.failed)
        text->failed = true;
    else
        print_word(text, list.data);
    chgi_text_destroy(&list);
}

static void print_comment(chgi_text *text, const chgi_structure *structure, int n_mask)
{
    print_lattice(text, structure->cell);
    print_columns(text, structure, n_mask);
    for (int i = 0; i < structure->n_info; i++) {
        chgi_text_append(text, " ", 1);
        print_word(text, structure->info[i].key);
        chgi_text_append(text, "=", 1);
        print_word(text, structure->info[i].value);
    }
    chgi_text_print(text, " pbc=\"%c %c %c\"\n", structure->pbc[0] ? 'T' : 'F', structure->pbc[1] ? 'T' : 'F',
                    structure->pbc[2] ? 'T' : 'F');
}

static void print_column(chgi_text *text, const chgi_column *column, int64_t atom)
{
    for (int k = 0; k < column->width; k++) {
        double value = column->data[atom * column->width + k];
        chgi_text_append(text, " ", 1);
        if (column->type == 'R')
            chgi_text_number(text, value);
        else if (column->type == 'I')
            chgi_text_print(text, "%.0f", value);
        else
            chgi_text_append(text, value != 0 ? "T" : "F", 1);
    }
}

static void print_atom(chgi_text *text, const chgi_structure *structure, int64_t atom, int n_mask)
{
    chgi_text_print(text, "%-2s", chgi_element_symbol(structure->numbers[atom]));
    for (int k = 0; k < 3; k++) {
        chgi_text_append(text, " ", 1);
        chgi_text_number(text, structure->positions[3 * atom + k]);
    }
    for (int k = 0; k < n_mask; k++)
        chgi_text_append(text, structure->move_mask[3 * atom + k] ? " T" : " F", 2);
    for (int i = 0; i < structure->n_column; i++)
        print_column(text, &structure->columns[i], atom);
    chgi_text_append(text, "\n", 1);
}

chgnet_status chgi_extxyz_write(chgnet_context *ctx, chgi_text *text, const chgi_structure *structure)
{
    int n_mask = mask_width(structure);
    chgi_text_print(text, "%lld\n", (long long)structure->n_atom);
    print_comment(text, structure, n_mask);
    for (int64_t atom = 0; atom < structure->n_atom; atom++)
        print_atom(text, structure, atom, n_mask);
    return text->failed ? chgi_context_nomem(ctx, text->length, 2) : CHGNET_OK;
}
