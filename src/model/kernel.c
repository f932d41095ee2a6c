#include "model/kernel.h"

#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

/* One set of kernels for each way in which src/model/network.c is compiled. */
extern const chgi_kernel chgi_kernel_set_f32_generic, chgi_kernel_set_f64_generic;
#ifdef CHGI_HAVE_X86_ISA
extern const chgi_kernel chgi_kernel_set_f32_avx2, chgi_kernel_set_f64_avx2;
extern const chgi_kernel chgi_kernel_set_f32_avx512, chgi_kernel_set_f64_avx512;
#endif

typedef struct candidate {
    const chgi_kernel *in_single, *in_double;
    bool runs;
} candidate;

const chgi_kernel *chgi_kernel_choose(bool is_double, const char *isa)
{
    const candidate candidates[] = {
#ifdef CHGI_HAVE_X86_ISA
        {&chgi_kernel_set_f32_avx512, &chgi_kernel_set_f64_avx512,
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")},
        {&chgi_kernel_set_f32_avx2, &chgi_kernel_set_f64_avx2,
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
        {&chgi_kernel_set_f32_generic, &chgi_kernel_set_f64_generic, true},
    };
    for (size_t k = 0; k < sizeof candidates / sizeof *candidates; k++) {
        const chgi_kernel *kernel = is_double ? candidates[k].in_double : candidates[k].in_single;
        if (candidates[k].runs && (!isa || strcmp(isa, kernel->name) == 0))
            return kernel;
    }
    return NULL;
}
