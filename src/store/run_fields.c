#include "store/run_fields.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/string.h"

#define FIELD(type, member)                                                                                            \
    { #member, ST_FIELD_##type, offsetof(strait_run, member), sizeof(((strait_run *)0)->member) }

const st_run_field st_run_fields[ST_RUN_FIELDS] = {
    FIELD(TEXT, name),        FIELD(TEXT, folder),        FIELD(TEXT, recipe),    FIELD(TEXT, state),
    FIELD(TEXT, started),     FIELD(TEXT, loss_name),     FIELD(TEXT, optimizer), FIELD(REAL, learning_rate),
    FIELD(INT, epochs),       FIELD(INT, epochs_asked),   FIELD(INT, batch_size), FIELD(UINT64, seed),
    FIELD(REAL, loss),        FIELD(REAL, val_loss),      FIELD(REAL, best_loss), FIELD(INT, best_epoch),
    FIELD(INT64, parameters), FIELD(INT, latent),         FIELD(TEXT, source),    FIELD(TEXT, checksum),
    FIELD(INT64, n_samples),  FIELD(INT64, n_validation), FIELD(REAL, seconds),   FIELD(REAL, samples_per_second),
    FIELD(REAL, wait_share),  FIELD(INT, n_problems),     FIELD(INT, n_warnings), FIELD(INT, threads),
    FIELD(INT, micro_batch),  FIELD(TEXT, processor),     FIELD(TEXT, version),   FIELD(TEXT, command),
};

const st_run_field *st_run_field_find(const char *name) {
    for (size_t i = 0; i < ST_RUN_FIELDS; i++)
        if (strcmp(st_run_fields[i].name, name) == 0) return &st_run_fields[i];
    return NULL;
}

int64_t st_run_whole(const strait_run *run, const st_run_field *field) {
    const char *at = (const char *)run + field->offset;
    int small;
    int64_t large;
    if (field->type == ST_FIELD_INT) {
        memcpy(&small, at, sizeof small);
        return small;
    }
    memcpy(&large, at, sizeof large);
    return large;
}

double st_run_number(const strait_run *run, const st_run_field *field) {
    double value = NAN;
    if (field->type == ST_FIELD_REAL)
        memcpy(&value, (const char *)run + field->offset, sizeof value);
    else if (field->type != ST_FIELD_TEXT)
        value = (double)st_run_whole(run, field);
    return value;
}

const char *st_run_text(const strait_run *run, const st_run_field *field) {
    return (const char *)run + field->offset;
}

bool st_run_set_whole(strait_run *run, const st_run_field *field, int64_t value) {
    char *at = (char *)run + field->offset;
    if (value < 0 || (field->type == ST_FIELD_INT && value > INT_MAX)) return false;
    const int small = (int)value;
    if (field->type == ST_FIELD_INT)
        memcpy(at, &small, sizeof small);
    else
        memcpy(at, &value, sizeof value);
    return true;
}

void st_run_set_real(strait_run *run, const st_run_field *field, double value) {
    memcpy((char *)run + field->offset, &value, sizeof value);
}

/* Bytes of the UTF-8 character at s; 0 for what is none (RFC 3629: no overlong forms, no surrogates). */
static size_t character(const char *s) {
    const unsigned char *c = (const unsigned char *)s;
    const size_t n = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((c[i] & 0xc0) != 0x80) return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f)) return 0;
    if ((c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f)) return 0;
    return n;
}

void st_run_set_text(strait_run *run, const st_run_field *field, const char *text) {
    char *out = (char *)run + field->offset;
    size_t used = 0;
    while (*text) {
        const size_t n = character(text), length = n ? n : 1;
        if (used + length >= field->size) break;
        if (n == 1)
            out[used] = (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text;
        else if (n == 0)
            out[used] = '?';
        else
            memcpy(out + used, text, n);
        used += length;
        text += length;
    }
    memset(out + used, 0, field->size - used);
}

void st_run_clear(strait_run *run) {
    *run = (strait_run){0};
    for (size_t i = 0; i < ST_RUN_FIELDS; i++)
        if (st_run_fields[i].type == ST_FIELD_REAL) st_run_set_real(run, &st_run_fields[i], NAN);
}

void st_run_set_folder(strait_run *run, const char *folder) {
    snprintf(run->folder, sizeof run->folder, "%s", folder);
    snprintf(run->name, sizeof run->name, "%s", st_path_name(folder));
}
