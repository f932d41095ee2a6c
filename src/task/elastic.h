/* Elastic constants: the stress of strained cells, and the slopes of it by the strains. */
#ifndef CHGI_TASK_ELASTIC_H
#define CHGI_TASK_ELASTIC_H

#include "task/relax.h"
#include "task/stiffness.h"

typedef struct chgi_elastic_choice {
    double strain;                 /**< the largest; of Voigt's components, so shear strains are engineering ones */
    int64_t n_point;               /**< strains of each component, from -strain to strain; at least 4 */
    bool clamp;                    /**< atoms follow the cell; else they move to where it lets them */
    bool average;                  /**< by the point group */
    double symmetry_tolerance;     /**< A */
    chgi_relax_options relaxation; /**< of the atoms; its cell is CHGI_CELL_NONE */
} chgi_elastic_choice;

typedef struct chgi_elastic_point {
    int component; /**< which strain is not 0 */
    double strain;
    double stress[6]; /**< GPa, Cauchy's */
    double fitted[6]; /**< GPa, of the curves */
} chgi_elastic_point;

typedef struct chgi_elastic {
    double stiffness[6][6]; /**< GPa, stress i by strain j, after all averages */
    double error[6][6];     /**< GPa, standard errors of the slopes before them, from the scatter about the curves */
    double stress[6];       /**< GPa, where nothing is strained */
    double asymmetry;       /**< GPa, largest |C - C^T| of the slopes */
    double off_group;       /**< GPa, largest change by the average over the group */
    char group[16];         /**< its name; empty: no average was taken */
    double bulk_error;      /**< GPa, standard error of Voigt's bulk modulus */
    double shear_error;     /**< GPa, of Voigt's shear modulus */
    chgi_elastic_moduli moduli;
} chgi_elastic;

/** Slopes at no strain of the parabolas through each component's stresses, by least squares.  The strains lie
 *  symmetric about 0, where the slope is that of a straight line, and what bends the line is no scatter.
 *  \param[in,out] points (n_point of each component, one component after the other) `fitted` is set
 *  \param[out] result  `stiffness`, `error`, `stress` */
void chgi_elastic_fit(int64_t n_point, chgi_elastic_point *points, chgi_elastic *result);

/** Strain a structure, fit, average over C and its transpose and, where the library knows spglib and no atom is fixed,
 *  over the point group; then the moduli.
 *  \param[out] points (6 choice->n_point)
 *  \return CHGNET_OK; CHGNET_EINPUT unless all axes are periodic; CHGNET_ECONVERGE when atoms did not relax;
 *          CHGNET_ENUMERIC, CHGNET_ENOMEM */
chgnet_status chgi_elastic_run(chgnet_context *ctx, const chgi_potential *potential, const chgi_structure *structure,
                               const chgi_elastic_choice *choice, chgi_elastic_point *points, chgi_elastic *result);

#endif
