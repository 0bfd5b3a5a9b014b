#include <string.h>

#include "report/html_int.h"

const char *st_setting_find(const st_report_run *run, const char *key) {
    for (int i = 0; i < run->n_settings; i++)
        if (strcmp(run->setting[i].key, key) == 0) return run->setting[i].value;
    return NULL;
}

bool st_setting_is_plan(const char *key) {
    return strcmp(key, "train.threads") == 0 || strcmp(key, "train.micro_batch") == 0;
}

/* What stands in the key's name below `key`: "" for the key itself; NULL for another key. */
static const char *below(const char *name, const char *key) {
    const size_t n = strlen(key);
    if (strncmp(name, key, n) != 0) return NULL;
    return name[n] == '.' ? name + n + 1 : name[n] ? NULL : name + n;
}

bool st_setting_describe(st_text *words, const st_report_run *run, const char *key) {
    const char *choice = NULL; /* the word all keys begin with: "adam" */
    size_t length = 0;
    int n = 0;
    for (int i = 0; i < run->n_settings; i++) {
        const char *rest = below(run->setting[i].key, key);
        if (!rest) continue;
        const size_t word = strcspn(rest, ".");
        if (n == 0 && rest[word] == '.') {
            choice = rest;
            length = word;
        } else if (choice && (word != length || strncmp(rest, choice, length) != 0)) {
            choice = NULL;
        }
        n++;
    }
    if (choice) st_text_add(words, "%.*s: ", (int)length, choice);
    bool first = true;
    for (int i = 0; i < run->n_settings; i++) {
        const char *rest = below(run->setting[i].key, key);
        if (!rest) continue;
        if (choice) rest += length + 1;
        st_text_add(words, "%s%s%s%s", first ? "" : " · ", rest, rest[0] ? " " : "", run->setting[i].value);
        first = false;
    }
    return n > 0;
}
