/* The library and the machine it runs on. */
#ifndef STRAIT_INFO_H
#define STRAIT_INFO_H

#include <stdint.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library, "1.2.3". */
STRAIT_API const char *strait_version(void);

/* This machine as Strait sees it. */
typedef struct strait_machine {
    char processor[128];                   /* "AMD EPYC 7763" */
    char instructions[32];                 /* what the kernels use: "avx512", "avx2", "generic" */
    int processors;                        /* this process may use: affinity and container limits respected */
    int64_t memory;                        /* bytes */
    int64_t l1d_cache, l2_cache, l3_cache; /* bytes; 0: unknown */
    char onednn[32];                       /* version of oneDNN in use */
    char data_folders[1024];               /* where data sets are looked for, ':' between */
    char recipe_folders[1024];
} strait_machine;

STRAIT_API void strait_machine_describe(strait_machine *out);

#ifdef __cplusplus
}
#endif
#endif
