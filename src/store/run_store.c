/* The index in SQLite.
   Invariants:
   1. Whatever is written is written in one transaction begun as a writer (BEGIN IMMEDIATE): a lock is waited for at its
      begin, never met half way, and a reader sees all of it or nothing.
   2. The schema's version is user_version; application_id says that the file is ours.
   3. The index repeats what the run folders say. So it may lose its last moments with the power (synchronous NORMAL),
      and a damaged one is set aside and made anew.
   A write-ahead log needs memory shared by all who use the file, which file systems of a network have not: there, and
   wherever SQLite refuses it, the rollback journal serves. */
#include "store/run_store.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/string.h"
#include "store/run_artefacts_int.h"
#include "store/run_fields.h"

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x53745275 /* "StRu" */
#define WAIT_MS 5000              /* for another process' lock */
#define PAUSE_MS 20

typedef enum statement {
    PUT_RUN,
    FIND_RUN,
    REMOVE_RUN,
    CLEAR_PARAMETERS,
    PUT_PARAMETER,
    CLEAR_ARTEFACTS,
    PUT_ARTEFACT,
    PUT_METRIC,
    LIST_RUNS,
    GET_PARAMETER,
    LIST_KEYS,
    N_STATEMENTS
} statement;

struct st_store {
    sqlite3 *db;
    sqlite3_stmt *prepared[N_STATEMENTS]; /* made when first needed */
    char *dir, *path;
    bool is_new;
};

/* ---- failures ---- */

static strait_status fail(const st_store *store, strait_error *err) {
    const int code = sqlite3_errcode(store->db) & 0xff;
    const char *why = sqlite3_errmsg(store->db);
    switch (code) {
    case SQLITE_NOMEM: return st_fail_memory(err, 0, store->path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return st_fail(err, STRAIT_FORMAT,
                       "%s: the index of runs is damaged (%s); strait runs scan makes a new one from the run folders",
                       store->path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return st_fail(err, STRAIT_IO,
                       "%s: another process has kept the index of runs locked for %d s; strait runs scan brings it up "
                       "to date later",
                       store->path, WAIT_MS / 1000);
    default:
        return st_fail(err, STRAIT_IO, "%s: the index of runs cannot be used: %s; strait runs scan mends it later",
                       store->path, why);
    }
}

static strait_status run_sql(st_store *store, const char *sql, strait_error *err) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? STRAIT_OK : fail(store, err);
}

/* ---- statements ---- */

/* The texts that follow from the table of fields: "name, recipe, ...", and the rest of an insertion. */
static void add_columns(st_text *text, const char *between, const char *format) {
    for (size_t i = ST_RUN_PLACE_FIELDS; i < ST_RUN_FIELDS; i++) {
        st_text_add(text, "%s", between);
        for (const char *c = format; *c; c++)
            if (*c == '#')
                st_text_add(text, "%s", st_run_fields[i].name);
            else
                st_text_add_bytes(text, c, 1);
    }
}

static void write_statement(st_text *text, statement which) {
    static const char *const fixed[N_STATEMENTS] = {
        [FIND_RUN] = "SELECT id FROM runs WHERE name = ?",
        [REMOVE_RUN] = "DELETE FROM runs WHERE name = ?",
        [CLEAR_PARAMETERS] = "DELETE FROM parameters WHERE run = ?",
        [PUT_PARAMETER] = "INSERT OR REPLACE INTO parameters (run, key, value) VALUES (?, ?, ?)",
        [CLEAR_ARTEFACTS] = "DELETE FROM artefacts WHERE run = ?",
        [PUT_ARTEFACT] = "INSERT OR REPLACE INTO artefacts (run, file, bytes) VALUES (?, ?, ?)",
        [PUT_METRIC] = "INSERT OR REPLACE INTO metrics (run, epoch, name, value) VALUES (?, ?, ?, ?)",
        [GET_PARAMETER] = "SELECT value FROM parameters JOIN runs ON runs.id = run WHERE name = ? AND key = ?",
        [LIST_KEYS] = "SELECT DISTINCT key FROM parameters ORDER BY key",
    };
    if (fixed[which]) {
        st_text_add(text, "%s", fixed[which]);
    } else if (which == PUT_RUN) {
        st_text_add(text, "INSERT INTO runs (name");
        add_columns(text, ", ", "#");
        st_text_add(text, ") VALUES (?");
        add_columns(text, ", ", "?");
        st_text_add(text, ") ON CONFLICT (name) DO UPDATE SET recipe = excluded.recipe");
        add_columns(text, ", ", "# = excluded.#");
    } else {
        st_text_add(text, "SELECT name");
        add_columns(text, ", ", "#");
        st_text_add(text, " FROM runs ORDER BY name");
    }
}

/* The prepared statement, ready for new values. */
static strait_status prepare(sqlite3_stmt **out, st_store *store, statement which, strait_error *err) {
    *out = store->prepared[which];
    if (*out) {
        sqlite3_reset(*out);
        sqlite3_clear_bindings(*out);
        return STRAIT_OK;
    }
    st_text text = {0};
    char *sql = NULL;
    write_statement(&text, which);
    ST_TRY(st_text_take(&sql, &text, err));
    const int code = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &store->prepared[which], NULL);
    st_free(sql);
    if (code != SQLITE_OK) return fail(store, err);
    *out = store->prepared[which];
    return STRAIT_OK;
}

static void bind_text(sqlite3_stmt *sql, int at, const char *text) {
    sqlite3_bind_text(sql, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_real(sqlite3_stmt *sql, int at, double value) {
    if (isfinite(value))
        sqlite3_bind_double(sql, at, value);
    else
        sqlite3_bind_null(sql, at);
}

/* Runs a statement that gives no rows. A value that could not be bound shows here as a missing one, or as no memory. */
static strait_status finish(st_store *store, sqlite3_stmt *sql, strait_error *err) {
    const int code = sqlite3_step(sql);
    const strait_status status = code == SQLITE_DONE ? STRAIT_OK : fail(store, err);
    sqlite3_reset(sql);
    return status;
}

/* ---- opening ---- */

static strait_status pragma_int(int64_t *out, st_store *store, const char *sql, strait_error *err) {
    sqlite3_stmt *query = NULL;
    *out = 0;
    if (sqlite3_prepare_v2(store->db, sql, -1, &query, NULL) != SQLITE_OK) return fail(store, err);
    const int code = sqlite3_step(query);
    if (code == SQLITE_ROW) *out = sqlite3_column_int64(query, 0);
    const strait_status status = code == SQLITE_ROW || code == SQLITE_DONE ? STRAIT_OK : fail(store, err);
    sqlite3_finalize(query);
    return status;
}

/* Does the folder lie on a file system of a network (or one in user space, which may be)? statfs(2) has the numbers. */
static bool is_remote(const char *dir) {
    static const unsigned long kinds[] = {0x6969,     0x517B,     0xFF534D42, 0xFE534D42, 0x65735546, 0x01021997,
                                          0x5346414F, 0x00C36400, 0x0BD00BD0, 0x47504653, 0x19830326};
    struct statfs info;
    if (statfs(dir, &info) != 0) return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (((unsigned long)info.f_type & 0xffffffffUL) == kinds[i]) return true;
    return false;
}

/* Sets the journal. *taken: it is now as asked; a lock is waited for, as SQLite itself does not here. */
static strait_status set_journal(bool *taken, st_store *store, const char *mode, strait_error *err) {
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA journal_mode = %s", mode);
    *taken = false;
    for (int waited = 0;; waited += PAUSE_MS) {
        sqlite3_stmt *query = NULL;
        int code = sqlite3_prepare_v2(store->db, sql, -1, &query, NULL);
        if (code == SQLITE_OK) code = sqlite3_step(query);
        if (code == SQLITE_ROW) *taken = sqlite3_stricmp((const char *)sqlite3_column_text(query, 0), mode) == 0;
        sqlite3_finalize(query);
        if (code == SQLITE_ROW) return STRAIT_OK;
        if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT) return fail(store, err);
        if ((code & 0xff) != SQLITE_BUSY || waited >= WAIT_MS) return STRAIT_OK; /* refused */
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
}

static strait_status choose_journal(st_store *store, strait_error *err) {
    bool taken = false;
    if (!is_remote(store->dir)) ST_TRY(set_journal(&taken, store, "wal", err));
    if (!taken) ST_TRY(set_journal(&taken, store, "delete", err));
    return STRAIT_OK; /* whichever it is now: none loses what was committed */
}

static strait_status make_schema(st_store *store, strait_error *err) {
    st_text text = {0};
    char *sql = NULL;
    st_text_add(&text, "CREATE TABLE runs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE");
    for (size_t i = ST_RUN_PLACE_FIELDS; i < ST_RUN_FIELDS; i++)
        st_text_add(&text, ", %s %s", st_run_fields[i].name,
                    st_run_fields[i].type == ST_FIELD_TEXT   ? "TEXT"
                    : st_run_fields[i].type == ST_FIELD_REAL ? "REAL"
                                                             : "INTEGER");
    st_text_add(&text,
                ");"
                "CREATE TABLE parameters (run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, "
                "key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;"
                "CREATE INDEX parameters_by_key ON parameters (key);"
                "CREATE TABLE metrics (run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, "
                "epoch INTEGER NOT NULL, name TEXT NOT NULL, value REAL, PRIMARY KEY (run, epoch, name)) WITHOUT ROWID;"
                "CREATE TABLE artefacts (run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, "
                "file TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (run, file)) WITHOUT ROWID;"
                "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                APPLICATION_ID, SCHEMA_VERSION);
    ST_TRY(st_text_take(&sql, &text, err));
    const strait_status status = run_sql(store, sql, err);
    st_free(sql);
    return status;
}

static strait_status check_version(st_store *store, bool *is_empty, strait_error *err) {
    int64_t id, version, tables;
    ST_TRY(pragma_int(&id, store, "PRAGMA application_id", err));
    ST_TRY(pragma_int(&version, store, "PRAGMA user_version", err));
    ST_TRY(pragma_int(&tables, store, "SELECT count(*) FROM sqlite_master", err));
    *is_empty = id == 0 && version == 0 && tables == 0;
    if (*is_empty || (id == APPLICATION_ID && version == SCHEMA_VERSION)) return STRAIT_OK;
    if (id == APPLICATION_ID)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: the index of runs has version %lld, this program's is %d; strait runs scan makes a new one",
                       store->path, (long long)version, SCHEMA_VERSION);
    return st_fail(err, STRAIT_FORMAT,
                   "%s: a database, but no index of runs; strait runs scan sets it aside and makes a new one",
                   store->path);
}

/* The schema, by whoever comes first. */
static strait_status check_schema(st_store *store, strait_error *err) {
    bool is_empty;
    ST_TRY(run_sql(store, "BEGIN", err)); /* what is read is of one moment, though another may be making the schema */
    strait_status status = check_version(store, &is_empty, err);
    run_sql(store, "ROLLBACK", NULL);
    if (status != STRAIT_OK || !is_empty) return status;
    ST_TRY(run_sql(store, "BEGIN IMMEDIATE", err));
    status = check_version(store, &is_empty, err);
    if (status == STRAIT_OK && is_empty) {
        status = make_schema(store, err);
        store->is_new = status == STRAIT_OK;
    }
    if (status == STRAIT_OK) status = run_sql(store, "COMMIT", err);
    if (status != STRAIT_OK) run_sql(store, "ROLLBACK", NULL);
    return status;
}

static strait_status open_store(st_store **out, const char *dir, const char *file, int flags, strait_error *err) {
    *out = NULL;
    st_store *store = st_alloc(1, sizeof *store);
    if (!store) return st_fail_memory(err, sizeof *store, "the index of runs");
    store->dir = st_strdup(dir);
    store->path = file ? st_path_join(dir, file) : st_strdup(":memory:");
    strait_status status = STRAIT_OK;
    if (!store->dir || !store->path)
        status = st_fail_memory(err, strlen(dir), "the index of runs");
    else if (file && !(flags & SQLITE_OPEN_CREATE) && !st_path_exists(store->path))
        status = st_fail(err, STRAIT_NOT_FOUND, "%s: no such file; strait runs scan makes it", store->path);
    else if (sqlite3_open_v2(store->path, &store->db, flags | SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        status = store->db ? fail(store, err) : st_fail_memory(err, 0, store->path);
    if (status == STRAIT_OK) sqlite3_busy_timeout(store->db, WAIT_MS);
    if (status == STRAIT_OK && file) status = choose_journal(store, err);
    if (status == STRAIT_OK) status = run_sql(store, "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL", err);
    if (status == STRAIT_OK) status = check_schema(store, err);
    if (status == STRAIT_OK)
        *out = store;
    else
        st_store_close(store);
    return status;
}

strait_status st_store_open(st_store **out, const char *dir, bool create, strait_error *err) {
    return open_store(out, dir, ST_FILE_INDEX, create ? SQLITE_OPEN_CREATE : 0, err);
}

strait_status st_store_open_memory(st_store **out, const char *dir, strait_error *err) {
    return open_store(out, dir, NULL, SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, err);
}

bool st_store_is_new(const st_store *store) {
    return store->is_new;
}

void st_store_close(st_store *store) {
    if (!store) return;
    for (int i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(store->prepared[i]);
    sqlite3_close(store->db);
    st_free(store->path);
    st_free(store->dir);
    st_free(store);
}

strait_status st_store_set_aside(const char *dir, strait_error *err) {
    static const char *const ending[] = {"", "-wal", "-shm", "-journal"};
    strait_status status = STRAIT_OK;
    for (size_t i = 0; i < sizeof ending / sizeof *ending && status == STRAIT_OK; i++) {
        char *from = st_format("%s/" ST_FILE_INDEX "%s", dir, ending[i]);
        char *to = st_format("%s/" ST_FILE_INDEX ".damaged%s", dir, ending[i]);
        if (!from || !to)
            status = st_fail_memory(err, strlen(dir), "a path");
        else if (rename(from, to) != 0 && errno != ENOENT)
            status = st_fail_errno(err, "%s: cannot be renamed", from);
        st_free(to);
        st_free(from);
    }
    return status;
}

/* ---- writing ---- */

static strait_status begin(st_store *store, strait_error *err) {
    return run_sql(store, "BEGIN IMMEDIATE", err);
}

static strait_status end(st_store *store, strait_status status, strait_error *err) {
    if (status == STRAIT_OK) status = run_sql(store, "COMMIT", err);
    if (status != STRAIT_OK) run_sql(store, "ROLLBACK", NULL);
    return status;
}

static strait_status find_run(int64_t *id, st_store *store, const char *name, strait_error *err) {
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, store, FIND_RUN, err));
    bind_text(sql, 1, name);
    const int code = sqlite3_step(sql);
    if (code == SQLITE_ROW) *id = sqlite3_column_int64(sql, 0);
    strait_status status = STRAIT_OK;
    if (code == SQLITE_DONE)
        status = st_fail(err, STRAIT_NOT_FOUND, "%s: no run '%s' in the index; strait runs scan brings it up to date",
                         store->path, name);
    else if (code != SQLITE_ROW)
        status = fail(store, err);
    sqlite3_reset(sql);
    return status;
}

static strait_status put_row(st_store *store, const strait_run *run, strait_error *err) {
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, store, PUT_RUN, err));
    bind_text(sql, 1, run->name);
    for (size_t i = ST_RUN_PLACE_FIELDS; i < ST_RUN_FIELDS; i++) {
        const st_run_field *field = &st_run_fields[i];
        const int at = (int)i; /* the name was 1, the first of these, 2 */
        if (field->type == ST_FIELD_TEXT)
            bind_text(sql, at, st_run_text(run, field));
        else if (field->type == ST_FIELD_REAL)
            bind_real(sql, at, st_run_number(run, field));
        else
            sqlite3_bind_int64(sql, at, st_run_whole(run, field));
    }
    return finish(store, sql, err);
}

/* What goes with a run, row by row. */
typedef struct rows_of {
    st_store *store;
    int64_t run;
} rows_of;

static strait_status put_parameter(void *context, const char *path, const char *value, strait_error *err) {
    const rows_of *of = context;
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, of->store, PUT_PARAMETER, err));
    sqlite3_bind_int64(sql, 1, of->run);
    bind_text(sql, 2, path);
    bind_text(sql, 3, value);
    return finish(of->store, sql, err);
}

static strait_status put_artefact(void *context, const char *file, int64_t bytes, strait_error *err) {
    const rows_of *of = context;
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, of->store, PUT_ARTEFACT, err));
    sqlite3_bind_int64(sql, 1, of->run);
    bind_text(sql, 2, file);
    sqlite3_bind_int64(sql, 3, bytes);
    return finish(of->store, sql, err);
}

static strait_status clear(st_store *store, statement which, int64_t run, strait_error *err) {
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, store, which, err));
    sqlite3_bind_int64(sql, 1, run);
    return finish(store, sql, err);
}

static strait_status put(st_store *store, const strait_run *run, const char *yaml, strait_error *err) {
    rows_of of = {.store = store};
    ST_TRY(put_row(store, run, err));
    if (!yaml) return STRAIT_OK;
    ST_TRY(find_run(&of.run, store, run->name, err));
    ST_TRY(clear(store, CLEAR_PARAMETERS, of.run, err));
    ST_TRY(clear(store, CLEAR_ARTEFACTS, of.run, err));
    ST_TRY(st_recipe_walk(yaml, run->folder, put_parameter, &of, err));
    return st_run_each_artefact(run->folder, put_artefact, &of, err);
}

static strait_status put_metric(st_store *store, int64_t run, int epoch, const char *name, double value,
                                strait_error *err) {
    sqlite3_stmt *sql;
    if (!isfinite(value)) return STRAIT_OK;
    ST_TRY(prepare(&sql, store, PUT_METRIC, err));
    sqlite3_bind_int64(sql, 1, run);
    sqlite3_bind_int(sql, 2, epoch);
    bind_text(sql, 3, name);
    bind_real(sql, 4, value);
    return finish(store, sql, err);
}

static strait_status put_epochs(st_store *store, const char *name, int n, const st_history_row *rows,
                                strait_error *err) {
    int64_t run;
    ST_TRY(find_run(&run, store, name, err));
    for (int i = 0; i < n; i++) {
        const st_history_row *row = &rows[i];
        const struct {
            const char *name;
            double value;
        } metric[] = {{"loss", row->loss},
                      {"val_loss", row->val_loss},
                      {"kl", row->kl},
                      {"val_kl", row->val_kl},
                      {"learning_rate", row->learning_rate},
                      {"seconds", row->seconds},
                      {"samples_per_second", row->samples_per_second},
                      {"wait_seconds", row->wait_seconds}};
        for (size_t j = 0; j < sizeof metric / sizeof *metric; j++)
            ST_TRY(put_metric(store, run, row->epoch, metric[j].name, metric[j].value, err));
    }
    return STRAIT_OK;
}

static strait_status remove_run(st_store *store, const char *name, strait_error *err) {
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, store, REMOVE_RUN, err));
    bind_text(sql, 1, name);
    return finish(store, sql, err);
}

strait_status st_store_put(st_store *store, const strait_run *run, const char *yaml, strait_error *err) {
    ST_TRY(begin(store, err));
    return end(store, put(store, run, yaml, err), err);
}

strait_status st_store_put_epochs(st_store *store, const char *name, int n, const st_history_row *rows,
                                  strait_error *err) {
    ST_TRY(begin(store, err));
    return end(store, put_epochs(store, name, n, rows, err), err);
}

strait_status st_store_put_whole(st_store *store, const strait_run *run, const char *yaml, int n,
                                 const st_history_row *rows, strait_error *err) {
    ST_TRY(begin(store, err));
    strait_status status = remove_run(store, run->name, err);
    if (status == STRAIT_OK) status = put(store, run, yaml, err);
    if (status == STRAIT_OK) status = put_epochs(store, run->name, n, rows, err);
    return end(store, status, err);
}

strait_status st_store_remove(st_store *store, const char *name, strait_error *err) {
    ST_TRY(begin(store, err));
    return end(store, remove_run(store, name, err), err);
}

/* ---- reading ---- */

static void read_row(strait_run *run, sqlite3_stmt *sql, const char *dir) {
    const char *name = (const char *)sqlite3_column_text(sql, 0);
    st_run_clear(run);
    snprintf(run->name, sizeof run->name, "%s", name ? name : "");
    snprintf(run->folder, sizeof run->folder, "%s%s%s", dir, st_ends_with(dir, "/") ? "" : "/", run->name);
    for (size_t i = ST_RUN_PLACE_FIELDS; i < ST_RUN_FIELDS; i++) {
        const st_run_field *field = &st_run_fields[i];
        const int at = (int)(i - ST_RUN_PLACE_FIELDS) + 1;
        if (sqlite3_column_type(sql, at) == SQLITE_NULL) continue;
        const char *text = field->type == ST_FIELD_TEXT ? (const char *)sqlite3_column_text(sql, at) : NULL;
        if (field->type == ST_FIELD_REAL)
            st_run_set_real(run, field, sqlite3_column_double(sql, at));
        else if (field->type == ST_FIELD_TEXT)
            st_run_set_text(run, field, text ? text : "");
        else
            st_run_set_whole(run, field, sqlite3_column_int64(sql, at));
    }
    if (strcmp(run->state, "running") == 0 && st_run_probe(run->folder) == ST_RUN_FREE)
        memcpy(run->state, "interrupted", sizeof "interrupted");
}

strait_status st_store_list(strait_runs **out, st_store *store, strait_error *err) {
    *out = NULL;
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, store, LIST_RUNS, err));
    strait_runs *runs = st_alloc(1, sizeof *runs);
    if (!runs) return st_fail_memory(err, sizeof *runs, "a list of runs");
    strait_status status = STRAIT_OK;
    int code, capacity = 0;
    while ((code = sqlite3_step(sql)) == SQLITE_ROW) {
        if (runs->n == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            strait_run *more = st_realloc(runs->run, (size_t)capacity, sizeof *more);
            if (!more) {
                status = st_fail_memory(err, (size_t)capacity * sizeof *more, "a list of runs");
                break;
            }
            runs->run = more;
        }
        read_row(&runs->run[runs->n++], sql, store->dir);
    }
    if (status == STRAIT_OK && code != SQLITE_DONE) status = fail(store, err);
    sqlite3_reset(sql);
    if (status == STRAIT_OK)
        *out = runs;
    else
        strait_runs_free(runs);
    return status;
}

strait_status st_store_parameter(char **out, st_store *store, const char *name, const char *key, strait_error *err) {
    *out = NULL;
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, store, GET_PARAMETER, err));
    bind_text(sql, 1, name);
    bind_text(sql, 2, key);
    const int code = sqlite3_step(sql);
    strait_status status = code == SQLITE_ROW || code == SQLITE_DONE ? STRAIT_OK : fail(store, err);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(sql, 0);
        *out = st_strdup(text ? text : "");
        if (!*out) status = st_fail_memory(err, 0, "a recipe's key");
    }
    sqlite3_reset(sql);
    return status;
}

strait_status st_store_keys(char ***out, size_t *n, st_store *store, strait_error *err) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *sql;
    ST_TRY(prepare(&sql, store, LIST_KEYS, err));
    strait_status status = STRAIT_OK;
    int code = SQLITE_DONE;
    while (status == STRAIT_OK && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(sql, 0);
        char **more = st_realloc(*out, *n + 1, sizeof *more), *copy = st_strdup(text ? text : "");
        if (more) *out = more;
        if (more && copy)
            more[(*n)++] = copy;
        else
            st_free(copy), status = st_fail_memory(err, *n * sizeof *more, "the recipes' keys");
    }
    if (status == STRAIT_OK && code != SQLITE_DONE) status = fail(store, err);
    sqlite3_reset(sql);
    if (status == STRAIT_OK) return status;
    st_store_free_keys(*out, *n);
    *out = NULL;
    *n = 0;
    return status;
}

void st_store_free_keys(char **keys, size_t n) {
    for (size_t i = 0; i < n; i++)
        st_free(keys[i]);
    st_free(keys);
}

STRAIT_API void strait_runs_free(strait_runs *runs) {
    if (!runs) return;
    st_free(runs->run);
    st_free(runs);
}
