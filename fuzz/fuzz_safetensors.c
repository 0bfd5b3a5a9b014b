/* Any bytes as a .safetensors file are tensors that lie within the file, or an error; and what calls itself a model is
   one, or an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A finding: stops the fuzzer with the input at hand. */
static void insist(int good) {
    if (!good) abort();
}

static void check_tensors(const st_safetensors *file, size_t n) {
    size_t total = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const st_named_tensor *tensor = &file->tensor[i];
        size_t count = 1;
        for (int d = 0; d < tensor->n_dims; d++)
            count *= (size_t)tensor->dim[d];
        total += count * sizeof(float);
        insist(total <= n && (uintptr_t)tensor->values % sizeof(float) == 0);
        volatile uint32_t seen = 0; /* every value is read: the sanitizer looks on */
        for (size_t k = 0; k < count; k++) {
            uint32_t bits;
            memcpy(&bits, &tensor->values[k], sizeof bits);
            seen = bits;
        }
        (void)seen;
        insist(st_safetensors_find(file, tensor->name) == tensor);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    char *copy = st_alloc(n + 1, 1);
    if (!copy) return 0;
    memcpy(copy, bytes, n);
    st_safetensors *file = NULL;
    strait_model *model = NULL;
    strait_error err = {0};
    strait_status status = st_safetensors_parse(&file, copy, n, "fuzz", &err);
    insist((status == STRAIT_OK) == (file != NULL));
    if (file) {
        check_tensors(file, n);
        status = st_model_from_tensors(&model, file, "fuzz", &err);
        insist((status == STRAIT_OK) == (model != NULL));
    }
    if (status != STRAIT_OK) insist(err.message[0] && !strchr(err.message, '\n'));
    if (model) insist(strait_model_parameters(model) * 4 <= (int64_t)n && strait_model_latent_size(model) > 0);
    strait_model_free(model);
    st_safetensors_free(file);
    return 0;
}
