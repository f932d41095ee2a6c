/* Choosing atoms by an expression: what it means, and what is said where it is wrong. */
#include "sample.h"
#include "task/select.h"

/* Six atoms: three layers of two, one of them rumpled. */
static void make(chgnet_context *ctx, chgi_structure *s)
{
    static const int numbers[] = {29, 29, 29, 47, 16, 16};
    static const double positions[] = {0, 0, 0, 2, 0, 0.3, 0, 1, 2, 2, 1, 2, 0, 0, 4, 2, 0, 4};
    sample_must(ctx, chgi_structure_create(ctx, 6, s));
    for (int i = 0; i < 6; i++)
        s->numbers[i] = numbers[i];
    memcpy(s->positions, positions, sizeof positions);
    s->cell[0][0] = s->cell[1][1] = 4;
    s->cell[2][2] = 10;
    s->pbc[0] = s->pbc[1] = s->pbc[2] = true;
}

static void chooses(chgnet_context *ctx, const chgi_structure *s, const char *text, const char *want)
{
    chgi_selection *selection;
    bool chosen[6];
    char got[7] = "......";
    sample_must(ctx, chgi_selection_parse(ctx, text, &selection));
    sample_must(ctx, chgi_selection_apply(ctx, selection, s, chosen));
    for (int i = 0; i < 6; i++)
        if (chosen[i])
            got[i] = (char)('1' + i);
    tap_is_text(got, want, text);
    chgi_selection_destroy(selection);
}

static void refuses(chgnet_context *ctx, const char *text, const char *part)
{
    chgi_selection *selection;
    chgnet_status status = chgi_selection_parse(ctx, text, &selection);
    tap_ok(status == CHGNET_EUSAGE && !selection && strstr(chgnet_context_error(ctx), part), "refused: %s",
           chgnet_context_error(ctx));
}

static void fails(chgnet_context *ctx, const chgi_structure *s, const char *text, const char *part)
{
    chgi_selection *selection;
    bool chosen[6];
    sample_must(ctx, chgi_selection_parse(ctx, text, &selection));
    tap_ok(chgi_selection_apply(ctx, selection, s, chosen) == CHGNET_EINPUT && strstr(chgnet_context_error(ctx), part),
           "%s: %s", text, chgnet_context_error(ctx));
    chgi_selection_destroy(selection);
}

static void check_meaning(chgnet_context *ctx, const chgi_structure *s)
{
    static const char *const cases[][2] = {
        {"all", "123456"},
        {"index 1-3,6", "123..6"},
        {" index 2 ", ".2...."},
        {"element Cu", "123..."},
        {"element Ag,S", "...456"},
        {"layer 1", "12...."},
        {"layer 2-3", "..3456"},
        {"z < 0.3", "1....."},
        {"z <= 0.3", "12...."},
        {"height>=2", "..3456"},
        {"x > 1.5", ".2.4.6"},
        {"y>-1e-3", "123456"},
        {"c < 0.2", "12...."},
        {"a >= 0.5 and b < 0.1", ".2...6"},
        {"element Cu and z < 1", "12...."},
        {"index 1 or index 2 and element S", "1....."},
        {"(index 1 or index 2) and element S", "......"},
        {"not element Cu", "...456"},
        {"! (layer 1 | layer 3)", "..34.."},
        {"not not index 4 & all", "...4.."},
        {"layer 1 along z", "12...."},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        chooses(ctx, s, cases[k][0], cases[k][1]);
}

static void check_errors(chgnet_context *ctx, const chgi_structure *s)
{
    static const char *const cases[][2] = {
        {"", "ends at column 1"},
        {"element Xx", "column 9: 'Xx'"},
        {"element cu", "column 9: 'cu'"},
        {"index", "ends at column 6"},
        {"index 0", "column 7: '0'"},
        {"index 5-2", "column 7: '5-2'"},
        {"index 1,", "ends at column 9"},
        {"index 99999999999999999999", "column 7"},
        {"z 5", "column 3: '5'"},
        {"z < abc", "column 5: 'abc'"},
        {"z < inf", "column 5"},
        {"z < 5 element Cu", "column 7: 'element'"},
        {"(z < 5", "ends at column 7"},
        {"z < 5)", "column 6: ')'"},
        {"heigth < 5", "column 1: 'heigth'"},
        {"z < 5 along w", "column 13: 'w'"},
        {"z < 5 along", "ends at column 12"},
        {"z < 5 and", "ends at column 10"},
        {"\x01", "column 1"},
    };
    char deep[400];
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        refuses(ctx, cases[k][0], cases[k][1]);
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    refuses(ctx, deep, "nested");
    fails(ctx, s, "index 1-7", "no atom 7");
    fails(ctx, s, "layer 4", "no layer 4");
    chgi_structure flat = *s;
    memset(flat.cell[2], 0, sizeof flat.cell[2]);
    fails(ctx, &flat, "c < 0.5", "fractions");
}

static void check_fixing(chgnet_context *ctx, chgi_structure *s)
{
    chgi_selection *layer, *some;
    int64_t fixed = 0;
    sample_must(ctx, chgi_selection_parse(ctx, "layer 1", &layer));
    sample_must(ctx, chgi_selection_parse(ctx, "index 1,3 along zx", &some));
    sample_must(ctx, chgi_selection_fix(ctx, layer, s));
    sample_must(ctx, chgi_selection_fix(ctx, some, s));
    for (int k = 0; k < 18; k++)
        fixed += !s->move_mask[k];
    tap_is_int(fixed, 8, "two atoms and two components are fixed");
    tap_ok(!s->move_mask[6] && s->move_mask[7] && !s->move_mask[8], "x and z of the third");
    s->mask_direct = true;
    tap_is_int(chgi_selection_fix(ctx, some, s), CHGNET_EINPUT, "components along x, z beside a mask along the cell");
    sample_must(ctx, chgi_selection_fix(ctx, layer, s));
    chgi_selection_destroy(layer);
    chgi_selection_destroy(some);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    chgi_structure s;
    make(ctx, &s);
    check_meaning(ctx, &s);
    check_errors(ctx, &s);
    check_fixing(ctx, &s);
    chgi_structure_destroy(&s);
    chgnet_context_destroy(ctx);
    return tap_done();
}
