/* Extended XYZ: reading, writing, and refusing.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "structures.h"

static const char *info(const chgi_structure *s, const char *key)
{
    const char *value = chgi_structure_info(s, key);
    return value ? value : "(absent)";
}

static void test_sample(void)
{
    chgi_reader *reader;
    chgi_structure s;
    bool got;
    if (!tap_ok(chgi_reader_open(ctx, tap_source("tests/files/ase.extxyz"), &reader) == CHGNET_OK, "open ASE's file"))
        return;
    tap_ok(chgi_reader_next(reader, &s, &got) == CHGNET_OK && got, "first frame");
    tap_is_int(s.n_atom, 4, "four atoms");
    tap_ok(s.pbc[0] && s.pbc[1] && !s.pbc[2], "pbc T T F");
    tap_near(s.cell[1][0], -1.2, 0, "second cell vector, x");
    tap_near(s.cell[2][1], 0.4, 0, "third cell vector, y");
    tap_near(s.positions[3 * 3 + 1], 2.73, 0, "a position");
    mask_is(&s, "FTTTTTFFFTTT", "move_mask as ASE means it: T may move");
    tap_is_text(info(&s, "label"), "two words", "info with a blank");
    tap_is_text(info(&s, "note"), "say \"yes\"", "info with quotes");
    tap_is_text(info(&s, "v"), "1.5 2.5", "info array");
    tap_is_text(info(&s, "energy"), "-1.25", "energy");
    tap_is_text(info(&s, "Lattice"), "(absent)", "Lattice is not left in info");
    const chgi_column *forces = chgi_structure_column(&s, "forces");
    tap_ok(forces && forces->width == 3 && forces->type == 'R' && forces->data[11] == 1.375, "forces are kept");
    tap_ok(chgi_structure_column(&s, "magmoms") && s.n_column == 2, "magmoms are kept");
    tap_is_int(chgi_reader_line(reader), 1, "the frame begins at line 1");
    chgi_structure_destroy(&s);
    tap_ok(!chgi_reader_at_end(reader) && chgi_reader_next(reader, &s, &got) == CHGNET_OK && got, "second frame");
    tap_ok(s.n_atom == 3 && s.cell[0][0] == 0 && !s.pbc[0] && !s.pbc[1] && !s.pbc[2] && !s.move_mask, "a molecule");
    tap_is_int(chgi_reader_line(reader), 7, "the second frame begins at line 7");
    chgi_structure_destroy(&s);
    tap_ok(chgi_reader_at_end(reader) && chgi_reader_next(reader, &s, &got) == CHGNET_OK && !got, "then the end");
    chgi_reader_destroy(reader);
}

/* What is written reads back the same and is written the same again. */
static void round_trip(const char *text, const char *name)
{
    chgi_structure a, b;
    chgi_text once = {0}, twice = {0};
    if (is_read("tx.xyz", text, &a, name)) {
        tap_ok(chgi_extxyz_write(ctx, &once, &a) == CHGNET_OK, "%s: written", name);
        if (is_read("tx.xyz", once.data, &b, name)) {
            same_structure(&a, &b, 0, name);
            tap_ok(chgi_extxyz_write(ctx, &twice, &b) == CHGNET_OK, "%s: written again", name);
            tap_is_text(twice.data, once.data, name);
            chgi_structure_destroy(&b);
        }
    }
    chgi_structure_destroy(&a);
    chgi_text_destroy(&once);
    chgi_text_destroy(&twice);
}

static void test_round_trips(void)
{
    round_trip("2\nLattice=\"0.1 0.2 0.3 1.0 3.3333333333333335 0 0 0 7\" pbc=\"F T T\"\n"
               "Li 1e-17 0.30000000000000004 -2\nO 1 2 3\n",
               "awkward digits");
    round_trip("1\na\\\"b=\"c d\" 'k y'=[1, 2 ,3] m={x [y]} n=[[1,2],[3,4]] back=\"\\\\\" empty=\"\" flag e=\"a=b\"\nH "
               "0 0 0\n",
               "odd keys and values");
    round_trip("2\nProperties=id:I:1:pos:R:3:Z:I:1:name:S:2:move_mask:L:1:ok:L:2:q:R:1 pbc=F\n"
               "7 0 0 0 3 a b T T F 0.5\n8 1 2 3 8 c d F 0 1 nan\n",
               "any order of properties");
    round_trip("1\nmove=1 Properties=species:S:1:pos:R:3:move_mask_direct:L:3\nH 0 0 0 T F T\n", "direct mask");
    round_trip("1\nDon't panic\nH 0 0 0\n", "free text with an apostrophe");
}

static void test_comment(void)
{
    chgi_structure s;
    if (is_read("tx.xyz",
                "1\na = 1  b=\"x \\\"y\\\" z\" flag c=[[1, 2], [3, 4]] d={p q} e='it' f=x=y g=u\"v w\" \r\nH 0 0 0\r\n",
                &s, "a rich comment with CR LF")) {
        tap_is_text(info(&s, "a"), "1", "blanks around =");
        tap_is_text(info(&s, "b"), "x \"y\" z", "escaped quotes");
        tap_is_text(info(&s, "flag"), "T", "a bare key is T");
        tap_is_text(info(&s, "c"), "[1, 2], [3, 4]", "nested brackets");
        tap_is_text(info(&s, "d"), "p q", "braces");
        tap_is_text(info(&s, "e"), "it", "single quotes");
        tap_is_text(info(&s, "f"), "x=y", "an equals sign in a value");
        tap_is_text(info(&s, "g"), "uv w", "a quote inside a word");
    }
    chgi_structure_destroy(&s);
    if (is_read("tx.xyz", "1\n  Cubic cell of Si's \nH 0 0 0\n\n \n", &s, "free text and blank lines at the end")) {
        tap_is_text(info(&s, "comment"), "Cubic cell of Si's", "free text is kept whole");
        tap_ok(!s.pbc[0] && !s.pbc[1] && !s.pbc[2], "no Lattice: not periodic");
    }
    chgi_structure_destroy(&s);
    if (is_read("tx.xyz", "1\nLattice=\"2,0,0,0,2,0,0,0,2\"\nsI 0 0 0", &s, "commas in lists, no newline at the end"))
        tap_ok(s.pbc[0] && s.pbc[1] && s.pbc[2] && s.numbers[0] == 14, "Lattice alone: periodic; symbols in any case");
    chgi_structure_destroy(&s);
    if (is_read("tx.xyz", "1\npbc=T pbc=T Lattice=\"2 0 0 0 2 0 0 0 2\"\nH 0 0 0\n", &s,
                "the same key and value twice"))
        tap_ok(s.pbc[2], "one pbc value holds for all axes");
    chgi_structure_destroy(&s);
    if (is_read("tx.xyz", "1\nProperties=species:S:1:pos:R:3:move_mask:L:1\nH 0 0 0 T\n", &s, "a mask of T only"))
        tap_ok(!s.move_mask, "a mask of T only is no mask");
    chgi_structure_destroy(&s);
}

#define LATTICE "Lattice=\"5 0 0 0 5 0 0 0 5\" "
#define PROPERTIES "Properties=species:S:1:pos:R:3"

static void test_refusals(void)
{
    is_refused("tx.xyz", "two\nx\nH 0 0 0\n", 1, "is not a number of atoms");
    is_refused("tx.xyz", "1 2\nx\nH 0 0 0\n", 1, "is not a number of atoms");
    is_refused("tx.xyz", "-1\nx\nH 0 0 0\n", 1, "is not a number of atoms");
    is_refused("tx.xyz", "99999999999999999999\nx\nH 0 0 0\n", 1, "is not a number of atoms");
    is_refused("tx.xyz", "9223372036854775807\nx\nH 0 0 0\n", 3, "the file ends after 1 of 9223372036854775807 atoms");
    is_refused("tx.xyz", "4000000000\nx\nH 0 0 0\n", 3, "the file ends after 1 of 4000000000 atoms");
    is_refused("tx.xyz", "0\nx\n", 1, "a frame without atoms");
    is_refused("tx.xyz", "1\n", 1, "the file ends after the number of atoms");
    is_refused("tx.xyz", "3\nx\nH 0 0 0\nH 1 0 0\n", 4, "the file ends after 2 of 3 atoms");
    is_refused("tx.xyz", "1\nx\nH 0 0 0\nH 1 0 0\n", 4, "more lines than the 1 atoms that line 1 promises");
    is_refused("tx.xyz", "2\nx\nH 0 0 0\nH 1 0\n", 4, "atom 2 has 3 fields; 4 are needed");
    is_refused("tx.xyz", "1\nx\nH 0 0 0 0.5\n", 3, "further columns must be named in Properties=");
    is_refused("tx.xyz", "2\nx\nH 0 0 0\n\nH 1 0 0\n", 4, "atom 2 has 0 fields");
    is_refused("tx.xyz", "1\nx\nXx 0 0 0\n", 3, "'Xx' of atom 1 is not an element; give a symbol");
    is_refused("tx.xyz", "1\nx\nX 0 0 0\n", 3, "'X' of atom 1 is not an element");
    is_refused("tx.xyz", "1\nx\nH 0 nan 0\n", 3, "coordinate 'nan' is not finite");
    is_refused("tx.xyz", "1\nx\nH 0 0 -inf\n", 3, "coordinate '-inf' is not finite");
    is_refused("tx.xyz", "1\nx\nH 1e999 0 0\n", 3, "is not finite");
    is_refused("tx.xyz", "1\nx\nH 0 1,5 0\n", 3, "coordinate '1,5' is not a number");
    is_refused("tx.xyz", "1\nx\nH 0 0 2000000\n", 3, "coordinate '2000000' is too large");
    is_refused("tx.xyz", "1\nLattice=\"5 0 0 0 5 0 0 0 5\nH 0 0 0\n", 2, "\" is not closed");
    is_refused("tx.xyz", "1\na={1 2\nH 0 0 0\n", 2, "{ is not closed");
    is_refused("tx.xyz", "1\na=\nH 0 0 0\n", 2, "key 'a' has no value");
    is_refused("tx.xyz", "1\nname= " LATTICE "\nH 0 0 0\n", 2, "key 'name' has no value");
    is_refused("tx.xyz", "1\n=5\nH 0 0 0\n", 2, "a key is missing");
    is_refused("tx.xyz", "1\nenergy=1 energy=2\nH 0 0 0\n", 2, "key 'energy' is given twice");
    is_refused("tx.xyz", "1\nlattice=\"5 0 0 0 5 0 0 0 5\"\nH 0 0 0\n", 2,
               "the key 'lattice' is not known in this case of letters; spell it Lattice");
    is_refused("tx.xyz", "1\nLattice=\"5 5 5\"\nH 0 0 0\n", 2, "Lattice has 3 numbers");
    is_refused("tx.xyz", "1\nLattice=\"5 0 0 0 5 0 0 0 5 1\"\nH 0 0 0\n", 2, "Lattice has 10 numbers");
    is_refused("tx.xyz", "1\nLattice=\"5 0 0 0 a 0 0 0 5\"\nH 0 0 0\n", 2, "Lattice 'a' is not a number");
    is_refused("tx.xyz", "1\nLattice=\"5 0 0 0 5 0 0 0 nan\"\nH 0 0 0\n", 2, "Lattice 'nan' is not finite");
    is_refused("tx.xyz", "1\nLattice=\"5 0 0 0 5 0 5 5 0\"\nH 0 0 0\n", 2, "the cell is singular");
    is_refused("tx.xyz", "1\nLattice=\"5 0 0 0 5 0 0 0 0\"\nH 0 0 0\n", 2, "cell vector 3 is zero");
    is_refused("tx.xyz", "1\npbc=\"T T T\"\nH 0 0 0\n", 2, "cell vector 1 is zero");
    is_refused("tx.xyz", "1\n" LATTICE "pbc=\"T T\"\nH 0 0 0\n", 2,
               "pbc 'T T' is not a list of flags; give three T or F");
    is_refused("tx.xyz", "1\n" LATTICE "pbc=\"T T X\"\nH 0 0 0\n", 2, "pbc 'T T X'");
    is_refused("tx.xyz", "1\n" LATTICE "pbc=\"T T T T\"\nH 0 0 0\n", 2, "pbc 'T T T T'");
    is_refused("tx.xyz", "1\nProperties=species:S:1:pos:R\nH 0 0 0\n", 2,
               "is not a list of columns; give name:type:columns");
    is_refused("tx.xyz", "1\nProperties=species:S:1:pos:Q:3\nH 0 0 0\n", 2,
               "is not a list of columns; give name:type:columns");
    is_refused("tx.xyz", "1\n" PROPERTIES ":q:R:0\nH 0 0 0\n", 2, "'0' is not a number of columns");
    is_refused("tx.xyz", "1\n" PROPERTIES ":q:R:2000000000\nH 0 0 0\n", 2, "is not a number of columns");
    is_refused("tx.xyz", "1\n" PROPERTIES ":pos:R:3\nH 0 0 0 0 0 0\n", 2, "'pos' is given twice");
    is_refused("tx.xyz", "1\nProperties=species:S:1:pos:R:2\nH 0 0\n", 2, "another type or width; give species:S:1");
    is_refused("tx.xyz", "1\nProperties=species:S:1:q:R:3\nH 0 0 0\n", 2, "Properties lacks elements or positions; ");
    is_refused("tx.xyz", "1\nProperties=pos:R:3\n0 0 0\n", 2, "Properties lacks elements or positions; ");
    is_refused("tx.xyz", "1\n" PROPERTIES ":move_mask:L:2\nH 0 0 0 T T\n", 2, "move_mask");
    is_refused("tx.xyz", "1\n" PROPERTIES ":move_mask:L:1\nH 0 0 0 maybe\n", 3,
               "move_mask of atom 1 is 'maybe'; give T or F");
    is_refused("tx.xyz", "1\n" PROPERTIES ":tag:I:1\nH 0 0 0 1.5\n", 3, "tag of atom 1 is '1.5'; give a whole number");
    is_refused("tx.xyz", "1\n" PROPERTIES ":q:R:1\nH 0 0 0 x\n", 3, "q of atom 1 is 'x'; give a number");
    is_refused("tx.xyz", "1\nProperties=species:S:1:Z:I:1:pos:R:3\nH 2 0 0 0\n", 3, "species and Z of atom 1 disagree");
    is_refused("tx.xyz", "1\nProperties=Z:I:1:pos:R:3\n119 0 0 0\n", 3, "'119' of atom 1 is not an element; give");
}

static void test_many_keys(void)
{
    chgi_text text = {0};
    chgi_text_print(&text, "1\n");
    for (int i = 0; i <= 1024; i++)
        chgi_text_print(&text, "k%d=1 ", i);
    chgi_text_print(&text, "\nH 0 0 0\n");
    is_refused("tx.xyz", text.data, 2, "more than 1024 keys");
    chgi_text_destroy(&text);
}

/* Good frames around a bad one are read when the bad one has the lines it promises. */
static void test_recovery(void)
{
    static const char text[] = "1\na=1\nH 0 0 0\n"
                               "1\na=2\nQq 0 0 0\n"
                               "1\na=\"3\nH 0 0 0\n"
                               "0\nx\n"
                               "1\na=4\nHe 0 0 0\n"
                               "5\na=5\nHe 0 0 0\n"
                               "1\na=6\nH 0 0 0\n";
    static const struct {
        chgnet_status status;
        long line;
    } want[] = {{CHGNET_OK, 1},      {CHGNET_EINPUT, 4}, {CHGNET_EINPUT, 7},
                {CHGNET_EINPUT, 10}, {CHGNET_OK, 12},    {CHGNET_EINPUT, 15}};
    chgi_reader *reader;
    chgi_structure s;
    bool got;
    write_bytes("tx-frames.xyz", text, sizeof text - 1);
    if (chgi_reader_open(ctx, "tx-frames.xyz", &reader) != CHGNET_OK)
        tap_bail("open");
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        tap_ok(!chgi_reader_at_end(reader), "frame %zu: there is more", i);
        chgnet_status status = chgi_reader_next(reader, &s, &got);
        tap_ok(status == want[i].status && got == (status == CHGNET_OK) && chgi_reader_line(reader) == want[i].line,
               "frame %zu: status %d at line %ld", i, (int)want[i].status, want[i].line);
        chgi_structure_destroy(&s);
    }
    tap_ok(chgi_reader_at_end(reader), "after a frame of unknown end nothing is read");
    chgi_reader_destroy(reader);
    unlink("tx-frames.xyz");
}

static void test_results(void)
{
    chgi_structure s;
    chgi_text text = {0};
    const double forces[3] = {0.5, 0, -1e-3};
    if (is_read("tx.xyz", "1\n" LATTICE "energy=7 " PROPERTIES ":forces:R:3:tag:I:1\nH 0 0 0 9 9 9 -4\n", &s,
                "a frame with old results")) {
        bool good = chgi_structure_set_info(ctx, &s, "energy", "-3.5") == CHGNET_OK &&
                    chgi_structure_set_column(ctx, &s, "forces", 3, forces) == CHGNET_OK &&
                    chgi_structure_set_info(ctx, &s, "stress", "1 0 0 0 1 0 0 0 1") == CHGNET_OK &&
                    chgi_extxyz_write(ctx, &text, &s) == CHGNET_OK;
        tap_ok(good, "results are set");
        tap_is_text(text.data,
                    "1\nLattice=\"5 0 0 0 5 0 0 0 5\" Properties=species:S:1:pos:R:3:forces:R:3:tag:I:1 energy=-3.5 "
                    "stress=\"1 0 0 0 1 0 0 0 1\" pbc=\"T T T\"\nH  0 0 0 0.5 0 -0.001 -4\n",
                    "the frame as it is written");
    }
    chgi_text_destroy(&text);
    chgi_structure_destroy(&s);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    test_sample();
    test_comment();
    test_round_trips();
    test_refusals();
    test_many_keys();
    test_recovery();
    test_results();
    chgnet_context_destroy(ctx);
    return tap_done();
}
