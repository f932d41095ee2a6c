/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "crystal/writer.h"
#include "math/lattice.h"

/* Elements by atomic number, as in LiMnO2. */
static void print_name(chgi_text *text, const chgi_structure *structure)
{
    int64_t count[CHGI_MAX_ELEMENT + 1] = {0};
    for (int64_t i = 0; i < structure->n_atom; i++)
        count[structure->numbers[i]]++;
    chgi_text_print(text, "data_");
    for (int z = 1; z <= CHGI_MAX_ELEMENT; z++)
        if (count[z] > 1)
            chgi_text_print(text, "%s%lld", chgi_element_symbol(z), (long long)count[z]);
        else if (count[z] == 1)
            chgi_text_print(text, "%s", chgi_element_symbol(z));
    chgi_text_print(text, "\n");
}

/* From the vectors' directions, exact for right angles. */
static double angle(const double a[3], const double b[3])
{
    double normal[3];
    chgi_cross(a, b, normal);
    double cosine = chgi_dot(a, b);
    return cosine == 0 ? 90 : atan2(sqrt(chgi_dot(normal, normal)), cosine) * (180 / 3.14159265358979323846);
}

static void print_item(chgi_text *text, const char *tag, double value)
{
    chgi_text_print(text, "%s ", tag);
    chgi_text_number(text, value);
    chgi_text_append(text, "\n", 1);
}

static void print_cell(chgi_text *text, const chgi_structure *structure)
{
    static const char *const lengths[] = {"_cell_length_a", "_cell_length_b", "_cell_length_c"};
    static const char *const angles[] = {"_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"};
    for (int k = 0; k < 3; k++)
        print_item(text, lengths[k], sqrt(chgi_dot(structure->cell[k], structure->cell[k])));
    for (int k = 0; k < 3; k++)
        print_item(text, angles[k], angle(structure->cell[(k + 1) % 3], structure->cell[(k + 2) % 3]));
    chgi_text_print(text, "_space_group_name_H-M_alt 'P 1'\n_space_group_IT_number 1\n"
                          "loop_\n_space_group_symop_operation_xyz\n'x, y, z'\n");
}

chgnet_status chgi_cif_write(chgnet_context *ctx, chgi_text *text, const chgi_structure *structure)
{
    double inverse[3][3];
    int64_t label[CHGI_MAX_ELEMENT + 1] = {0};
    if (!chgi_structure_invert(structure->cell, inverse))
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "a CIF needs a cell with three independent vectors; write extended XYZ");
    print_name(text, structure);
    print_cell(text, structure);
    chgi_text_print(text, "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
                          "_atom_site_fract_z\n_atom_site_occupancy\n");
    for (int64_t atom = 0; atom < structure->n_atom; atom++) {
        int z = structure->numbers[atom];
        const char *symbol = chgi_element_symbol(z);
        const double *x = &structure->positions[3 * atom];
        chgi_text_print(text, "%s%lld %s", symbol, (long long)++label[z], symbol);
        for (int k = 0; k < 3; k++) {
            chgi_text_append(text, " ", 1);
            chgi_text_number(text, x[0] * inverse[0][k] + x[1] * inverse[1][k] + x[2] * inverse[2][k]);
        }
        chgi_text_print(text, " 1.0\n");
    }
    return text->failed ? chgi_context_nomem(ctx, text->length, 2) : CHGNET_OK;
}
