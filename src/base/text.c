#define _GNU_SOURCE /* strtod_l */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LONGEST_NUMBER = 400 };

static bool reserve(chgi_text *text, size_t more)
{
    if (!text->failed && chgi_memory_grow(NULL, &text->data, &text->capacity, text->length + more + 1, 1) != CHGNET_OK)
        text->failed = true;
    return !text->failed;
}

void chgi_text_append(chgi_text *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void chgi_text_print(chgi_text *text, const char *format, ...)
{
    /* The thread's locale is put back at once: a host never notices. */
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    locale_t before = plain ? uselocale(plain) : (locale_t)0;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0)
        text->failed = true;
    else if (reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
    if (plain) {
        uselocale(before);
        freelocale(plain);
    }
}

void chgi_text_clear(chgi_text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = '\0';
}

void chgi_text_destroy(chgi_text *text)
{
    chgi_memory_free(text->data);
    *text = (chgi_text){0};
}

static bool copy_field(const char *field, size_t length, char copy[LONGEST_NUMBER + 1])
{
    if (length == 0 || length > LONGEST_NUMBER || isspace((unsigned char)field[0]) || memchr(field, '\0', length))
        return false;
    memcpy(copy, field, length);
    copy[length] = '\0';
    return true;
}

bool chgi_text_to_double(const char *field, size_t length, double *value)
{
    char copy[LONGEST_NUMBER + 1], *end;
    if (!copy_field(field, length, copy) || strpbrk(copy, "xX(")) /* no hexadecimal, no nan(...) */
        return false;
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!plain)
        return false;
    *value = strtod_l(copy, &end, plain);
    freelocale(plain);
    return end == copy + length;
}

void chgi_text_number(chgi_text *text, double value)
{
    size_t start = text->length;
    if (isnan(value)) {
        chgi_text_append(text, "nan", 3); /* never "-nan" */
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        if (text->failed)
            return;
        text->length = start;
        chgi_text_print(text, "%.*g", digits, value);
        if (text->failed || (chgi_text_to_double(text->data + start, text->length - start, &back) && back == value))
            return;
    }
}

bool chgi_text_to_int(const char *field, size_t length, int64_t *value)
{
    char copy[LONGEST_NUMBER + 1], *end;
    if (!copy_field(field, length, copy))
        return false;
    errno = 0;
    long long number = strtoll(copy, &end, 10);
    *value = number;
    return end == copy + length && errno == 0;
}

static int smallest(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters must be changed, added or left out to make one name of the other. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 31 };
    int row[LONGEST + 1], n = (int)strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST)
        return LONGEST;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smallest(changed, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[n];
}

const char *chgi_text_nearest(const char *name, const char *const *names, int n)
{
    const char *best = NULL;
    int least = (int)strlen(name) / 3 + 1;
    for (int i = 0; i < n; i++) {
        int d = distance(name, names[i]);
        if (d <= least) {
            least = d - 1;
            best = names[i];
        }
    }
    return best;
}
