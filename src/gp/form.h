/* From atoms' embeddings to the points that kappa compares, and derivatives back. */
#ifndef CHGI_GP_FORM_H
#define CHGI_GP_FORM_H

#include "gp/delta.h"

/** Aggregation and standardisation of one model. */
typedef struct chgi_form {
    chgi_aggregation aggregation;
    bool species_sum, mean_of_atoms;
    double mix;
    int n_feature, n_element, n_group, width;
    int32_t *elements; /**< (n_element) ascending */
    double *mean;      /**< (n_group,width) */
    double *scale;     /**< (n_group,width) positive */
} chgi_form;

/** Atom i of a structure adds `share` times its vector to point place[i], from feature offset[i] on. */
typedef struct chgi_map {
    int64_t n_atom, n_point;
    int32_t *place, *offset; /**< (n_atom) */
    int32_t *element;        /**< (n_atom) index into the form's elements */
    int32_t *groups;         /**< (n_point, at most max(n_atom,1)) ascending */
    double share;
} chgi_map;

/** Choose sizes; mean and scale are 0 and 1.  \param[in] elements (n_element) ascending, copied */
chgnet_status chgi_form_create(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature, int n_element,
                               const int32_t *elements, chgi_form *form);
void chgi_form_destroy(chgi_form *form);

/** Take arrays for n_atom atoms from an arena. */
void chgi_map_take(chgi_arena *arena, int64_t n_atom, chgi_map *map);
/** Fill a map.  \return CHGNET_OK; CHGNET_EINPUT for an element that the form does not know */
chgnet_status chgi_form_map(chgnet_context *ctx, const chgi_form *form, int64_t n_atom, const int32_t *numbers,
                            chgi_map *map);
/** Raw points, not standardised.  \param[in] fea (n_atom,n_feature)  \param[out] points (n_point,width) */
void chgi_form_sum(const chgi_form *form, const chgi_map *map, const double *fea, double *points);
/** Standardise points in place. */
void chgi_form_standardise(const chgi_form *form, int64_t n_point, const int32_t *groups, double *points);
/** \param[in] jacobian (n_row,n_atom,n_feature)  \param[out] out (n_point,n_row,width) minus d standardised point */
void chgi_form_jacobian(const chgi_form *form, const chgi_map *map, int64_t n_row, const double *jacobian, double *out);
/** gradient[i] = factor * d/dfea_i of something whose derivative by the standardised points is by_point.
 *  \param[in] by_point (n_point,width)  \param[out] gradient (n_atom,n_feature) */
void chgi_form_back(const chgi_form *form, const chgi_map *map, double factor, const double *by_point,
                    double *gradient);
/** Mean and deviation of raw points become the form's, over all points or over each group's.
 *  \param[in] by_group  each group by itself */
void chgi_form_learn(chgi_form *form, bool by_group, int64_t n_point, const int32_t *groups, const double *points);
/** Weight of a pair of groups in k. */
static inline double chgi_form_weight(const chgi_form *form, int32_t g, int32_t h)
{
    return g == h ? 1 : form->mix;
}

#endif
