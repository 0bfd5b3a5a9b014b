#include "base/diagnosis.h"

#include <string.h>

#include "base/memory.h"

strait_status st_diagnosis_add_finding(strait_diagnosis *diagnosis, const strait_finding *finding, strait_error *err) {
    strait_finding *grown = st_realloc(diagnosis->finding, (size_t)diagnosis->n_findings + 1, sizeof *grown);
    if (!grown) return st_fail_memory(err, ((size_t)diagnosis->n_findings + 1) * sizeof *grown, "the findings");
    diagnosis->finding = grown;
    grown[diagnosis->n_findings++] = *finding;
    return STRAIT_OK;
}

/* Room for n epochs; their layers lie one behind another in one block, that of the first. */
static strait_status make_room(strait_diagnosis *diagnosis, size_t n, strait_error *err) {
    const size_t layers = (size_t)diagnosis->n_layers, bytes = n * (layers * sizeof(strait_layer_state));
    strait_diagnosis_epoch *epoch = diagnosis->epoch;
    strait_layer_state *block = st_realloc(epoch ? epoch[0].layer : NULL, n * layers + 1, sizeof *block);
    if (!block) return st_fail_memory(err, bytes, "the diagnosis");
    for (int i = 0; epoch && (i == 0 || i < diagnosis->n_epochs); i++)
        epoch[i].layer = block + (size_t)i * layers;
    strait_diagnosis_epoch *grown = st_realloc(epoch, n, sizeof *grown);
    if (!grown) {
        if (!epoch) st_free(block);
        return st_fail_memory(err, n * sizeof *grown, "the diagnosis");
    }
    grown[0].layer = block;
    diagnosis->epoch = grown;
    return STRAIT_OK;
}

strait_status st_diagnosis_add_epoch(strait_diagnosis_epoch **out, strait_diagnosis *diagnosis, strait_error *err) {
    const size_t n = (size_t)diagnosis->n_epochs, layers = (size_t)diagnosis->n_layers;
    if ((n & (n - 1)) == 0) /* 0, 1, 2, 4, ...: what was made room for before is full */
        ST_TRY(make_room(diagnosis, n > 0 ? 2 * n : 1, err));
    *out = &diagnosis->epoch[diagnosis->n_epochs++];
    **out = (strait_diagnosis_epoch){.layer = diagnosis->epoch[0].layer + n * layers};
    memset((*out)->layer, 0, layers * sizeof *(*out)->layer);
    return STRAIT_OK;
}

void st_diagnosis_cut(strait_diagnosis *diagnosis, int epoch) {
    while (diagnosis->n_epochs > 0 && diagnosis->epoch[diagnosis->n_epochs - 1].epoch > epoch)
        diagnosis->n_epochs--;
    int n = 0;
    for (int i = 0; i < diagnosis->n_findings; i++)
        if (diagnosis->finding[i].epoch <= epoch) diagnosis->finding[n++] = diagnosis->finding[i];
    diagnosis->n_findings = n;
}

STRAIT_API void strait_diagnosis_free(strait_diagnosis *diagnosis) {
    if (!diagnosis) return;
    if (diagnosis->epoch) st_free(diagnosis->epoch[0].layer);
    st_free(diagnosis->epoch);
    st_free(diagnosis->finding);
    st_free(diagnosis);
}
