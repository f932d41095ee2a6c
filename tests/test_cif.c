/* CIF: syntax, symmetry, writing, and refusing.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "crystal/cif_symmetry.h"
#include "structures.h"

static void test_samples(void)
{
    static const double want[12] = {0, 0, 0, 1.1, 1.65, 2.85, 0.64, 1.17, 4.275, -0.68, 2.73, 1.71};
    chgi_structure s;
    if (tap_ok(read_path(tap_source("tests/files/NaCl-symmetric.cif"), &s) == CHGNET_OK, "a CIF with 192 operations")) {
        int sodium = 0;
        for (int64_t i = 0; i < s.n_atom; i++)
            sodium += s.numbers[i] == 11;
        tap_ok(s.n_atom == 8 && sodium == 4, "Na4Cl4");
        tap_near(s.cell[0][0], 5.6402, 1e-12, "its cell");
        tap_is_text(chgi_structure_info(&s, "name"), "NaCl", "its name");
    } else
        tap_note("%s", chgnet_context_error(ctx));
    chgi_structure_destroy(&s);
    if (tap_ok(read_path(tap_source("tests/files/ase.cif"), &s) == CHGNET_OK, "a CIF by ASE"))
        same_positions(&s, want, 1e-9, "a along x, b in the xy plane, as ASE has it");
    chgi_structure_destroy(&s);
}

static bool reads(const char *text, chgi_operation *operation)
{
    return chgi_operation_read((chgi_span){text, strlen(text)}, operation);
}

static void test_operations(void)
{
    chgi_operation o;
    tap_ok(reads("x,y,z", &o) && chgi_operation_is_identity(&o), "x,y,z");
    tap_ok(reads(" -X + 1/2 , x - y , 0.25+Z ", &o) && o.turn[0][0] == -1 && o.shift[0] == 0.5 && o.turn[1][0] == 1 &&
               o.turn[1][1] == -1 && o.shift[2] == 0.25 && o.turn[2][2] == 1,
           "blanks, capitals, fractions, decimals");
    tap_ok(reads("z-1/4,1/3+x,y+.6667", &o) && o.shift[0] == 0.75 && o.shift[1] == 1.0 / 3 && o.shift[2] == 16.0 / 24,
           "shifts in [0,1), rounded decimals become fractions");
    tap_ok(!reads("x,y", &o) && !reads("x,y,z,t", &o) && !reads("x,y,", &o) && !reads("", &o), "three components");
    tap_ok(!reads("x,y,w", &o) && !reads("2x,y,z", &o) && !reads("x,y,z+1/0", &o) && !reads("x,y,z+", &o) &&
               !reads("x,y,z1/2", &o) && !reads("x,y,z+1/", &o) && !reads("xx,y,z", &o) && !reads("x,y,z+1e3", &o),
           "components that are none");
    tap_ok(!reads("x,x,z", &o) && !reads("x+y,x-y,z", &o) && !reads("0,y,z", &o), "matrices that are no symmetry");
}

static void test_orbit(void)
{
    chgi_operation o[3];
    const double tolerance[3] = {1e-3, 1e-3, 1e-3}, special[3] = {0.3333, 0.6667, 0.2};
    double images[9];
    if (!reads("x,y,z", &o[0]) || !reads("-y,x-y,z", &o[1]) || !reads("-x+y,-x,z", &o[2]))
        tap_bail("operations");
    tap_is_int(chgi_operation_orbit(o, 3, special, tolerance, images), 1, "three images on a threefold axis are one");
    tap_near(images[0], 1.0 / 3, 1e-12, "which lies exactly on the axis");
    const double general[3] = {0.1, 0.2, 0.3};
    tap_is_int(chgi_operation_orbit(o, 3, general, tolerance, images), 3, "three images elsewhere");
    tap_near(images[3], 0.8, 1e-12, "wrapped into the cell");
}

#define CELL(a, b, c, alpha, beta, gamma)                                                            \
    "_cell_length_a " #a "\n_cell_length_b " #b "\n_cell_length_c " #c "\n_cell_angle_alpha " #alpha \
    "\n_cell_angle_beta " #beta "\n_cell_angle_gamma " #gamma "\n"
#define CUBE CELL(4, 4, 4, 90, 90, 90)
#define SITES "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
#define FE "Fe1 0 0 0\n"

static void test_syntax(void)
{
    chgi_structure s;
    if (is_read("tc.cif",
                "#\\#CIF_1.1\n# a comment with 'quotes\nDATA_Name\n_publ_title 'a dog's life' # comment\n"
                "_text\n;\n_cell_length_a 7\nloop_ 'not closed\n;\n_Cell_Length_A 4.0(1)\n_cell.length_b 4.00(12)\n"
                "_cell_length_c\n4 _cell_angle_alpha 90 _cell_angle_beta 90\n_cell_angle_gamma \"90\"\n"
                "loop_ _other 1 ? . 'x y'\nLOOP_ _atom_site_type_symbol _atom_site_fract_z _atom_site_fract_y "
                "_atom_site_fract_x _atom_site_occupancy\nFe3+ 0.5(3) 0.25 -.125 1.0(2)\nO2- 0 0\n0 .\r\n",
                &s, "a CIF with every kind of syntax")) {
        static const double want[6] = {-0.5, 1, 2, 0, 0, 0};
        tap_ok(s.n_atom == 2 && s.numbers[0] == 26 && s.numbers[1] == 8 && s.pbc[0] && s.pbc[1] && s.pbc[2],
               "its atoms");
        same_positions(&s, want, 1e-12, "its positions");
        tap_is_text(chgi_structure_info(&s, "name"), "Name", "its name");
    }
    chgi_structure_destroy(&s);
    if (is_read("tc.cif", "data_x\r\n" CUBE "_t\r\n;a\r\n;\r\n" SITES "D1 0 0 0\r\nO1' 0.5 0 0", &s,
                "deuterium, CR LF, no last newline"))
        tap_ok(s.numbers[0] == 1 && s.numbers[1] == 8, "D is hydrogen, labels lead with their element");
    chgi_structure_destroy(&s);
    if (is_read("tc.cif",
                "data_x\n" CUBE "_atom_site_type_symbol CL\n_atom_site_label ?\n_atom_site_fract_x 0\n"
                "_atom_site_fract_y 0\n_atom_site_fract_z 0\n",
                &s, "a single site without a loop"))
        tap_is_int(s.numbers[0], 17, "symbols in capitals");
    chgi_structure_destroy(&s);
    if (is_read("tc.cif", "data_x\n" CUBE "_space_group_name_H-M_alt 'P 1'\n_symmetry_Int_Tables_number ?\n" SITES FE,
                &s, "P 1 without operations"))
        tap_is_int(s.n_atom, 1, "is accepted");
    chgi_structure_destroy(&s);
    if (is_read("tc.cif",
                "data_x\n" CUBE
                "loop_\n_atom_site_label\n_atom_site_calc_flag\n_atom_site_fract_x\n_atom_site_fract_y\n"
                "_atom_site_fract_z\nFe1 d 0 0 0\nCg1 dum ? ? ?\n",
                &s, "a dummy site"))
        tap_is_int(s.n_atom, 1, "is passed over");
    chgi_structure_destroy(&s);
}

static void test_cartesian(void)
{
    chgi_structure s;
    if (is_read("tc.cif",
                "data_x\n" CELL(4, 4, 4, 90, 90,
                                120) "loop_\n_atom_site_label\n_atom_site_Cartn_x\n_atom_site_Cartn_y\n"
                                     "_atom_site_Cartn_z\nFe1 1 2 3\n",
                &s, "Cartesian sites in a cell")) {
        static const double want[3] = {1, 2, 3};
        same_positions(&s, want, 1e-12, "keep their place");
        tap_near(s.cell[1][0], -2, 1e-12, "b is in the xy plane");
    }
    chgi_structure_destroy(&s);
    if (is_read("tc.cif",
                "data_x\nloop_\n_atom_site_label\n_atom_site_Cartn_x\n_atom_site_Cartn_y\n_atom_site_Cartn_z\n"
                "H1 0 0 0\nH2 0 0 0.74\n",
                &s, "a molecule without a cell"))
        tap_ok(!s.pbc[0] && s.cell[0][0] == 0 && s.n_atom == 2, "is not periodic");
    chgi_structure_destroy(&s);
}

static void test_symmetry(void)
{
    chgi_structure s;
    if (is_read("tc.cif",
                "data_x\n" CELL(4, 4, 6, 90, 90,
                                120) "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-y,x-y,z\n'-x+y, -x, z'\n" SITES
                                     "O1 0.3333 0.6667 0.1\nLi1 .1 .2 .3\n",
                &s, "a threefold axis")) {
        tap_is_int(s.n_atom, 4, "one atom on it and three beside it");
        tap_near(s.positions[1], 4 / sqrt(3), 1e-9, "exactly on it");
    }
    chgi_structure_destroy(&s);
    is_refused("tc.cif",
               "data_x\n" CELL(40, 40, 40, 90, 90, 90) "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,y,z\n" SITES
                                                       "O1 0.003 0 0.1\n",
               17, "site O1 is near a special position but not on it");
    is_refused("tc.cif",
               "data_x\n" CUBE "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,y,z\n" SITES "O1 .2 0 0\nO2 .8 0 0.0004\n",
               18, "sites O1 and O2 lie on one place");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 0 0\nO1 1 0 -1\n", 14, "sites Fe1 and O1 lie on one place");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 .9999 0 0\nO1 .5 .5 .5\nO2 0 .0001 .9999\n", 15,
               "sites Fe1 and O2");
    is_refused("tc.cif", "data_x\n" CUBE "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\nx,y,2z\n" SITES FE, 11,
               "'x,y,2z' is not a symmetry operation");
    is_refused("tc.cif", "data_x\n" CUBE "loop_\n_symmetry_equiv_pos_as_xyz\n-x,y,z\n" SITES FE, 9, "add x,y,z");
    is_refused("tc.cif", "data_x\n" CUBE "_symmetry_space_group_name_H-M 'F m -3 m'\n" SITES FE, 8,
               "space group 'F m -3 m' without its symmetry operations");
    is_refused("tc.cif", "data_x\n" CUBE "_space_group_IT_number 225\n" SITES FE, 8, "space group '225' without");
    is_refused("tc.cif", "data_x\n" CUBE "_space_group_name_Hall 'P 1 2'\n" SITES FE, 8, "space group 'P 1 2' without");
    is_refused("tc.cif", "data_x\n" CUBE "loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n" SITES FE, 9,
               "is not supported; give _space_group_symop_operation_xyz");
}

static void test_refused_syntax(void)
{
    is_refused("tc.cif", "# nothing\n", 1, "no structure in this file");
    is_refused("tc.cif", "data_x\n_a 1\n", 2, "no structure in this file");
    is_refused("tc.cif", "_a 1\ndata_x\n", 1, "a CIF begins with data_NAME");
    is_refused("tc.cif", "data_x\n_a 'open\n_b 1\n", 2, "a quote is not closed on its line: 'open");
    is_refused("tc.cif", "data_x\n_a \"open'\n_b 1\n", 2, "a quote is not closed");
    is_refused("tc.cif", "data_x\n_a\n;open\n ;\n_b 1\n", 3, "is not closed; end it with a line");
    is_refused("tc.cif", "data_x\n_a\n_b 1\n", 2, "_a has no value");
    is_refused("tc.cif", "data_x\n_a", 2, "_a has no value");
    is_refused("tc.cif", "data_x\n_a 1 2\n", 2, "'2' has no tag");
    is_refused("tc.cif", "data_x\nloop_\n_a\n_b\n1 2 3\n", 2, "has 2 tags but 3 values; give every row a value");
    is_refused("tc.cif", "data_x\nloop_\n_a\n_b\n", 2, "has 2 tags but 0 values");
    is_refused("tc.cif", "data_x\nloop_\n1 2\n", 2, "a loop without tags");
    is_refused("tc.cif", "data_x\n_a 1\n_b 2\n_A 3\n", 4, "_A is given twice");
    is_refused("tc.cif", "data_x\nsave_y\n_a 1\nsave_\n", 2, "'save_y' has no place");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 0 0\nO1 0.5 0.5\n", 8, "has 4 tags but 7 values");
}

static void test_refused_content(void)
{
    is_refused("tc.cif", "data_x\n" SITES FE, 1, "_cell_length_a is missing");
    is_refused("tc.cif", "data_x\n" CELL(4, -4, 4, 90, 90, 90) SITES FE, 3,
               "_cell_length_b '-4' is not a positive number");
    is_refused("tc.cif", "data_x\n" CELL(4, 0, 4, 90, 90, 90) SITES FE, 3, "'0' is not a positive number");
    is_refused("tc.cif", "data_x\n" CELL(4, ?, 4, 90, 90, 90) SITES FE, 3, "'?' is not a positive number");
    is_refused("tc.cif", "data_x\n" CELL(4, 4, nan, 90, 90, 90) SITES FE, 4, "'nan' is not a positive number");
    is_refused("tc.cif", "data_x\n_cell_length_a 4,0\n" SITES FE, 2, "'4,0' is not a positive number");
    is_refused("tc.cif", "data_x\n" CELL(4, 4, 4(), 90, 90, 90) SITES FE, 4, "'4()' is not a positive number");
    is_refused("tc.cif", "data_x\n" CELL(4, 4, 4, 90, 90, 180) SITES FE, 7, "the angle 180 is impossible");
    is_refused("tc.cif", "data_x\n" CELL(4, 4, 4, 90, 90, -90) SITES FE, 7, "'-90' is not a positive number");
    is_refused("tc.cif", "data_x\n" CELL(4, 4, 4, 10, 20, 90) SITES FE, 7, "no cell has the angles 10, 20, 90");
    is_refused("tc.cif", "data_x\n" CELL(4, 4, 4, 120, 120, 120) SITES FE, 7, "no cell has the angles");
    is_refused("tc.cif", "data_x\n" CELL(4e6, 4, 4, 90, 90, 90) SITES FE, 7, "cell vector 1 is 4e+06 A long");
    is_refused("tc.cif", "data_x\n" CUBE "_atom_site_label Fe1\n", 1, "has atom sites but no _atom_site_fract_x");
    is_refused("tc.cif", "data_x\n" CUBE "loop_\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n0 0 0\n",
               9, "no elements; give _atom_site_type_symbol or _atom_site_label");
    is_refused("tc.cif", "data_x\n" CUBE SITES FE "O1 .5 .5 .5\nloop_\n_atom_site_occupancy\n1\n", 16,
               "is not in the loop of the atom sites");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Xx1 0 0 0\n", 13, "label 'Xx1' does not begin with an element");
    is_refused("tc.cif", "data_x\n" CUBE SITES "OW1 0 0 0\n", 13, "label 'OW1' does not begin with an element");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 0 ?\n", 13, "coordinate '?' of site Fe1 is not a number");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 nan 0\n", 13, "coordinate 'nan' of site Fe1");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 inf 0\n", 13, "coordinate 'inf' of site Fe1");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 0,5 0\n", 13, "coordinate '0,5' of site Fe1");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 1e7 0\n", 13, "coordinate '1e7' of site Fe1 is too large");
    is_refused("tc.cif", "data_x\n" CUBE SITES "Fe1 0 900000 0\n", 13, "site Fe1 has the coordinate 3.6e+06 A");
    is_refused("tc.cif",
               "data_x\n" CUBE "_atom_site_type_symbol Fe/O\n_atom_site_fract_x 0\n_atom_site_fract_y 0\n"
               "_atom_site_fract_z 0\n",
               8, "'Fe/O' is not an element");
#define ONE "_atom_site_label Li1\n_atom_site_fract_x 0\n_atom_site_fract_y 0\n_atom_site_fract_z 0\n"
    is_refused("tc.cif", "data_x\n" CUBE ONE "_atom_site_occupancy 0.5(1)\n", 12,
               "site Li1 has occupancy 0.5; only full sites (occupancy 1) can be computed");
    is_refused("tc.cif", "data_x\n" CUBE ONE "_atom_site_occupancy 2\n", 12, "site Li1 has occupancy 2");
    is_refused("tc.cif", "data_x\n" CUBE ONE "_atom_site_occupancy ?\n", 12, "occupancy '?' of site Li1");
    is_refused("tc.cif", "data_x\n" CUBE ONE "_atom_site_attached_hydrogens 2\n", 12,
               "site Li1 has '2' attached hydrogens");
    is_refused("tc.cif",
               "data_x\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,y,z\n_atom_site_label H1\n_atom_site_Cartn_x 0\n"
               "_atom_site_Cartn_y 0\n_atom_site_Cartn_z 0\n",
               3, "symmetry operations without a cell");
    is_refused("tc.cif",
               "data_x\n" CUBE "_atom_sites_Cartn_tran_matrix_12 1.5\n_atom_site_label H1\n_atom_site_Cartn_x 0\n"
               "_atom_site_Cartn_y 0\n_atom_site_Cartn_z 0\n",
               8, "Cartn coordinates are read in the frame");
}

static void test_blocks(void)
{
    static const char text[] = "data_global\n_a 1\n"
                               "data_one\n" CUBE ONE "data_bad\n" CUBE ONE "_atom_site_occupancy 0.5\n"
                               "data_empty\n_b 2\n"
                               "data_two\n" CUBE SITES "O1 0 0 0\n";
    chgi_reader *reader;
    chgi_structure s;
    bool got;
    write_bytes("tc-blocks.cif", text, sizeof text - 1);
    if (chgi_reader_open(ctx, "tc-blocks.cif", &reader) != CHGNET_OK)
        tap_bail("open");
    tap_ok(chgi_reader_next(reader, &s, &got) == CHGNET_OK && got && s.numbers[0] == 3, "the first block with atoms");
    tap_is_int(chgi_reader_line(reader), 3, "begins at line 3");
    chgi_structure_destroy(&s);
    tap_ok(chgi_reader_next(reader, &s, &got) == CHGNET_EINPUT && !got && chgi_reader_line(reader) == 14,
           "the second is bad, at line 14");
    tap_ok(!chgi_reader_at_end(reader) && chgi_reader_next(reader, &s, &got) == CHGNET_OK && got && s.numbers[0] == 8,
           "the third is read all the same");
    tap_is_text(chgi_structure_info(&s, "name"), "two", "under its name");
    chgi_structure_destroy(&s);
    tap_ok(chgi_reader_at_end(reader) && chgi_reader_next(reader, &s, &got) == CHGNET_OK && !got, "then the end");
    chgi_reader_destroy(reader);
    unlink("tc-blocks.cif");
}

static void test_writing(void)
{
    chgi_structure a, b;
    chgi_text text = {0};
    if (is_read("tc.xyz", "3\nLattice=\"5 0 0 0.7 4 0 -.3 .9 6\"\nO 1 2 -9\nLi .3 .1 .2\nO 4 4 4\n", &a, "an XYZ")) {
        tap_ok(chgi_cif_write(ctx, &text, &a) == CHGNET_OK && strncmp(text.data, "data_LiO2\n", 10) == 0,
               "written as CIF");
        if (is_read("tc.cif", text.data, &b, "the CIF"))
            same_structure(&a, &b, 1e-12, "round trip");
        chgi_structure_destroy(&b);
    }
    chgi_structure_destroy(&a);
    chgi_text_clear(&text);
    if (is_read("tc.xyz", "1\n\nO 1 2 -9\n", &a, "a molecule"))
        tap_ok(chgi_cif_write(ctx, &text, &a) == CHGNET_EINPUT && text.length == 0, "cannot be a CIF");
    chgi_structure_destroy(&a);
    chgi_text_destroy(&text);
}

/* Many atoms in little time: the search for two atoms on one place must not compare all pairs. */
static void test_large(void)
{
    chgi_text text = {0};
    chgi_structure s;
    chgi_text_print(&text, "data_x\n%s%s", CELL(300, 300, 300, 90, 90, 90), SITES);
    for (int i = 0; i < 40000; i++)
        chgi_text_print(&text, "H%d %.4f %.4f %.4f\n", i, i % 40 / 40.0, i / 40 % 40 / 40.0, i / 1600 / 40.0);
    if (is_read("tc.cif", text.data, &s, "40000 sites"))
        tap_is_int(s.n_atom, 40000, "are all there");
    chgi_structure_destroy(&s);
    chgi_text_destroy(&text);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    test_samples();
    test_operations();
    test_orbit();
    test_syntax();
    test_cartesian();
    test_symmetry();
    test_refused_syntax();
    test_refused_content();
    test_blocks();
    test_writing();
    test_large();
    chgnet_context_destroy(ctx);
    return tap_done();
}
