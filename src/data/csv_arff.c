/* The header of an ARFF file (Weka's attribute-relation file format): @relation NAME, @attribute NAME TYPE for each
   column,
   @data; keywords in any case, comments after %. What follows is a table like any other. Types are not looked at: a
   column is of numbers or is not. */
#include <string.h>
#include "data/csv_int.h"

/* Whether text begins with the keyword, which a blank or the end follows. */
static bool begins_with(const char *text, size_t n, const char *keyword) {
    const size_t length = strlen(keyword);
    if (n < length) return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] != keyword[i] && (text[i] < 'A' || text[i] > 'Z' || text[i] + 'a' - 'A' != keyword[i]))
            return false;
    return n == length || text[length] == ' ' || text[length] == '\t' || text[length] == '\r' || text[length] == '\n';
}

bool st_arff_is(const st_records *records) {
    size_t n = 0;
    const char *text = st_records_ahead(records, &n), *end = text + n;
    while (text < end && (*text == '%' || *text == '\n' || *text == '\r')) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop) return false;
        text = stop + 1;
    }
    return begins_with(text, (size_t)(end - text), "@relation");
}

/* The name after "@attribute", in quotes or up to a blank; cuts it off in place. */
static const char *attribute_name(char *text) {
    text += strspn(text, " \t");
    const char quote = *text == '"' || *text == '\'' ? *text : '\0';
    text += quote != '\0';
    char *stop = text + (quote ? strcspn(text, (char[]){quote, '\0'}) : strcspn(text, " \t{"));
    *stop = '\0';
    return text;
}

strait_status st_arff_read_header(st_words **names, st_records *records, const char *path, strait_error *err) {
    static const char attribute[] = "@attribute";
    st_words *words = NULL;
    bool end = false;
    ST_TRY(st_words_new(&words, err));
    strait_status status = STRAIT_OK;
    for (char *line = NULL; (status = st_records_line(&line, &end, records, err)) == STRAIT_OK && !end;) {
        line += strspn(line, " \t");
        if (begins_with(line, strlen(line), "@data")) break;
        if (!begins_with(line, strlen(line), attribute)) continue;
        const char *name = attribute_name(line + sizeof attribute - 1);
        st_words_add(words, name, strlen(name));
    }
    if (status == STRAIT_OK && end) status = st_fail(err, STRAIT_FORMAT, "%s: ends before its @data", path);
    st_records_set_style(records, '%', ',');
    if (status == STRAIT_OK) status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        *names = words;
    } else {
        st_words_free(words);
    }
    return status;
}
