/* Sorting and filtering of runs. It is done here and not in SQL: a key may be a column or a recipe's, and a text that a
   user wrote never becomes part of a statement. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "store/run_fields.h"
#include "store/run_store.h"

typedef enum operator{ EQUAL, NOT_EQUAL, LESS, MORE, AT_MOST, AT_LEAST } operator;

typedef struct condition {
    char *key, *value;
    operator op;
} condition;

typedef struct query {
    st_store *store;
    const strait_runs *all;
    char **keys; /* of the recipes */
    size_t n_keys;
} query;

/* What a run has under a key. */
typedef struct item {
    bool there, is_number;
    double number;
    char *text; /* owned; NULL unless there */
} item;

/* ---- keys ---- */

static bool is_recipe_key(const query *q, const char *key) {
    for (size_t i = 0; i < q->n_keys; i++)
        if (strcmp(q->keys[i], key) == 0) return true;
    return q->all->n == 0 && strchr(key, '.');
}

/* Fails with the nearest key there is. */
static strait_status check_key(const query *q, const char *key, const char *where, strait_error *err) {
    if (st_run_field_find(key) || is_recipe_key(q, key)) return STRAIT_OK;
    const char **names = st_alloc(ST_RUN_FIELDS + q->n_keys, sizeof *names);
    if (!names) return st_fail_memory(err, (ST_RUN_FIELDS + q->n_keys) * sizeof *names, "the columns");
    for (size_t i = 0; i < ST_RUN_FIELDS; i++)
        names[i] = st_run_fields[i].name;
    for (size_t i = 0; i < q->n_keys; i++)
        names[ST_RUN_FIELDS + i] = q->keys[i];
    const char *nearest = st_nearest(key, names, ST_RUN_FIELDS + q->n_keys);
    st_text list = {0};
    char *columns = NULL;
    for (size_t i = 0; i < ST_RUN_FIELDS && !nearest; i++)
        st_text_add(&list, "%s%s", i ? ", " : "", names[i]);
    strait_status status = st_text_take(&columns, &list, err);
    if (status == STRAIT_OK && nearest)
        status = st_fail(err, STRAIT_ARGUMENT, "%s: unknown column '%.80s'; did you mean '%s'?", where, key, nearest);
    else if (status == STRAIT_OK)
        status = st_fail(err, STRAIT_ARGUMENT,
                         "%s: unknown column '%.80s'; there are the recipes' keys, as train.batch_size, and %s", where,
                         key, columns);
    st_free(columns);
    st_free(names);
    return status;
}

static strait_status get_item(item *out, const query *q, const strait_run *run, const char *key, strait_error *err) {
    const st_run_field *field = st_run_field_find(key);
    *out = (item){0};
    if (field && field->type != ST_FIELD_TEXT) {
        out->number = st_run_number(run, field);
        out->is_number = out->there = !isnan(out->number);
        return STRAIT_OK;
    }
    if (field) {
        out->text = st_strdup(st_run_text(run, field));
        if (!out->text) return st_fail_memory(err, field->size, "a run's column");
    } else {
        ST_TRY(st_store_parameter(&out->text, q->store, run->name, key, err));
    }
    out->there = out->text && out->text[0];
    out->is_number = out->there && st_parse_double(&out->number, out->text);
    return STRAIT_OK;
}

/* ---- conditions ---- */

static char *trimmed(const char *from, const char *to) {
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    return st_strndup(from, (size_t)(to - from));
}

/* "val_loss<0.01": from start to end. */
static strait_status read_condition(condition *out, const char *start, const char *end, strait_error *err) {
    const char *at = start;
    while (at < end && !strchr("=!<>", *at))
        at++;
    const bool two = at + 1 < end && at[1] == '=';
    const char *rest = at + (two ? 2 : 1);
    if (at == end || at == start || (*at == '!' && !two) || rest >= end)
        return st_fail(err, STRAIT_ARGUMENT,
                       "filter: '%.*s' is no condition; write COLUMN=VALUE, with =, !=, <, >, <= or >=, as "
                       "val_loss<0.01",
                       (int)(end - start), start);
    out->op = *at == '='   ? EQUAL
              : *at == '!' ? NOT_EQUAL
              : *at == '<' ? (two ? AT_MOST : LESS)
                           : (two ? AT_LEAST : MORE);
    out->key = trimmed(start, at);
    out->value = trimmed(rest, end);
    if (!out->key || !out->value) return st_fail_memory(err, (size_t)(end - start), "a filter");
    return STRAIT_OK;
}

/* The loss is a number, and the name of one: "loss<0.1", "loss=mse". */
static strait_status settle_condition(condition *c, const query *q, strait_error *err) {
    double number;
    const bool is_number = st_parse_double(&number, c->value);
    if (strcmp(c->key, "loss") == 0 && !is_number) {
        char *name = st_strdup("loss_name");
        if (!name) return st_fail_memory(err, 10, "a filter");
        st_free(c->key);
        c->key = name;
    }
    ST_TRY(check_key(q, c->key, "filter", err));
    const st_run_field *field = st_run_field_find(c->key);
    if (field && field->type != ST_FIELD_TEXT && !is_number)
        return st_fail(err, STRAIT_ARGUMENT, "filter: '%s' is a number, and '%.80s' is none", c->key, c->value);
    return STRAIT_OK;
}

static bool compare(operator op, double order) {
    switch (op) {
    case EQUAL: return order == 0;
    case NOT_EQUAL: return order != 0;
    case LESS: return order < 0;
    case MORE: return order > 0;
    case AT_MOST: return order <= 0;
    case AT_LEAST: return order >= 0;
    }
    return false;
}

/* A run without a value equals nothing. Numbers are compared as numbers, all else as text. */
static strait_status meets(bool *out, const query *q, const strait_run *run, const condition *c, strait_error *err) {
    item has;
    double wanted;
    ST_TRY(get_item(&has, q, run, c->key, err));
    const bool is_number = st_parse_double(&wanted, c->value);
    if (!has.there)
        *out = c->op == NOT_EQUAL;
    else if (has.is_number && is_number)
        *out = compare(c->op, (has.number > wanted) - (has.number < wanted));
    else if (has.text)
        *out = compare(c->op, strcmp(has.text, c->value));
    else
        *out = c->op == NOT_EQUAL;
    st_free(has.text);
    return STRAIT_OK;
}

/* The end of the condition that begins at start: a ',' that stands in no brackets. */
static const char *condition_end(const char *start) {
    int depth = 0;
    for (; *start && !(*start == ',' && depth <= 0); start++)
        depth += (*start == '[' || *start == '{') - (*start == ']' || *start == '}');
    return start;
}

/* Leaves in runs those that meet the condition. */
static strait_status keep_matching(strait_runs *runs, const query *q, const condition *c, strait_error *err) {
    int kept = 0;
    for (int i = 0; i < runs->n; i++) {
        bool good;
        ST_TRY(meets(&good, q, &runs->run[i], c, err));
        if (good && kept++ != i) runs->run[kept - 1] = runs->run[i];
    }
    runs->n = kept;
    return STRAIT_OK;
}

static strait_status apply_filter(strait_runs *runs, const query *q, const char *filter, strait_error *err) {
    strait_status status = STRAIT_OK;
    for (const char *at = filter; status == STRAIT_OK; at++) {
        const char *stop = condition_end(at);
        condition c = {0};
        status = read_condition(&c, at, stop, err);
        if (status == STRAIT_OK) status = settle_condition(&c, q, err);
        if (status == STRAIT_OK) status = keep_matching(runs, q, &c, err);
        st_free(c.key);
        st_free(c.value);
        at = stop;
        if (!*at) break;
    }
    return status;
}

/* ---- order ---- */

typedef struct ranked {
    item item;
    const strait_run *run;
    bool descending;
} ranked;

static int by_item(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->item.there != y->item.there) return x->item.there ? -1 : 1;
    int order = 0;
    if (x->item.there && x->item.is_number && y->item.is_number)
        order = (x->item.number > y->item.number) - (x->item.number < y->item.number);
    else if (x->item.text && y->item.text)
        order = strcmp(x->item.text, y->item.text);
    if (x->descending) order = -order;
    return order ? order : strcmp(x->run->name, y->run->name);
}

static strait_status apply_sort(strait_runs *runs, const query *q, const char *sort, strait_error *err) {
    const bool descending = sort[0] == '-';
    const char *key = sort + descending;
    const size_t n = (size_t)runs->n;
    ST_TRY(check_key(q, key, "sort", err));
    ranked *order = st_alloc(n + 1, sizeof *order);
    strait_run *sorted = st_alloc(n + 1, sizeof *sorted);
    strait_status status = order && sorted ? STRAIT_OK : st_fail_memory(err, n * sizeof *sorted, "a list of runs");
    for (size_t i = 0; i < n && status == STRAIT_OK; i++) {
        order[i] = (ranked){.run = &runs->run[i], .descending = descending};
        status = get_item(&order[i].item, q, &runs->run[i], key, err);
    }
    if (status == STRAIT_OK) {
        qsort(order, n, sizeof *order, by_item);
        for (size_t i = 0; i < n; i++)
            sorted[i] = *order[i].run;
        strait_run *old = runs->run;
        runs->run = sorted;
        sorted = old;
    }
    for (size_t i = 0; i < n && order; i++)
        st_free(order[i].item.text);
    st_free(order);
    st_free(sorted);
    return status;
}

static void drop_missing(strait_runs *runs) {
    int kept = 0;
    for (int i = 0; i < runs->n; i++)
        if (st_path_is_folder(runs->run[i].folder) && kept++ != i) runs->run[kept - 1] = runs->run[i];
    runs->n = kept;
}

strait_status st_store_query(strait_runs **out, st_store *store, const char *sort, const char *filter,
                             strait_error *err) {
    strait_runs *runs = NULL;
    query q = {.store = store};
    *out = NULL;
    strait_status status = st_store_list(&runs, store, err);
    q.all = runs;
    if (status == STRAIT_OK) status = st_store_keys(&q.keys, &q.n_keys, store, err);
    if (status == STRAIT_OK) drop_missing(runs);
    if (status == STRAIT_OK && sort && sort[0]) status = check_key(&q, sort + (sort[0] == '-'), "sort", err);
    if (status == STRAIT_OK && filter && filter[0]) status = apply_filter(runs, &q, filter, err);
    if (status == STRAIT_OK) status = apply_sort(runs, &q, sort && sort[0] ? sort : "started", err);
    st_store_free_keys(q.keys, q.n_keys);
    if (status == STRAIT_OK)
        *out = runs;
    else
        strait_runs_free(runs);
    return status;
}
