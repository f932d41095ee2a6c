/* The configuration of a search: one INI file, every key with its default and its limits. */
#ifndef CHGI_SEARCH_CONFIG_H
#define CHGI_SEARCH_CONFIG_H

#include "base/ini.h"
#include "search/space.h"

typedef enum chgi_sampler { CHGI_RANDOM = 0, CHGI_BASIN, CHGI_EXCHANGE, CHGI_GOFEE } chgi_sampler;
#define CHGI_SAMPLER_NAMES "random basin exchange gofee"

typedef enum chgi_search_potential { CHGI_CHGNET = 0, CHGI_LENNARD_JONES } chgi_search_potential;
#define CHGI_SEARCH_POTENTIAL_NAMES "chgnet lennard-jones"

/** Texts live as long as the configuration. */
typedef struct chgi_search_config {
    /* [search] */
    int sampler;         /**< chgi_sampler */
    int64_t budget;      /**< minimisations */
    int64_t walkers;     /**< independent chains, which share the threads; gofee: its candidates */
    int64_t seed;        /**< of the random numbers */
    double target;       /**< eV: stop when a candidate's energy is lower; -INFINITY: never */
    double same_energy;  /**< eV, and */
    double same_feature; /**< within which two structures count as one */
    const char *folder;  /**< output */
    /* [sampler] */
    double temperature;     /**< eV, of basin hopping and of the coldest walker */
    double temperature_top; /**< eV, of the hottest walker */
    int64_t swap_every;     /**< iterations between attempts to swap neighbours */
    double rattle;          /**< A, first amplitude */
    double acceptance;      /**< the amplitude follows this share of accepted moves */
    double kappa;           /**< gofee: candidates are chosen by E - kappa sigma */
    int64_t candidates;     /**< gofee: relaxed in the surrogate for each choice */
    /* [potential] */
    int potential;     /**< chgi_search_potential */
    const char *model; /**< NULL: the default */
    const char *delta; /**< NULL: none */
    bool is_double;
    /* [relax] */
    int optimizer; /**< as the words of `chgnet relax --optimizer`: fire lbfgs bfgs */
    double fmax;   /**< eV/A */
    int64_t steps;
    /* [label] */
    const char *label;   /**< command with {in} and {out}; NULL: none */
    double time_limit;   /**< s */
    int64_t retries;     /**< further attempts at a label that failed */
    int64_t parallel;    /**< label commands at one time */
    int64_t label_every; /**< iterations between batches */
    int64_t label_batch; /**< labels of a batch */
    int64_t labels;      /**< largest number in all */

    chgi_space space;
    chgi_ini *ini;
} chgi_search_config;

/** Read and check a file; paths in it are relative to the working folder.
 *  \return CHGNET_OK; CHGNET_EINPUT with file and line; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_search_config_read(chgnet_context *ctx, const char *path, chgi_search_config *config);
void chgi_search_config_destroy(chgi_search_config *config);

#endif
