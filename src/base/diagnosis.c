#include "base/diagnosis.h"

#include "base/memory.h"

strait_status st_diagnosis_add_finding(strait_diagnosis *diagnosis, const strait_finding *finding, strait_error *err) {
    strait_finding *grown = st_realloc(diagnosis->finding, (size_t)diagnosis->n_findings + 1, sizeof *grown);
    if (!grown) return st_fail_memory(err, ((size_t)diagnosis->n_findings + 1) * sizeof *grown, "the findings");
    diagnosis->finding = grown;
    grown[diagnosis->n_findings++] = *finding;
    return STRAIT_OK;
}

strait_status st_diagnosis_add_epoch(strait_diagnosis_epoch **out, strait_diagnosis *diagnosis, strait_error *err) {
    const size_t bytes = (size_t)diagnosis->n_layers * sizeof(strait_layer_state);
    strait_layer_state *layer = st_alloc((size_t)diagnosis->n_layers, sizeof *layer);
    strait_diagnosis_epoch *grown = NULL;
    if (layer) grown = st_realloc(diagnosis->epoch, (size_t)diagnosis->n_epochs + 1, sizeof *grown);
    if (!grown) {
        st_free(layer);
        return st_fail_memory(err, bytes + ((size_t)diagnosis->n_epochs + 1) * sizeof *grown, "the diagnosis");
    }
    diagnosis->epoch = grown;
    *out = &grown[diagnosis->n_epochs++];
    **out = (strait_diagnosis_epoch){.layer = layer};
    return STRAIT_OK;
}

void st_diagnosis_cut(strait_diagnosis *diagnosis, int epoch) {
    while (diagnosis->n_epochs > 0 && diagnosis->epoch[diagnosis->n_epochs - 1].epoch > epoch)
        st_free(diagnosis->epoch[--diagnosis->n_epochs].layer);
    int n = 0;
    for (int i = 0; i < diagnosis->n_findings; i++)
        if (diagnosis->finding[i].epoch <= epoch) diagnosis->finding[n++] = diagnosis->finding[i];
    diagnosis->n_findings = n;
}

STRAIT_API void strait_diagnosis_free(strait_diagnosis *diagnosis) {
    if (!diagnosis) return;
    st_diagnosis_cut(diagnosis, -1);
    st_free(diagnosis->epoch);
    st_free(diagnosis->finding);
    st_free(diagnosis);
}
