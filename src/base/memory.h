/* All memory of the library comes from here, so that tests can count allocations and make each one fail.
   malloc, calloc, realloc, free and strdup are used nowhere else in src/ (make check sees to it). */
#ifndef ST_BASE_MEMORY_H
#define ST_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for n items of size bytes each; NULL when there is none or n * size overflows. n = 0 gives a
   pointer that may be freed. */
void *st_alloc(size_t n, size_t size);

/* As realloc for n items of size bytes each; NULL leaves the old block as it was. */
void *st_realloc(void *block, size_t n, size_t size);

/* Zeroed memory aligned to 64 bytes (a cache line, a vector register); big blocks ask for huge pages.
   Free with st_free as everything else. */
void *st_alloc_aligned(size_t bytes);

void st_free(void *block);

/* A copy of a string / of its first n bytes; NULL when there is no memory. */
char *st_strdup(const char *string);
char *st_strndup(const char *string, size_t n);

/* Bytes of memory this process can ever have: the machine's, or the container's limit where that is less. */
int64_t st_memory_limit(void);

/* For tests. The number of allocations so far; and: the n-th allocation from now on (1 = the next one) fails, only that
   one; 0 switches off. Also set at start from the environment variable STRAIT_FAIL_ALLOCATION. */
uint64_t st_alloc_count(void);
void st_alloc_fail_at(uint64_t n);

#endif
