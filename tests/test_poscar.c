/* POSCAR and CONTCAR: reading, writing, and refusing.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "structures.h"

static void test_sample(void)
{
    static const double want[12] = {0, 0, 0, 1.1, 1.65, 2.85, 0.64, 1.17, 4.275, -0.68, 2.73, 1.71};
    chgi_structure s;
    if (!tap_ok(read_path(tap_source("tests/files/CONTCAR-velocities"), &s) == CHGNET_OK, "a CONTCAR with velocities"))
        tap_note("%s", chgnet_context_error(ctx));
    else {
        tap_ok(s.n_atom == 4 && s.numbers[0] == 3 && s.numbers[1] == 25 && s.numbers[3] == 8, "its elements");
        tap_ok(s.pbc[0] && s.pbc[1] && s.pbc[2], "periodic");
        same_positions(&s, want, 1e-12, "its positions");
        mask_is(&s, "TTFFFFTTTTTF", "its selective dynamics");
        tap_ok(!s.mask_direct, "free along a and b is free along x and y");
        tap_is_text(chgi_structure_info(&s, "comment"), "LiMnO2 by pymatgen", "its comment");
    }
    chgi_structure_destroy(&s);
}

#define CELL "3 0 0\n0 4 0\n0 0 5\n"

static void check_first(const char *text, const char *name, int32_t z, double x, double y, double zz, double volume)
{
    chgi_structure s;
    if (is_read("POSCAR_t", text, &s, name)) {
        const double want[3] = {x, y, zz};
        const chgi_structure *fixed = &s;
        tap_is_int(s.numbers[0], z, name);
        double error =
            fmax(fabs(s.positions[0] - want[0]), fmax(fabs(s.positions[1] - want[1]), fabs(s.positions[2] - want[2])));
        tap_near(error, 0, 1e-12, name);
        tap_near(chgi_structure_volume(fixed->cell), volume, 1e-9, name);
    }
    chgi_structure_destroy(&s);
}

static void test_variants(void)
{
    check_first("x\n1.0\n" CELL "Fe\n1\nDirect\n0.5 0.25 0.2\n", "direct", 26, 1.5, 1, 1, 60);
    check_first("x\n2.0\n" CELL "Fe\n1\nCartesian\n0.5 0.25 0.2\n", "Cartesian with a scale", 26, 1, 0.5, 0.4, 480);
    check_first("x\n-480\n" CELL "Fe\n1\nk\n0.5 0.25 0.2\n", "a volume", 26, 1, 0.5, 0.4, 480);
    check_first("x\n-480\n0 4 0\n3 0 0\n0 0 5\nFe\n1\nc\n0.5 0.25 0.2\n", "a volume, left-handed", 26, 1, 0.5, 0.4,
                -480);
    check_first("x\n2 1 0.5\n" CELL "Fe\n1\nC\n0.5 0.25 0.2\n", "three scales", 26, 1, 0.25, 0.1, 60);
    check_first("Fe O\n1\n" CELL "1 1\nd\n0 0 0\n.5 .5 .5\n", "version 4, symbols in the comment", 26, 0, 0, 0, 60);
    check_first("\r\n1\r\n3 0 0\r\n0 4 0\r\n0 0 5\r\nFe\r\n1\r\nD\r\n0.5 0 0\r\n", "CR LF and no comment", 26, 1.5, 0,
                0, 60);
    check_first("x\n1 ! scale\n3 0 0 ! a\n0 4 0 # b\n0 0 5\nFe_pv/0a1b2c O\n1 1 ! counts\nDirect\n0 0 0 ! first\n"
                ".5 .5 .5 O1\n",
                "comments, POTCAR names, labels", 26, 0, 0, 0, 60);
    check_first("x\n0.1D+01\n3.0d0 0 0\n0 4 0\n0 0 5\nFe\n1\nD\n5.0D-01 0 0\n", "Fortran's exponents", 26, 1.5, 0, 0,
                60);
    check_first("x\n1\n" CELL "Fe O\nFe\n1 1\n1\nD\n0.5 0 0\n0 0 0\n.2 .2 .2\n\n 0 0 0\n",
                "symbols and counts in two lines", 26, 1.5, 0, 0, 60);
    check_first("x\n1\n" CELL "Fe\n1\nD\n0 0 0\nLattice velocities and vectors\n 1\n 0 0 0\n", "lattice velocities", 26,
                0, 0, 0, 60);
}

static void test_selective(void)
{
    chgi_structure s;
    if (is_read("POSCAR_t",
                "x\n1\n" CELL "H\n2\nSelective dynamics\nDirect\n0 0 0 T .FALSE. F\n.5 .5 .5 .T. true t H\n", &s,
                "selective dynamics")) {
        mask_is(&s, "TFFTTT", "flags in all spellings");
        tap_ok(!s.mask_direct, "an orthogonal cell: along x, y, z");
    }
    chgi_structure_destroy(&s);
    if (is_read("POSCAR_t", "x\n1\n3 0 0\n1 4 0\n0 0 5\nH\n1\ns\nD\n0 0 0 F T T\n", &s, "a mask on a skew cell"))
        tap_ok(s.move_mask && s.mask_direct, "b is no Cartesian direction: the mask is along the cell vectors");
    chgi_structure_destroy(&s);
    if (is_read("POSCAR_t", "x\n1\n3 0 0\n1 4 0\n0 0 5\nH\n2\ns\nD\n0 0 0 F F F\n0 0 .5 T T F\n", &s, "a slab's mask"))
        tap_ok(s.move_mask && !s.mask_direct, "free in the plane of a and b is free in x and y");
    chgi_structure_destroy(&s);
    if (is_read("POSCAR_t", "x\n1\n" CELL "H\n1\nS\nD\n0 0 0 T T T\n", &s, "selective dynamics that fix nothing"))
        tap_ok(!s.move_mask, "is no mask");
    chgi_structure_destroy(&s);
}

static void round_trip(const char *text, const char *name)
{
    chgi_structure a, b;
    chgi_text once = {0};
    if (is_read("POSCAR_t", text, &a, name)) {
        tap_ok(chgi_poscar_write(ctx, &once, &a) == CHGNET_OK, "%s: written", name);
        if (is_read("POSCAR_t", once.data, &b, name)) {
            same_structure(&a, &b, 1e-13, name);
            bool same = (a.move_mask == NULL) == (b.move_mask == NULL) && a.mask_direct == b.mask_direct;
            if (same && a.move_mask)
                same = memcmp(a.move_mask, b.move_mask, 3 * (size_t)a.n_atom) == 0;
            tap_ok(same, "%s: same mask", name);
        }
        chgi_structure_destroy(&b);
    }
    chgi_structure_destroy(&a);
    chgi_text_destroy(&once);
}

static void test_writing(void)
{
    chgi_structure s;
    chgi_text text = {0};
    round_trip("x\n-123.4\n-3 0.1 0\n0.5 4 0.7\n0 -.3 5\nFe O Fe\n1 2 1\nC\n1 2 3\n-1 9 0\n.1 .2 .3\n.5 .5 .5\n",
               "runs of elements");
    round_trip("x\n1\n3 0 0\n1 4 0\n0 0 5\nH O\n1 1\ns\nD\n0 0 0 F T T\n.1 .1 .1 F F F\n", "a direct mask");
    round_trip("x\n1\n" CELL "H\n1\ns\nD\n0 0 0 F T T\n", "a Cartesian mask");
    if (is_read("tp.xyz", "3\nLattice=\"2 0 0 0 2 0 0 0 2\"\nO 1 0 0\nH 0 0 0\nO 0 1 -1\n", &s, "an XYZ")) {
        tap_ok(chgi_poscar_write(ctx, &text, &s) == CHGNET_OK, "to be written as POSCAR");
        tap_is_text(text.data,
                    "O H O\n1.0\n 2 0 0\n 0 2 0\n 0 0 2\n O H O\n 1 1 1\nDirect\n 0.5 0 0\n 0 0 0\n 0 0.5 -0.5\n",
                    "keeps the order of atoms");
    }
    chgi_structure_destroy(&s);
    chgi_text_clear(&text);
    if (is_read("tp.xyz", "1\n\nO 1 0 0\n", &s, "a molecule"))
        tap_ok(chgi_poscar_write(ctx, &text, &s) == CHGNET_EINPUT && text.length == 0 &&
                   strstr(chgnet_context_error(ctx), "needs a cell"),
               "cannot be a POSCAR");
    chgi_structure_destroy(&s);
    if (is_read("tp.xyz",
                "1\nLattice=\"2 0 0 1 2 0 0 0 2\" Properties=species:S:1:pos:R:3:move_mask:L:3\nO 1 0 0 F T T\n", &s,
                "a mask along x, y, z"))
        tap_ok(chgi_poscar_write(ctx, &text, &s) == CHGNET_EINPUT && text.length == 0 &&
                   strstr(chgnet_context_error(ctx), "atom 1 is fixed along x, y or z"),
               "has no counterpart in a skew cell");
    chgi_structure_destroy(&s);
    chgi_text_destroy(&text);
}

static void test_refused_heads(void)
{
    is_refused("POSCAR_t", "x\n", 1, "the file ends before the scale");
    is_refused("POSCAR_t", "x\nabc\n", 2, "'abc' is not a finite number");
    is_refused("POSCAR_t", "x\n1 2\n" CELL, 2, "give one or three");
    is_refused("POSCAR_t", "x\n0\n" CELL "Fe\n1\nD\n0 0 0\n", 2, "the scale is zero or negative; ");
    is_refused("POSCAR_t", "x\n1 -1 1\n" CELL "Fe\n1\nD\n0 0 0\n", 2, "the scale is zero or negative; ");
    is_refused("POSCAR_t", "x\nnan\n" CELL, 2, "'nan' is not a finite number");
    is_refused("POSCAR_t", "x\n1,0\n" CELL, 2, "'1,0' is not a finite number");
    is_refused("POSCAR_t", "x\n1\n3 0\n0 4 0\n0 0 5\n", 3, "has 2 numbers; 3 are needed");
    is_refused("POSCAR_t", "x\n1\n3 0 0\n0 4 0 0\n0 0 5\n", 4, "'0' is too much here");
    is_refused("POSCAR_t", "x\n1\n3 0 0\n0 4 0\n0 inf 5\n", 5, "'inf' is not a finite number");
    is_refused("POSCAR_t", "x\n1\n3 0 0\n0 4 0\n", 4, "the file ends before the three cell vectors; a POSCAR has");
    is_refused("POSCAR_t", "x\n1\n3 0 0\n0 4 0\n3 4 0\nFe\n1\nD\n0 0 0\n", 5, "the cell is singular");
    is_refused("POSCAR_t", "x\n-9\n3 0 0\n0 4 0\n3 4 0\nFe\n1\nD\n0 0 0\n", 5, "the cell is singular");
    is_refused("POSCAR_t", "x\n1\n3 0 0\n0 0 0\n3 4 0\nFe\n1\nD\n0 0 0\n", 5, "cell vector 2 is zero");
    is_refused("POSCAR_t", "x\n1e6\n" CELL "Fe\n1\nD\n0 0 0\n", 5, "cell vector 1 is 3e+06 A long");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fx\n1\nD\n0 0 0\n", 6, "'Fx' is not an element");
    is_refused("POSCAR_t", "x\n1\n" CELL "\n1\nD\n0 0 0\n", 6, "an empty line; element symbols");
    is_refused("POSCAR_t", "two words\n1\n" CELL "1 1\nD\n0 0 0\n1 1 1\n", 6,
               "(VASP 4), and the first line does not hold 2");
    is_refused("POSCAR_t", "Fe\n1\n" CELL "1 1\nD\n0 0 0\n1 1 1\n", 6, "(VASP 4)");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe O\n1\nD\n0 0 0\n", 7, "2 symbols but 1 counts");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1 2\nD\n0 0 0\n0 0 0\n0 0 0\n", 7, "more counts than the 1 symbols");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n0\nD\n0 0 0\n", 7, "'0' is not a number of atoms");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe O\n1 -1\nD\n0 0 0\n", 7, "'-1' is not a number of atoms");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1.5\nD\n0 0 0\n", 7, "'1.5' is not a number of atoms");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n99999999999999999999\nD\n0 0 0\n", 7, "is not a number of atoms");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe O\n9223372036854775807 9\nD\n0 0 0\n", 7, "more than the file can hold");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n100\nD\n0 0 0\n", 7, "100 atoms are more than the file can hold");
}

static void test_refused_bodies(void)
{
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\n", 7, "more than the file can hold");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\n0 0 0\n0 0 0\n", 8, "'0' is not a mode; it begins with D, C or K");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nfract\n0 0 0\n", 8, "'fract' is not a mode");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\n\n0 0 0\n", 8, "'' is not a mode");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nS\nx\n0 0 0 T T T\n", 9, "'x' is not a mode");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n2\nD\n0.1 0.2 0.3\n", 9, "the file ends after 1 of 2 atoms");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n2\nD\n0.1 0.2 0.3\n0 0\n", 10, "has 2 numbers; 3 are needed");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nD\n0 nan 0\n", 9, "'nan' is not a finite number");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nD\n0 0,5 0\n", 9, "'0,5' is not a finite number");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nD\n0 1e6 0\n", 9, "atom 1 has the coordinate 4e+06 A");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nD\n0 0 0 0.5\n", 9, "is not its element Fe");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe O\n1 1\nD\n0 0 0 O\n.5 .5 .5 Fe\n", 9,
               "'O' behind its position is not its element Fe");
    is_refused("POSCAR_t", "x\n1\n" CELL "C\n1\nD\n0 0 0 Cu\n", 9, "'Cu' behind its position is not its element C");
    is_refused("POSCAR_t", "x\n1\n" CELL "C\n1\nD\n0 0 0 C 5\n", 9, "'5' is too much here");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nS\nD\n0 0 0 T T\n", 10, "has 2 flags behind its position; selective");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nS\nD\n0 0 0 T T 1\n", 10, "flag '1' is unknown; give T or F");
    is_refused("POSCAR_t", "x\n1\n" CELL "Fe\n1\nD\n0 0 0\n.5 .5 .5\n", 10, "follows the 1 atoms of the counts");
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    test_sample();
    test_variants();
    test_selective();
    test_writing();
    test_refused_heads();
    test_refused_bodies();
    chgnet_context_destroy(ctx);
    return tap_done();
}
