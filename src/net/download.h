/* Files from the network; the only use of libcurl, and of libcrypto for checksums. */
#ifndef ST_NET_DOWNLOAD_H
#define ST_NET_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

typedef struct st_download {
    const char *url;    /* http or https; proxies are those of the environment (https_proxy, no_proxy, ...) */
    const char *path;   /* where it goes once it is whole and right; until then it is PATH.part */
    const char *sha256; /* 64 digits of hexadecimal, lower case */
    int64_t limit;      /* more bytes than that are not taken */
    /* Called now and then with the bytes there are and the bytes there will be (0: not known yet); may be NULL. */
    void (*progress)(void *context, int64_t got, int64_t total);
    void *context;
} st_download;

/* Fetches a file, going on where an earlier try ended if the server can. Errors: NOT_FOUND (404), IO (naming the URL
   and what went wrong), FORMAT (another checksum; what came is removed), MEMORY. */
strait_status st_download_file(const st_download *job, strait_error *err);

/* Whether the file is there and has this SHA-256. */
bool st_file_has_sha256(const char *path, const char *sha256);

#endif
