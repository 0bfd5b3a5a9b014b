/* Invariants: what is under the final name is whole and has its checksum; PATH.part holds the beginning of what the
   server has, and a later try asks for the rest alone. */
#include "net/download.h"

#define CURL_DISABLE_TYPECHECK /* its macros know the functions by their own names */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/library.h"
#include "base/memory.h"
#include "base/string.h"

enum { DIGEST_TEXT = 2 * EVP_MAX_MD_SIZE + 1, SECONDS_TO_CONNECT = 30, SECONDS_OF_SILENCE = 60, MAX_REDIRECTS = 8 };

/* ---- checksums ---- */

/* The file's SHA-256 in hexadecimal; empty where it cannot be read. */
static void measure(char out[DIGEST_TEXT], const char *path) {
    unsigned char block[1 << 14], digest[EVP_MAX_MD_SIZE];
    unsigned n_digest = 0;
    out[0] = '\0';
    FILE *file = fopen(path, "rbe");
    EVP_MD_CTX *context = file ? EVP_MD_CTX_new() : NULL;
    bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t n; good && (n = fread(block, 1, sizeof block, file)) > 0;)
        good = EVP_DigestUpdate(context, block, n) == 1;
    good = good && !ferror(file) && EVP_DigestFinal_ex(context, digest, &n_digest) == 1;
    for (unsigned i = 0; good && i < n_digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    EVP_MD_CTX_free(context);
    if (file) fclose(file);
}

bool st_file_has_sha256(const char *path, const char *sha256) {
    char digest[DIGEST_TEXT];
    measure(digest, path);
    return strcmp(digest, sha256) == 0;
}

/* ---- libcurl, loaded for the first transfer: it brings some twenty libraries along ---- */

#define FUNCTIONS(X)                                                                                                   \
    X(global_init)                                                                                                     \
    X(easy_init) X(easy_setopt) X(easy_perform) X(easy_getinfo) X(easy_strerror) X(easy_cleanup)

#undef curl_easy_setopt /* of its macros what is left counts arguments */
#undef curl_easy_getinfo
static struct curl_library {
#define POINTER(name) __typeof__(&curl_##name) name;
    FUNCTIONS(POINTER)
#undef POINTER
    bool loaded;
} curl_library;

static strait_status load_curl(const char *url, strait_error *err) {
    static const st_symbol symbols[] = {
#define SYMBOL(name) {"curl_" #name, offsetof(struct curl_library, name)},
        FUNCTIONS(SYMBOL)
#undef SYMBOL
    };
    return st_library_load(&curl_library, &curl_library.loaded, STRAIT_CURL_LIBRARY, symbols,
                           sizeof symbols / sizeof *symbols, url, err);
}

/* ---- one transfer ---- */

typedef struct transfer {
    const st_download *job;
    CURL *curl;
    int fd;
    int64_t before; /* bytes that were there already */
    int64_t got;    /* bytes there are */
    bool begun;
    int failure; /* errno of a failed write */
    bool too_much;
} transfer;

/* A server that sends all of it although the rest was asked for begins anew. */
static bool begin(transfer *t) {
    long code = 0;
    t->begun = true;
    curl_library.easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code == 206 || t->before == 0) return true;
    t->before = t->got = 0;
    return ftruncate(t->fd, 0) == 0 && lseek(t->fd, 0, SEEK_SET) == 0;
}

static size_t take(char *bytes, size_t size, size_t count, void *context) {
    transfer *t = context;
    const size_t n = size * count;
    if (!t->begun && !begin(t)) {
        t->failure = errno;
        return 0;
    }
    if ((uint64_t)t->got + n > (uint64_t)t->job->limit) {
        t->too_much = true;
        return 0;
    }
    for (size_t at = 0; at < n;) {
        const ssize_t put = write(t->fd, bytes + at, n - at);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            t->failure = put < 0 ? errno : EIO;
            return 0;
        }
        at += (size_t)put;
        t->got += put;
    }
    return n;
}

static int on_progress(void *context, curl_off_t total, curl_off_t got, curl_off_t up_total, curl_off_t up) {
    const transfer *t = context;
    (void)up_total, (void)up, (void)got;
    if (t->job->progress && t->begun) t->job->progress(t->job->context, t->got, total > 0 ? t->before + total : 0);
    return 0;
}

static strait_status fail(const transfer *t, CURLcode code, const char *message, strait_error *err) {
    const char *url = t->job->url;
    long answer = 0;
    curl_library.easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (t->failure) {
        errno = t->failure;
        return st_fail_errno(err, "%s: cannot be written", t->job->path);
    }
    if (t->too_much)
        return st_fail(err, STRAIT_IO, "%s: sends more than the %lld bytes expected", url, (long long)t->job->limit);
    if (code == CURLE_OUT_OF_MEMORY) return st_fail_memory(err, 0, url);
    if (code == CURLE_HTTP_RETURNED_ERROR && answer == 404)
        return st_fail(err, STRAIT_NOT_FOUND, "%s: is not there (404); name another place by --url", url);
    return st_fail(err, STRAIT_IO, "%s: cannot be fetched: %s; what came is kept, run it again to go on", url,
                   message[0] ? message : curl_library.easy_strerror(code));
}

/* All options that the library could refuse. */
static bool set_up(transfer *t, char *message, const char *range) {
    CURL *curl = t->curl;
    return curl_library.easy_setopt(curl, CURLOPT_URL, t->job->url) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_ERRORBUFFER, message) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)SECONDS_TO_CONNECT) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SECONDS_OF_SILENCE) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_USERAGENT, "strait") == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_RANGE, range) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_library.easy_setopt(curl, CURLOPT_XFERINFODATA, t) == CURLE_OK;
}

static void start_curl(void) {
    curl_library.global_init(CURL_GLOBAL_DEFAULT);
}

/* *stale: the server has nothing after what is there. */
static strait_status run_transfer(transfer *t, bool *stale, strait_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char message[CURL_ERROR_SIZE] = "", range[32];
    long answer = 0;
    *stale = false;
    ST_TRY(load_curl(t->job->url, err));
    pthread_once(&once, start_curl);
    t->curl = curl_library.easy_init();
    if (!t->curl) return st_fail_memory(err, 0, "a transfer");
    snprintf(range, sizeof range, "%lld-", (long long)t->before);
    strait_status status = STRAIT_OK;
    if (!set_up(t, message, t->before > 0 ? range : NULL)) {
        status = st_fail(err, STRAIT_ARGUMENT, "%s: cannot be fetched: it is no http or https address", t->job->url);
    } else {
        const CURLcode code = curl_library.easy_perform(t->curl);
        curl_library.easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
        *stale = code == CURLE_HTTP_RETURNED_ERROR && answer == 416 && t->before > 0;
        if (code != CURLE_OK && !*stale) status = fail(t, code, message, err);
    }
    curl_library.easy_cleanup(t->curl);
    return status;
}

static strait_status transfer_file(const st_download *job, const char *part, strait_error *err) {
    transfer t = {.job = job, .fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)};
    if (t.fd < 0) return st_fail_errno(err, "%s: cannot be written", part);
    bool stale = false;
    const off_t end = lseek(t.fd, 0, SEEK_END);
    t.before = t.got = end > 0 ? end : 0;
    strait_status status = run_transfer(&t, &stale, err);
    if (status == STRAIT_OK && fsync(t.fd) != 0 && errno == EIO)
        status = st_fail_errno(err, "%s: cannot be written", part);
    close(t.fd);
    return status;
}

strait_status st_download_file(const st_download *job, strait_error *err) {
    char *part = st_format("%s.part", job->path), digest[DIGEST_TEXT];
    struct stat info;
    if (!part) return st_fail_memory(err, strlen(job->path), "a path");
    /* A part that turns out to be of something else is fetched once more from the start. */
    const bool resumed = stat(part, &info) == 0 && info.st_size > 0;
    strait_status status = STRAIT_OK;
    for (int tries = resumed ? 2 : 1; tries > 0; tries--) {
        status = transfer_file(job, part, err);
        if (status != STRAIT_OK) break;
        measure(digest, part);
        if (strcmp(digest, job->sha256) == 0) break;
        unlink(part);
        if (tries == 1)
            status = st_fail(err, STRAIT_FORMAT,
                             "%s: is not the file it should be: its SHA-256 is %s, not %s; it has been removed",
                             job->url, digest, job->sha256);
    }
    if (status == STRAIT_OK && rename(part, job->path) != 0)
        status = st_fail_errno(err, "%s: cannot be written", job->path);
    st_free(part);
    return status;
}
