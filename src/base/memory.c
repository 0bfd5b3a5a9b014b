#include "base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE ((size_t)64)
#define HUGE_PAGE ((size_t)2 << 20)

static _Atomic uint64_t allocations;
static _Atomic uint64_t fail_in; /* 0: never; 1: the next allocation fails */

__attribute__((constructor)) static void read_environment(void) {
    const char *text = getenv("STRAIT_FAIL_ALLOCATION");
    if (text) st_alloc_fail_at(strtoull(text, NULL, 10));
}

uint64_t st_alloc_count(void) {
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}

void st_alloc_fail_at(uint64_t n) {
    atomic_store(&fail_in, n);
}

/* Counts an allocation; false when this is the one that must fail. Exactly one thread sees the last step down. */
static bool may_allocate(void) {
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    uint64_t left = atomic_load_explicit(&fail_in, memory_order_relaxed);
    while (left > 0)
        if (atomic_compare_exchange_weak(&fail_in, &left, left - 1)) return left != 1;
    return true;
}

void *st_alloc(size_t n, size_t size) {
    size_t bytes;
    if (!may_allocate() || __builtin_mul_overflow(n, size, &bytes)) return NULL;
    return calloc(bytes ? bytes : 1, 1);
}

void *st_realloc(void *block, size_t n, size_t size) {
    size_t bytes;
    if (!may_allocate() || __builtin_mul_overflow(n, size, &bytes)) return NULL;
    return realloc(block, bytes ? bytes : 1);
}

void *st_alloc_aligned(size_t bytes) {
    if (!may_allocate() || bytes > SIZE_MAX - HUGE_PAGE) return NULL;
    const bool huge = bytes >= HUGE_PAGE;
    void *block = NULL;
    if (posix_memalign(&block, huge ? HUGE_PAGE : CACHE_LINE, bytes ? bytes : 1)) return NULL;
#ifdef MADV_HUGEPAGE
    if (huge) madvise(block, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish; refusal does no harm */
#endif
    memset(block, 0, bytes);
    return block;
}

void st_free(void *block) {
    free(block);
}

char *st_strdup(const char *string) {
    return st_strndup(string, strlen(string));
}

char *st_strndup(const char *string, size_t n) {
    const size_t length = strnlen(string, n);
    char *copy = st_alloc(length + 1, 1);
    if (copy) memcpy(copy, string, length);
    return copy;
}
