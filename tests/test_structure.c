/* Structures in memory, elements, and what is common to all structure files.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <limits.h>
#include <locale.h>

#include "structures.h"

static void test_elements(void)
{
    int good = 0;
    for (int z = 1; z <= CHGI_MAX_ELEMENT; z++)
        good += chgi_element_number(chgi_element_symbol(z), strlen(chgi_element_symbol(z))) == z;
    tap_is_int(good, 118, "every symbol leads back to its number");
    tap_is_int(chgi_element_number("Lithium", 2), 3, "only the given length counts");
    tap_is_int(chgi_element_number("Lv", 2), 116, "Lv is 116");
    tap_ok(chgi_element_number("X", 1) == 0 && chgi_element_number("li", 2) == 0 && chgi_element_number("LI", 2) == 0 &&
               chgi_element_number("Lit", 3) == 0 && chgi_element_number("", 0) == 0 &&
               chgi_element_number("H\0", 2) == 0,
           "what is no element is 0");
    tap_is_text(chgi_element_symbol(0), "X", "no symbol for 0");
    tap_is_text(chgi_element_symbol(119), "X", "no symbol for 119");
    tap_is_text(chgi_element_symbol(95), "Am", "95 is Am");
}

static void fill(chgi_structure *s)
{
    if (chgi_structure_create(ctx, 2, s) != CHGNET_OK)
        tap_bail("no memory");
    for (int k = 0; k < 3; k++) {
        s->cell[k][k] = 4;
        s->pbc[k] = true;
    }
    s->numbers[0] = 3;
    s->numbers[1] = 8;
    s->positions[3] = 2;
}

static void is_wrong(const chgi_structure *s, const char *words)
{
    chgnet_status status = chgi_structure_check(ctx, s, 94);
    const char *error = chgnet_context_error(ctx);
    if (!tap_ok(status == CHGNET_EINPUT && strstr(error, words), "check refuses: %s", words))
        tap_note("%d %s", (int)status, error);
}

static void test_check(void)
{
    chgi_structure s;
    fill(&s);
    s.n_atom = (int64_t)INT32_MAX + 1; /* refused before an atom is looked at */
    is_wrong(&s, "2147483648 atoms; at most 2147483647 can be numbered");
    s.n_atom = 2;
    chgi_structure none;
    tap_ok(chgi_structure_create(ctx, (int64_t)INT32_MAX + 1, &none) == CHGNET_EINPUT && !none.positions,
           "more atoms than can be numbered: no memory is taken");
    tap_is_int(chgi_structure_check(ctx, &s, 94), CHGNET_OK, "a good structure passes");
    s.numbers[1] = 95;
    is_wrong(&s, "element Am (Z 95, atom 2) is unknown to this model; it knows Z 1 to 94");
    s.numbers[1] = 0;
    is_wrong(&s, "atom 2 has atomic number 0");
    s.numbers[1] = 8;
    s.positions[4] = NAN;
    is_wrong(&s, "atom 2 (O) has a coordinate that is not finite");
    s.positions[4] = -2e6;
    is_wrong(&s, "atom 2 (O) has the coordinate -2e+06 A");
    s.positions[4] = 0;
    s.cell[2][0] = INFINITY;
    is_wrong(&s, "cell vector 3 is not finite");
    s.cell[2][0] = 1e300;
    is_wrong(&s, "cell vector 3 is not finite");
    s.cell[2][0] = 3e6;
    is_wrong(&s, "cell vector 3 is 3e+06 A long");
    s.cell[2][0] = 0;
    s.cell[2][2] = 0;
    is_wrong(&s, "cell vector 3 is zero but its axis is periodic");
    s.pbc[2] = false;
    tap_is_int(chgi_structure_check(ctx, &s, 94), CHGNET_OK, "a zero vector along a non-periodic axis passes");
    s.cell[2][0] = 8;
    tap_is_int(chgi_structure_check(ctx, &s, 94), CHGNET_OK, "so does one that is parallel to a periodic one");
    s.cell[1][0] = 4;
    s.cell[1][1] = 0;
    is_wrong(&s, "vectors 1 and 2 are parallel");
    s.pbc[1] = false;
    tap_is_int(chgi_structure_check(ctx, &s, 94), CHGNET_OK, "one periodic axis needs one vector");
    s.cell[0][0] = 5e-4;
    is_wrong(&s, "on its own image");
    chgi_structure_destroy(&s);
    fill(&s);
    s.cell[2][2] = 0;
    s.cell[2][0] = s.cell[2][1] = 1;
    is_wrong(&s, "the cell is singular: its three vectors lie in one plane");
    s.n_atom = 0;
    is_wrong(&s, "there are no atoms");
    s.n_atom = 2;
    chgi_structure_destroy(&s);
    tap_is_int(chgi_structure_create(ctx, INT64_MAX, &s), CHGNET_EINPUT, "an absurd size is refused");
}

static void test_geometry(void)
{
    const double cell[3][3] = {{3, 0, 0}, {1, 2, 0}, {-1, 0.5, 4}};
    const double left[3][3] = {{1, 2, 0}, {3, 0, 0}, {-1, 0.5, 4}};
    double inverse[3][3], error = 0;
    tap_near(chgi_structure_volume(cell), 24, 1e-12, "volume");
    tap_near(chgi_structure_volume(left), -24, 1e-12, "volume of a left-handed cell is negative");
    tap_ok(chgi_structure_invert(left, inverse), "a left-handed cell has an inverse");
    for (int i = 0; i < 9; i++) {
        double sum = i / 3 == i % 3 ? -1 : 0;
        for (int k = 0; k < 3; k++)
            sum += left[i / 3][k] * inverse[k][i % 3];
        error = fmax(error, fabs(sum));
    }
    tap_near(error, 0, 1e-14, "cell times inverse is one");
    const double flat[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, none[3][3] = {{0}};
    tap_ok(!chgi_structure_invert(flat, inverse), "a flat cell has no inverse");
    tap_ok(!chgi_structure_invert(none, inverse), "a zero cell has no inverse");
}

static void test_info(void)
{
    chgi_structure s, copy;
    double forces[6] = {1, 2, 3, 4, 5, 6};
    char key[16];
    bool good = true;
    fill(&s);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        good = good && chgi_structure_set_info(ctx, &s, key, key + 3) == CHGNET_OK;
    }
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        good = good && strcmp(chgi_structure_info(&s, key), key + 3) == 0;
    }
    tap_ok(good, "100 info keys are kept");
    tap_ok(chgi_structure_set_info(ctx, &s, "key7", "new") == CHGNET_OK && s.n_info == 100, "a key is replaced");
    chgi_structure_drop_info(&s, "key8");
    chgi_structure_drop_info(&s, "nothing");
    tap_ok(s.n_info == 99 && !chgi_structure_info(&s, "key8") && chgi_structure_info(&s, "key99"), "a key is removed");
    tap_ok(chgi_structure_set_column(ctx, &s, "forces", 3, forces) == CHGNET_OK &&
               chgi_structure_set_column(ctx, &s, "forces", 3, forces) == CHGNET_OK && s.n_column == 1,
           "a column is replaced");
    tap_ok(chgi_structure_set_column(ctx, &s, "q", 1, forces) == CHGNET_OK && !chgi_structure_column(&s, "none"),
           "a second column");
    tap_ok(chgi_structure_copy(ctx, &s, &copy) == CHGNET_OK, "a structure is copied");
    chgi_structure_destroy(&s);
    tap_near(chgi_structure_column(&copy, "forces")->data[5], 6, 0, "the copy has the column");
    tap_is_text(chgi_structure_info(&copy, "key7"), "new", "the copy has the info");
    chgi_structure_destroy(&copy);
}

/* Faults that every format shares. */
static void test_files(void)
{
    chgi_reader *reader;
    is_refused("ts.cif", "", 1, "the file is empty");
    is_refused("ts.xyz", " \n\r\n\t\n", 1, "the file is empty");
    is_refused("ts.dat", "hello\nworld\n", 1, "not recognised by content or name; a POSCAR, CIF");
    write_bytes("ts.vasp", "Fe\n1.0\n\0\1\2", 10);
    chgi_structure s;
    tap_ok(read_path("ts.vasp", &s) == CHGNET_EINPUT &&
               strncmp(chgnet_context_error(ctx), "ts.vasp:3: a binary file", 24) == 0,
           "a binary file is refused with its line");
    unlink("ts.vasp");
    tap_is_int(chgi_reader_open(ctx, "no-such-file.cif", &reader), CHGNET_EINPUT, "a missing file");
    tap_ok(strstr(chgnet_context_error(ctx), "no-such-file.cif: ") && !reader, "is named");
    tap_is_int(chgi_reader_open(ctx, ".", &reader), CHGNET_EINPUT, "a directory");
}

static void is_format(const char *name, const char *text, int32_t first, const char *what)
{
    chgi_structure s;
    if (is_read(name, text, &s, what))
        tap_is_int(s.numbers[0], first, what);
    chgi_structure_destroy(&s);
}

static void test_recognition(void)
{
    const char *poscar = "4\n1.0\n3 0 0\n0 3 0\n0 0 3\nFe\n1\nDirect\n0 0 0\n";
    const char *xyz = "\xef\xbb\xbf"
                      "1\n1.0\nFe 0 0 0\n";
    const char *cif =
        "\n# comment\ndata_x\n_cell_length_a 3\n_cell_length_b 3\n_cell_length_c 3\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 90\n_atom_site_label Fe1\n_atom_site_fract_x 0\n"
        "_atom_site_fract_y 0\n_atom_site_fract_z 0\n";
    is_format("ts-unknown", poscar, 26, "a POSCAR by content");
    is_format("ts-unknown", xyz, 26, "an XYZ by content, with a byte order mark");
    is_format("ts-unknown", cif, 26, "a CIF by content");
    is_format("POSCAR.cif", cif, 26, "content goes before name (CIF called POSCAR)");
    is_format("ts.cif", poscar, 26, "content goes before name (POSCAR called .cif)");
    is_format("ts.vasp", xyz, 26, "content goes before name (XYZ called .vasp)");
    is_refused("ts.POSCAR", "x\nabc\n", 2, "the scale");
    is_refused("CONTCAR_x", "x\nabc\n", 2, "the scale");
    is_refused("ts.XYZ", "abc\n", 1, "is not a number of atoms");
    is_refused("ts.cif", "abc\n", 1, "a CIF begins with data_NAME");
}

/* An installed locale with a decimal comma, else one made here where the system has the sources of locales. */
static bool choose_comma(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    for (size_t i = 0; i < 4; i++)
        if (setlocale(LC_ALL, names[i]))
            return true;
    if (system("mkdir -p ts-locale && localedef -i de_DE -f UTF-8 ts-locale/de_DE.UTF-8 >/dev/null 2>&1 || { rm -rf "
               "ts-locale; false; }") != 0)
        return false;
    setenv("LOCPATH", "ts-locale", 1);
    return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

static void test_locale(void)
{
    chgi_structure s;
    chgi_text text = {0};
    char comma[8];
    if (!choose_comma()) {
        tap_skip("no locale with a decimal comma");
        return;
    }
    snprintf(comma, sizeof comma, "%.1f", 0.5);
    tap_is_text(comma, "0,5", "the locale has a decimal comma");
    if (is_read("ts.xyz", "1\nLattice=\"1.5 0 0 0 2 0 0 0 2\"\nFe 0.25 0 0\n", &s, "an XYZ under a decimal comma")) {
        tap_near(s.positions[0], 0.25, 0, "coordinate under a decimal comma");
        tap_ok(chgi_extxyz_write(ctx, &text, &s) == CHGNET_OK && strstr(text.data, "Fe 0.25 0 0"),
               "points are written");
    }
    setlocale(LC_ALL, "C");
    tap_ok(system("rm -rf ts-locale") == 0, "nothing is left behind");
    chgi_text_destroy(&text);
    chgi_structure_destroy(&s);
}

static void test_numbers(void)
{
    const double values[] = {0.1, 1.0 / 3, -1e-300, 5e-324, 1.7976931348623157e308, 123456789.125, 0, 1e22, -2.5};
    chgi_text text = {0};
    bool good = true;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        double back;
        chgi_text_clear(&text);
        chgi_text_number(&text, values[i]);
        good = good && chgi_text_to_double(text.data, text.length, &back) && back == values[i];
    }
    tap_ok(good, "numbers are written so that they read back the same");
    chgi_text_clear(&text);
    chgi_text_number(&text, 0.1);
    chgi_text_append(&text, " ", 1);
    chgi_text_number(&text, -(double)NAN);
    chgi_text_append(&text, " ", 1);
    chgi_text_number(&text, -INFINITY);
    tap_is_text(text.data, "0.1 nan -inf", "as short as they can be");
    chgi_text_destroy(&text);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    test_elements();
    test_check();
    test_geometry();
    test_info();
    test_numbers();
    test_files();
    test_recognition();
    test_locale();
    chgnet_context_destroy(ctx);
    return tap_done();
}
