#include "base/terms.h"

const char *st_activation_name(st_activation_kind kind) {
    switch (kind) {
#define ACTIVATION_CASE(name, text)                                                                                    \
    case ST_##name: return text;
        ST_ACTIVATION_LIST(ACTIVATION_CASE)
#undef ACTIVATION_CASE
    }
    return "unknown activation";
}

bool st_activation_needs_input(st_activation_kind kind) {
    return kind == ST_GELU || kind == ST_SWISH;
}

const char *st_initializer_name(st_initializer_kind kind) {
    switch (kind) {
#define INITIALIZER_CASE(name, text)                                                                                   \
    case ST_##name: return text;
        ST_INITIALIZER_LIST(INITIALIZER_CASE)
#undef INITIALIZER_CASE
    }
    return "unknown initializer";
}

const char *st_loss_name(st_loss_kind kind) {
    switch (kind) {
#define LOSS_CASE(name, text)                                                                                          \
    case ST_LOSS_##name: return text;
        ST_LOSS_LIST(LOSS_CASE)
#undef LOSS_CASE
    }
    return "unknown loss";
}
