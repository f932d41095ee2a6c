/* Prints the structures of files as plain numbers, for programs of other languages; not a test itself.
 *
 *     plain_structures FILE...
 *
 * Each: the number of atoms; three periodic axes, 0 or 1; three cell vectors; a line for each atom, number x y z.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stdio.h>

#include "crystal/reader.h"

static void print(const chgi_structure *s)
{
    printf("%lld\n%d %d %d\n", (long long)s->n_atom, s->pbc[0], s->pbc[1], s->pbc[2]);
    for (int k = 0; k < 3; k++)
        printf("%.17g %.17g %.17g\n", s->cell[k][0], s->cell[k][1], s->cell[k][2]);
    for (int64_t i = 0; i < s->n_atom; i++)
        printf("%d %.17g %.17g %.17g\n", s->numbers[i], s->positions[3 * i], s->positions[3 * i + 1],
               s->positions[3 * i + 2]);
}

static chgnet_status print_all(chgnet_context *ctx, const char *path)
{
    chgi_reader *reader;
    chgnet_status status = CHGNET_OK;
    CHGI_TRY(chgi_reader_open(ctx, path, &reader));
    while (status == CHGNET_OK && !chgi_reader_at_end(reader)) {
        chgi_structure s;
        bool got;
        status = chgi_reader_next(reader, &s, &got);
        if (status == CHGNET_OK && got)
            print(&s);
        chgi_structure_destroy(&s);
    }
    chgi_reader_destroy(reader);
    return status;
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    chgnet_status status = chgnet_context_create(&ctx);
    for (int k = 1; status == CHGNET_OK && k < argc; k++) {
        status = print_all(ctx, argv[k]);
        if (status != CHGNET_OK)
            fprintf(stderr, "%s\n", chgnet_context_error(ctx));
    }
    chgnet_context_destroy(ctx);
    return (int)status;
}
