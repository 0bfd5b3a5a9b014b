/* Status codes and the error a failing call fills in. */
#ifndef STRAIT_STATUS_H
#define STRAIT_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(STRAIT_BUILDING)
#define STRAIT_API __attribute__((visibility("default")))
#else
#define STRAIT_API
#endif

/* Every status with the words people read. Append only: the numbers are part of the ABI. */
#define STRAIT_STATUS_LIST(X)                                                                                          \
    X(OK, "ok")                                                                                                        \
    X(MEMORY, "out of memory")                                                                                         \
    X(IO, "input or output failed")                                                                                    \
    X(NOT_FOUND, "not found")                                                                                          \
    X(FORMAT, "malformed file")                                                                                        \
    X(RECIPE, "mistake in the recipe")                                                                                 \
    X(SHAPE, "shapes do not fit")                                                                                      \
    X(ARGUMENT, "wrong argument")                                                                                      \
    X(DIVERGED, "the loss is not finite")                                                                              \
    X(INTERRUPTED, "interrupted")                                                                                      \
    X(ENGINE, "the compute engine failed")

typedef enum strait_status {
#define STRAIT_STATUS_ENUM(name, words) STRAIT_##name,
    STRAIT_STATUS_LIST(STRAIT_STATUS_ENUM)
#undef STRAIT_STATUS_ENUM
} strait_status;

/* What went wrong: one line naming what, where and how to mend it. Caller-owned; pass NULL to any function
   when only the status matters. Filled only when the returned status is not STRAIT_OK. */
typedef struct strait_error {
    strait_status code;
    char message[1024];
} strait_error;

/* The words for a status, e.g. "out of memory". Static storage. */
STRAIT_API const char *strait_status_text(strait_status status);

#ifdef __cplusplus
}
#endif
#endif
