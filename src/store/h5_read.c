/* Reading HDF5 files that lie in memory: every link, type, shape, layout and filter is checked before it is used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/h5.h"
#include "store/h5_inside.h"

static const char *type_name(chgi_h5_type type)
{
    static const char *const names[] = {"float32", "float64", "int32", "int64", "boolean"};
    return names[type];
}

static size_t type_size(chgi_h5_type type)
{
    static const size_t sizes[] = {sizeof(float), sizeof(double), sizeof(int32_t), sizeof(int64_t), sizeof(int8_t)};
    return sizes[type];
}

/* ---- members ---------------------------------------------------------------------------------- */

/* Collects names for chgi_h5_list. */
typedef struct name_list {
    char **names;
    size_t capacity;
    int64_t count;
    bool link; /* a member is no plain (hard) link */
    bool no_memory;
} name_list;

static herr_t collect_name(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    (void)group;
    name_list *list = user;
    if (info->type != H5L_TYPE_HARD) {
        list->link = true;
        return -1;
    }
    char *copy = chgi_memory_copy_text(name);
    if (!copy ||
        chgi_memory_grow(NULL, &list->names, &list->capacity, (size_t)list->count + 1, sizeof(char *)) != CHGNET_OK) {
        chgi_memory_free(copy);
        list->no_memory = true;
        return -1;
    }
    list->names[list->count++] = copy;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    char *const *first = a, *const *second = b;
    return strcmp(*first, *second);
}

chgnet_status chgi_h5_list(chgnet_context *ctx, chgi_h5 *file, const char *group, char ***names, int64_t *count)
{
    name_list list = {0};
    *names = NULL;
    *count = 0;
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group);
    bool good = folder >= 0 && H5Literate(folder, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, collect_name, &list) >= 0;
    H5Gclose(folder);
    chgi_h5_leave(before);
    if (good) {
        if (list.count > 0)
            qsort(list.names, (size_t)list.count, sizeof(char *), compare_names);
        *names = list.names;
        *count = list.count;
        return CHGNET_OK;
    }
    chgi_h5_free_names(list.names, list.count);
    if (list.no_memory)
        return chgi_context_nomem(ctx, (size_t)list.count + 1, sizeof(char *));
    if (list.link)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "group '/%s' holds a link to elsewhere; plain arrays and groups "
                                 "are expected",
                                 group);
    return chgi_context_fail(ctx, CHGNET_EINPUT, "group '/%s' is missing or damaged; make or copy the file again",
                             group);
}

void chgi_h5_free_names(char **names, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        chgi_memory_free(names[i]);
    chgi_memory_free(names);
}

bool chgi_h5_has(chgi_h5 *file, const char *group, const char *name)
{
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group);
    bool found = chgi_h5_is_inside(folder, name);
    H5Gclose(folder);
    chgi_h5_leave(before);
    return found;
}

static hid_t open_array(const chgi_h5 *file, const char *group, const char *name)
{
    hid_t folder = chgi_h5_open_group(file, group);
    hid_t id = chgi_h5_is_inside(folder, name) ? H5Dopen2(folder, name, H5P_DEFAULT) : -1;
    H5Gclose(folder);
    return chgi_h5_trusted(id);
}

static bool type_agrees(hid_t array, chgi_h5_type type)
{
    hid_t found = H5Dget_type(array), wanted = chgi_h5_file_type(type);
    bool same = found >= 0 && wanted >= 0 && H5Tequal(found, wanted) > 0;
    H5Tclose(wanted);
    H5Tclose(found);
    return same;
}

/* deflate, shuffle and Fletcher32 are built into every HDF5; anything else could load a plug-in. */
static bool filters_allowed(hid_t creation)
{
    int count = H5Pget_nfilters(creation);
    for (int i = 0; i < count; i++) {
        unsigned flags, values[8], settings;
        size_t n_value = 8;
        char name[8];
        H5Z_filter_t filter =
            H5Pget_filter2(creation, (unsigned)i, &flags, &n_value, values, sizeof name, name, &settings);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
            return false;
    }
    return count >= 0;
}

/* Bytes that are claimed may exceed the file's length only as far as good compression reaches. */
static bool size_believable(const chgi_h5 *file, int rank, const hsize_t *sizes, size_t item)
{
    enum { EXPANSION = 64, SLACK = 1 << 16 };
    size_t most = file->length < SIZE_MAX / EXPANSION - SLACK ? file->length * EXPANSION + SLACK : SIZE_MAX;
    hsize_t left = most / item;
    for (int i = 0; i < rank; i++) {
        if (sizes[i] > left)
            return false;
        left /= sizes[i] ? sizes[i] : 1;
    }
    return true;
}

static bool layout_allowed(const chgi_h5 *file, hid_t array, int rank, size_t item)
{
    hsize_t chunk[CHGI_H5_MAX_RANK];
    hid_t creation = H5Dget_create_plist(array);
    H5D_layout_t layout = creation >= 0 ? H5Pget_layout(creation) : H5D_LAYOUT_ERROR;
    bool good = layout == H5D_CONTIGUOUS || layout == H5D_COMPACT || layout == H5D_CHUNKED;
    good = good && H5Pget_external_count(creation) == 0 && filters_allowed(creation);
    if (good && layout == H5D_CHUNKED)
        good = H5Pget_chunk(creation, CHGI_H5_MAX_RANK, chunk) == rank && size_believable(file, rank, chunk, item);
    H5Pclose(creation);
    return good;
}

/* What is wrong with an array, or NULL; fills its rank and sizes. */
static const char *examine(const chgi_h5 *file, hid_t array, chgi_h5_type type, int *rank, hsize_t *sizes)
{
    if (array < 0)
        return "is missing or damaged";
    if (!type_agrees(array, type))
        return "has the wrong type";
    hid_t space = H5Dget_space(array);
    *rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    bool shaped = *rank >= 0 && *rank <= CHGI_H5_MAX_RANK && H5Sget_simple_extent_type(space) != H5S_NULL &&
                  H5Sget_simple_extent_dims(space, sizes, NULL) == *rank;
    H5Sclose(space);
    if (!shaped)
        return "has the wrong shape";
    if (!size_believable(file, *rank, sizes, type_size(type)))
        return "is larger than the file can hold";
    if (!layout_allowed(file, array, *rank, type_size(type)))
        return "is stored in a way that is not allowed";
    return NULL;
}

static chgnet_status bad_array(chgnet_context *ctx, const char *group, const char *name, chgi_h5_type type,
                               const char *problem)
{
    return chgi_context_fail(ctx, CHGNET_EINPUT,
                             "array '%s%s%s' %s; %s is expected, contiguous or compressed by deflate", group,
                             group[0] ? "/" : "", name, problem, type_name(type));
}

enum { SHAPE_TEXT = 112 };

static void print_shape(int rank, const int64_t *shape, char text[SHAPE_TEXT])
{
    size_t used = (size_t)snprintf(text, SHAPE_TEXT, "(");
    for (int i = 0; i < rank; i++)
        used += (size_t)snprintf(text + used, SHAPE_TEXT - used, i ? ", %lld" : "%lld", (long long)shape[i]);
    snprintf(text + used, SHAPE_TEXT - used, ")");
}

/* What is wrong with the ranks and sizes, if anything. */
static chgnet_status compare_shapes(chgnet_context *ctx, const char *group, const char *name, int found_rank,
                                    const int64_t *found, int rank, const int64_t *shape)
{
    char is[SHAPE_TEXT], wanted[SHAPE_TEXT];
    bool same = found_rank == rank;
    for (int i = 0; same && i < rank; i++)
        same = found[i] == shape[i];
    if (same)
        return CHGNET_OK;
    print_shape(found_rank, found, is);
    print_shape(rank, shape, wanted);
    return chgi_context_fail(ctx, CHGNET_EINPUT, "array '%s%s%s' has shape %s; %s is expected", group,
                             group[0] ? "/" : "", name, is, wanted);
}

chgnet_status chgi_h5_shape(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, chgi_h5_type type,
                            int rank, int64_t *shape, int *rank_found)
{
    hsize_t sizes[CHGI_H5_MAX_RANK] = {0};
    int found = -1;
    chgi_h5_silence before = chgi_h5_enter();
    hid_t array = open_array(file, group, name);
    const char *problem = examine(file, array, type, &found, sizes);
    H5Dclose(array);
    chgi_h5_leave(before);
    if (!problem && rank >= 0 && rank != found)
        problem = "has the wrong rank";
    if (problem)
        return bad_array(ctx, group, name, type, problem);
    for (int i = 0; i < CHGI_H5_MAX_RANK; i++)
        shape[i] = i < found ? (int64_t)sizes[i] : 1;
    if (rank_found)
        *rank_found = found;
    return CHGNET_OK;
}

/* An array without values has nothing to read. */
static bool read_array(hid_t array, chgi_h5_type type, int rank, const int64_t *shape, void *data)
{
    for (int i = 0; i < rank; i++)
        if (shape[i] == 0)
            return true;
    hid_t memory = chgi_h5_memory_type(type);
    bool good = memory >= 0 && H5Dread(array, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    H5Tclose(memory);
    return good;
}

chgnet_status chgi_h5_read(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, chgi_h5_type type,
                           int rank, const int64_t *shape, void *data)
{
    hsize_t sizes[CHGI_H5_MAX_RANK] = {0};
    int64_t found[CHGI_H5_MAX_RANK];
    int found_rank = -1;
    chgnet_status status = CHGNET_OK;
    chgi_h5_silence before = chgi_h5_enter();
    hid_t array = open_array(file, group, name);
    const char *problem = examine(file, array, type, &found_rank, sizes);
    for (int i = 0; i < CHGI_H5_MAX_RANK; i++)
        found[i] = (int64_t)sizes[i];
    if (!problem)
        status = compare_shapes(ctx, group, name, found_rank, found, rank, shape);
    if (!problem && status == CHGNET_OK && !read_array(array, type, rank, shape, data))
        problem = "is damaged";
    H5Dclose(array);
    chgi_h5_leave(before);
    return problem ? bad_array(ctx, group, name, type, problem) : status;
}

/* ---- reading attributes ----------------------------------------------------------------------- */

static chgnet_status bad_attribute(chgnet_context *ctx, const char *group, const char *name, const char *wanted)
{
    return chgi_context_fail(ctx, CHGNET_EINPUT,
                             "attribute '%s' of group '/%s' is missing or not as it should be; "
                             "%s is expected",
                             name, group, wanted);
}

static hid_t open_attribute(const chgi_h5 *file, const char *group, const char *name)
{
    hid_t folder = chgi_h5_open_group(file, group);
    hid_t id = folder >= 0 && H5Aexists(folder, name) > 0 ? H5Aopen(folder, name, H5P_DEFAULT) : -1;
    H5Gclose(folder);
    return id;
}

/* Number of values when the attribute has that type and rank (0 or 1), else -1. */
static int64_t attribute_count(hid_t attribute, hid_t wanted, int rank)
{
    if (attribute < 0)
        return -1;
    hid_t found = H5Aget_type(attribute), space = H5Aget_space(attribute);
    int64_t count = -1;
    if (found >= 0 && space >= 0 && H5Tequal(found, wanted) > 0 && H5Sget_simple_extent_ndims(space) == rank)
        count = (int64_t)H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    H5Tclose(found);
    return count;
}

chgnet_status chgi_h5_get_ints(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t most,
                               int64_t *count, int64_t *values)
{
    chgi_h5_silence before = chgi_h5_enter();
    hid_t attribute = open_attribute(file, group, name);
    int64_t found = attribute_count(attribute, H5T_STD_I64LE, 1);
    bool good = found >= 0 && found <= most;
    if (good && found > 0)
        good = H5Aread(attribute, H5T_NATIVE_INT64, values) >= 0;
    H5Aclose(attribute);
    chgi_h5_leave(before);
    if (!good)
        return bad_attribute(ctx, group, name, "a short list of int64");
    *count = found;
    return CHGNET_OK;
}

static bool get_scalar(const chgi_h5 *file, const char *group, const char *name, hid_t stored, hid_t memory, void *data)
{
    hid_t attribute = open_attribute(file, group, name);
    bool good = attribute_count(attribute, stored, 0) == 1 && H5Aread(attribute, memory, data) >= 0;
    H5Aclose(attribute);
    return good;
}

chgnet_status chgi_h5_get_int(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t *value)
{
    chgi_h5_silence before = chgi_h5_enter();
    bool good = get_scalar(file, group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, value);
    chgi_h5_leave(before);
    return good ? CHGNET_OK : bad_attribute(ctx, group, name, "an int64");
}

chgnet_status chgi_h5_get_double(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, double *value)
{
    chgi_h5_silence before = chgi_h5_enter();
    bool good = get_scalar(file, group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, value);
    chgi_h5_leave(before);
    return good ? CHGNET_OK : bad_attribute(ctx, group, name, "a float64");
}

/* Read a scalar text of fixed length; `*no_memory` where there is one that cannot be held. */
static bool read_text(const chgi_h5 *file, hid_t attribute, char **text, bool *no_memory)
{
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    bool good = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
                H5Sget_simple_extent_type(space) == H5S_SCALAR;
    size_t size = good ? H5Tget_size(type) : 0;
    if (size > 0 && size <= file->length) {
        *text = chgi_memory_new(size + 1, 1); /* the text may use all its bytes, without a NUL */
        *no_memory = !*text;
    }
    if (*text && H5Aread(attribute, type, *text) < 0) {
        chgi_memory_free(*text);
        *text = NULL;
    }
    H5Sclose(space);
    H5Tclose(type);
    return *text != NULL;
}

chgnet_status chgi_h5_get_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, char **text)
{
    bool no_memory = false;
    *text = NULL;
    chgi_h5_silence before = chgi_h5_enter();
    hid_t attribute = open_attribute(file, group, name);
    bool good = attribute >= 0 && read_text(file, attribute, text, &no_memory);
    H5Aclose(attribute);
    chgi_h5_leave(before);
    if (no_memory)
        return chgi_context_nomem(ctx, file->length, 1);
    return good ? CHGNET_OK : bad_attribute(ctx, group, name, "a text of fixed length");
}
