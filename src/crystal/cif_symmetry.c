/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/cif_symmetry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static double wrap(double x)
{
    x -= floor(x);
    return x < 1 ? x : 0; /* -1e-20 would wrap to 1 */
}

/* Translations of space groups are multiples of 1/24 at the finest; 0.3333 means 1/3. */
static double settle_shift(double shift)
{
    double nearest = round(24 * shift) / 24;
    return wrap(fabs(shift - nearest) < 5e-4 ? nearest : shift);
}

/* "1", "1/2", "0.25": a number made of digits and one point, or a quotient of two such. */
static bool take_fraction(chgi_span *rest, double *value)
{
    double parts[2] = {0, 1};
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        while (n < rest->length && strchr("0123456789.", rest->text[n]))
            n++;
        if (!chgi_text_to_double(rest->text, n, &parts[i]))
            return false;
        *rest = (chgi_span){rest->text + n, rest->length - n};
        if (i > 0 || rest->length == 0 || rest->text[0] != '/')
            break;
        *rest = (chgi_span){rest->text + 1, rest->length - 1};
    }
    *value = parts[0] / parts[1];
    return isfinite(*value);
}

/* One component: signed terms, each a letter or a number. */
static bool read_component(chgi_span rest, int turn[3], double *shift)
{
    bool first = true;
    double sum = 0;
    while (rest.length > 0) {
        double sign = rest.text[0] == '-' ? -1 : 1, value;
        if (rest.text[0] == '-' || rest.text[0] == '+')
            rest = (chgi_span){rest.text + 1, rest.length - 1};
        else if (!first)
            return false;
        first = false;
        if (rest.length == 0)
            return false;
        int axis = (rest.text[0] | 0x20) - 'x';
        if (axis >= 0 && axis < 3) {
            if (turn[axis] != 0)
                return false;
            turn[axis] = (int)sign;
            rest = (chgi_span){rest.text + 1, rest.length - 1};
        } else if (take_fraction(&rest, &value))
            sum += sign * value;
        else
            return false;
    }
    *shift = settle_shift(sum);
    return !first;
}

static int determinant(int m[3][3])
{
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

bool chgi_operation_read(chgi_span text, chgi_operation *operation)
{
    char plain[128]; /* without blanks; no operation is longer */
    size_t n = 0;
    *operation = (chgi_operation){0};
    for (size_t i = 0; i < text.length; i++) {
        if (strchr(" \t\r\n", text.text[i]))
            continue;
        if (n == sizeof plain)
            return false;
        plain[n++] = text.text[i];
    }
    chgi_span rest = {plain, n};
    for (int i = 0; i < 3; i++) {
        const char *comma = memchr(rest.text, ',', rest.length);
        if ((comma == NULL) != (i == 2))
            return false;
        size_t length = comma ? (size_t)(comma - rest.text) : rest.length;
        if (!read_component((chgi_span){rest.text, length}, operation->turn[i], &operation->shift[i]))
            return false;
        if (comma)
            rest = (chgi_span){comma + 1, rest.length - length - 1};
    }
    return abs(determinant(operation->turn)) == 1;
}

bool chgi_operation_is_identity(const chgi_operation *operation)
{
    for (int i = 0; i < 9; i++)
        if (operation->turn[i / 3][i % 3] != (i / 3 == i % 3))
            return false;
    return operation->shift[0] == 0 && operation->shift[1] == 0 && operation->shift[2] == 0;
}

double chgi_operation_difference(double a, double b)
{
    double d = a - b;
    return d - round(d);
}

static bool same_place(const double *a, const double *b, const double tolerance[3])
{
    for (int k = 0; k < 3; k++)
        if (fabs(chgi_operation_difference(a[k], b[k])) > tolerance[k])
            return false;
    return true;
}

int chgi_operation_orbit(const chgi_operation *operations, int n_operation, const double x[3],
                         const double tolerance[3], double *images)
{
    double off[CHGI_MAX_OPERATION][3] = {{0}}; /* sum over merged images of their difference from the first */
    int merged[CHGI_MAX_OPERATION] = {0}, n = 0;
    for (int o = 0; o < n_operation; o++) {
        double image[3];
        int i = 0;
        for (int k = 0; k < 3; k++) {
            const int *turn = operations[o].turn[k];
            image[k] = turn[0] * x[0] + turn[1] * x[1] + turn[2] * x[2] + operations[o].shift[k];
        }
        while (i < n && !same_place(image, images + 3 * i, tolerance))
            i++;
        if (i == n)
            memcpy(images + 3 * n++, image, sizeof image);
        for (int k = 0; k < 3; k++)
            off[i][k] += chgi_operation_difference(image[k], images[3 * i + k]);
        merged[i]++;
    }
    for (int i = 0; i < n; i++) {
        if (merged[i] != merged[0])
            return 0;
        for (int k = 0; k < 3; k++)
            images[3 * i + k] = wrap(images[3 * i + k] + off[i][k] / merged[i]);
    }
    return n;
}

/* Atoms sorted into bins as wide as the tolerance: two atoms on one place are in the same or in neighbouring bins. */
typedef struct bin_entry {
    int32_t bin[3];
    int64_t atom;
} bin_entry;

static int compare_bins(const int32_t a[3], const int32_t b[3])
{
    for (int k = 0; k < 3; k++)
        if (a[k] != b[k])
            return a[k] < b[k] ? -1 : 1;
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const bin_entry *x = a, *y = b;
    int order = compare_bins(x->bin, y->bin);
    return order != 0 ? order : (x->atom > y->atom) - (x->atom < y->atom);
}

static int64_t first_of_bin(const bin_entry *entries, int64_t n, const int32_t bin[3])
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (compare_bins(entries[middle].bin, bin) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t find_partner(const bin_entry *entries, int64_t n, const bin_entry *of, const int32_t n_bin[3],
                            const double *x, const double tolerance[3])
{
    for (int way = 0; way < 27; way++) {
        const int32_t step[3] = {way % 3 - 1, way / 3 % 3 - 1, way / 9 - 1};
        int32_t bin[3];
        for (int k = 0; k < 3; k++)
            bin[k] = (of->bin[k] + step[k] + n_bin[k]) % n_bin[k];
        for (int64_t i = first_of_bin(entries, n, bin); i < n && compare_bins(entries[i].bin, bin) == 0; i++)
            if (entries[i].atom > of->atom && same_place(x + 3 * of->atom, x + 3 * entries[i].atom, tolerance))
                return entries[i].atom;
    }
    return -1;
}

chgnet_status chgi_operation_find_overlap(chgnet_context *ctx, int64_t n_atom, const double *x,
                                          const double tolerance[3], int64_t pair[2])
{
    int32_t n_bin[3];
    bin_entry *entries = chgi_memory_new((size_t)n_atom, sizeof *entries);
    if (!entries)
        return chgi_context_nomem(ctx, (size_t)n_atom, sizeof *entries);
    for (int k = 0; k < 3; k++)
        n_bin[k] = (int32_t)(1 / tolerance[k]);
    for (int64_t i = 0; i < n_atom; i++) {
        entries[i].atom = i;
        for (int k = 0; k < 3; k++)
            entries[i].bin[k] = (int32_t)(wrap(x[3 * i + k]) * n_bin[k]) % n_bin[k];
    }
    qsort(entries, (size_t)n_atom, sizeof *entries, compare_entries);
    pair[0] = pair[1] = -1;
    for (int64_t i = 0; i < n_atom && pair[1] < 0; i++) {
        pair[0] = entries[i].atom;
        pair[1] = find_partner(entries, n_atom, &entries[i], n_bin, x, tolerance);
    }
    chgi_memory_free(entries);
    return CHGNET_OK;
}
