/* Results as one JSON object per line.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "cli/json.h"

#include <string.h>

#include "cli/output.h"

/* Length of the UTF-8 sequence at `bytes`; 0 when there is none. */
static size_t sequence_length(const unsigned char *bytes)
{
    size_t length = bytes[0] < 0x80                       ? 1
                    : bytes[0] >= 0xc2 && bytes[0] < 0xe0 ? 2
                    : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
                    : bytes[0] >= 0xf0 && bytes[0] < 0xf5 ? 4
                                                          : 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xf0 && bytes[1] < 0x90);
    bool surrogate = bytes[0] == 0xed && bytes[1] > 0x9f;
    bool beyond = bytes[0] == 0xf4 && bytes[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

static void print_string(chgi_text *text, const char *value)
{
    chgi_text_append(text, "\"", 1);
    while (*value) {
        const unsigned char *bytes = (const unsigned char *)value;
        size_t length = sequence_length(bytes);
        if (length == 0) /* no UTF-8: a file name may be anything, JSON may not */
            chgi_text_print(text, "\\ufffd");
        else if (*bytes < 0x20 || *bytes == 0x7f)
            chgi_text_print(text, "\\u%04x", (unsigned)*bytes);
        else {
            if (*value == '"' || *value == '\\')
                chgi_text_append(text, "\\", 1);
            chgi_text_append(text, value, length);
        }
        value += length ? length : 1;
    }
    chgi_text_append(text, "\"", 1);
}

static void print_key(chgi_text *text, const char *name)
{
    chgi_text_print(text, text->data[text->length - 1] == '{' ? "\"%s\": " : ", \"%s\": ", name);
}

void chgi_json_text(chgi_text *text, const char *name, const char *value)
{
    print_key(text, name);
    print_string(text, value);
}

static void print_int(chgi_text *text, const char *name, int64_t value)
{
    print_key(text, name);
    chgi_text_print(text, "%lld", (long long)value);
}

static void print_row(chgi_text *text, const double *values, int64_t n)
{
    chgi_text_append(text, "[", 1);
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            chgi_text_append(text, ", ", 2);
        chgi_text_number(text, values[i]);
    }
    chgi_text_append(text, "]", 1);
}

void chgi_json_array(chgi_text *text, const char *name, int rank, const int64_t *shape, const double *values)
{
    print_key(text, name);
    if (!values)
        chgi_text_print(text, "null");
    else if (rank == 0)
        chgi_text_number(text, *values);
    else if (rank == 1)
        print_row(text, values, shape[0]);
    else {
        chgi_text_append(text, "[", 1);
        for (int64_t i = 0; i < shape[0]; i++) {
            if (i > 0)
                chgi_text_append(text, ", ", 2);
            print_row(text, values + i * shape[1], shape[1]);
        }
        chgi_text_append(text, "]", 1);
    }
}

static void print_mask(chgi_text *text, const chgi_structure *structure)
{
    print_key(text, structure->mask_direct ? "move_mask_direct" : "move_mask");
    for (int64_t i = 0; i < structure->n_atom; i++)
        for (int k = 0; k < 3; k++)
            chgi_text_print(text, "%s%s",
                            k   ? ", "
                            : i ? "], ["
                                : "[[",
                            structure->move_mask[3 * i + k] ? "true" : "false");
    chgi_text_print(text, "]]");
}

void chgi_json_structure(chgi_text *text, const chgi_structure *structure)
{
    print_key(text, "numbers");
    for (int64_t i = 0; i < structure->n_atom; i++)
        chgi_text_print(text, "%s%d", i ? ", " : "[", structure->numbers[i]);
    chgi_text_append(text, "]", 1);
    chgi_json_array(text, "positions", 2, (int64_t[]){structure->n_atom, 3}, structure->positions);
    chgi_json_array(text, "cell", 2, (int64_t[]){3, 3}, structure->cell[0]);
    print_key(text, "pbc");
    for (int k = 0; k < 3; k++)
        chgi_text_print(text, "%s%s", k ? ", " : "[", structure->pbc[k] ? "true" : "false");
    chgi_text_append(text, "]", 1);
    if (structure->move_mask)
        print_mask(text, structure);
}

chgnet_status chgi_json_print(chgnet_context *ctx, chgi_text *text, const chgi_result *result)
{
    chgi_text_append(text, "{", 1);
    if (text->failed)
        return chgi_context_nomem(ctx, 1, 1);
    print_int(text, "frame", result->number);
    chgi_json_text(text, "source", result->source);
    print_int(text, "source_frame", result->source_frame);
    chgi_json_text(text, "version", result->provenance->version);
    chgi_json_text(text, "model", result->provenance->model);
    chgi_json_text(text, "model_sha256", result->provenance->model_sha256);
    chgi_json_text(text, "precision", result->provenance->precision);
    print_int(text, "n_directed_bond", result->n_directed_bond);
    print_int(text, "n_angle", result->n_angle);
    chgi_json_structure(text, &result->structure);
    for (int quantity = 0; quantity < CHGI_N_QUANTITY; quantity++) {
        int64_t shape[2];
        int rank = chgi_quantity_shape(result, quantity, shape);
        chgi_json_array(text, chgi_quantity_name(quantity), rank, shape, result->values[quantity]);
    }
    chgi_text_append(text, "}\n", 2);
    return text->failed ? chgi_context_nomem(ctx, text->length, 2) : CHGNET_OK;
}
