#include "model/model.h"

#include <pthread.h>

#include "base/memory.h"

enum { MOST_KERNELS = 8 }; /* two precisions, three instruction sets, and room */

typedef struct bound {
    const chgi_kernel *kernel;
    void *network;
} bound;

/* The copies are a cache: filling it does not change what the model is, so a const model may do it. */
typedef struct cache {
    pthread_mutex_t lock;
    bound networks[MOST_KERNELS];
} cache;

struct chgnet_model {
    chgi_weights weights;
    cache *cache;
};

static void cache_destroy(cache *c)
{
    for (int k = 0; k < MOST_KERNELS && c->networks[k].kernel; k++)
        c->networks[k].kernel->release(c->networks[k].network);
    pthread_mutex_destroy(&c->lock);
    chgi_memory_free(c);
}

chgnet_status chgi_model_load(chgnet_context *ctx, const char *name, chgnet_model **model)
{
    chgnet_model *made = chgi_memory_new(1, sizeof *made);
    cache *c = chgi_memory_new(1, sizeof *c);
    if (!made || !c || pthread_mutex_init(&c->lock, NULL) != 0) {
        chgi_memory_free(made);
        chgi_memory_free(c);
        return chgi_context_nomem(ctx, 1, sizeof *made + sizeof *c);
    }
    made->cache = c;
    chgnet_status status = chgi_weights_load(ctx, name, &made->weights);
    if (status != CHGNET_OK)
        chgi_model_destroy(made);
    else
        *model = made;
    return status;
}

void chgi_model_destroy(chgnet_model *model)
{
    if (!model)
        return;
    cache_destroy(model->cache);
    chgi_weights_destroy(&model->weights);
    chgi_memory_free(model);
}

const chgi_weights *chgi_model_weights(const chgnet_model *model)
{
    return &model->weights;
}

chgnet_status chgi_model_network(chgnet_context *ctx, const chgnet_model *model, const chgi_kernel *kernel,
                                 const void **network)
{
    chgnet_status status = CHGNET_OK;
    cache *c = model->cache;
    pthread_mutex_lock(&c->lock);
    bound *place = c->networks;
    while (place->kernel && place->kernel != kernel)
        place++;
    if (!place->kernel) {
        status = kernel->bind(ctx, &model->weights, &place->network);
        if (status == CHGNET_OK)
            place->kernel = kernel;
        else if (status == CHGNET_EINPUT)
            chgi_context_locate(ctx, model->weights.path, 0);
    }
    *network = place->network;
    pthread_mutex_unlock(&c->lock);
    return status;
}
