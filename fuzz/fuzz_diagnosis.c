/* Any bytes as a diagnosis.json are a diagnosis whose texts are lines and whose epochs ascend, or an error. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/diagnosis_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A finding: stops the fuzzer with the input at hand. */
static void insist(int good) {
    if (!good) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    strait_diagnosis *diagnosis = NULL;
    strait_error err = {0};
    const strait_status status = st_diagnosis_parse(&diagnosis, (const char *)bytes, n, "fuzz", &err);
    insist((status == STRAIT_OK) == (diagnosis != NULL));
    if (!diagnosis) {
        insist(err.message[0] && !strchr(err.message, '\n'));
        return 0;
    }
    for (int i = 0; i < diagnosis->n_findings; i++) {
        const strait_finding *finding = &diagnosis->finding[i];
        insist(finding->epoch >= 0 && (int)finding->severity <= STRAIT_SEVERITY_PROBLEM && !isinf(finding->value));
        insist(!strpbrk(finding->sentence, "\n\r\t\033") && strlen(finding->code) < sizeof finding->code);
    }
    for (int i = 0; i < diagnosis->n_epochs; i++) {
        insist(diagnosis->epoch[i].epoch >= (i > 0 ? diagnosis->epoch[i - 1].epoch + 1 : 0));
        for (int k = 0; k < diagnosis->n_layers; k++)
            insist(strlen(diagnosis->epoch[i].layer[k].name) < sizeof diagnosis->epoch[i].layer[k].name);
    }
    strait_diagnosis_free(diagnosis);
    return 0;
}
