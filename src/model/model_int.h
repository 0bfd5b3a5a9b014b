/* Inside the model room. */
#ifndef ST_MODEL_MODEL_INT_H
#define ST_MODEL_MODEL_INT_H

#include <stdint.h>

/* Bytes of memory this process can ever have: the machine's, or the container's limit where that is less. */
int64_t st_model_memory_limit(void);

#endif
