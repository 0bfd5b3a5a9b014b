#include "overrides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "format.h"

cli_exit cli_overrides_check(const cli_args *args) {
    for (int i = 0; i < args->n_values; i++) {
        const char *text = args->value[i].text;
        const bool is_set = strcmp(args->value[i].option->name, "set") == 0;
        if (is_set && (text[0] == '=' || !strchr(text, '=')))
            return cli_usage("--set takes KEY=VALUE, as train.epochs=3, not '%s'", text);
    }
    return CLI_OK;
}

/* Room for one more. */
static bool make_room(cli_overrides *list) {
    if (list->n < list->room) return true;
    const size_t room = 2 * list->room + 8;
    const char **text = realloc(list->text, room * sizeof *text);
    if (!text) return false;
    list->text = text;
    list->room = room;
    return true;
}

bool cli_overrides_begin(cli_overrides *list, const cli_args *args) {
    *list = (cli_overrides){0};
    if (!make_room(list)) return false; /* a list of none is a list too */
    for (int i = 0; i < args->n_values; i++) {
        if (strcmp(args->value[i].option->name, "set") != 0) continue;
        if (!make_room(list)) return false;
        list->text[list->n++] = args->value[i].text;
        list->n_borrowed = list->n;
    }
    return true;
}

bool cli_override_add(cli_overrides *list, const char *key, const char *value, bool quoted) {
    const size_t length = strlen(key);
    char *text = make_room(list) ? malloc(length + 2 * strlen(value) + 4) : NULL, *at = text;
    if (!text) return false;
    memcpy(at, key, length);
    at += length;
    *at++ = '=';
    if (quoted) *at++ = '\'';
    for (; *value; value++) {
        *at++ = *value;
        if (quoted && *value == '\'') *at++ = '\'';
    }
    if (quoted) *at++ = '\'';
    *at = '\0';
    list->text[list->n++] = text;
    return true;
}

bool cli_overrides_shorthand(cli_overrides *list, const cli_args *args, const cli_shorthand *shorthand) {
    for (; shorthand->option; shorthand++) {
        const char *value = cli_text(args, shorthand->option);
        if (value && !cli_override_add(list, shorthand->key, value, shorthand->quoted)) return false;
    }
    return true;
}

void cli_overrides_free(cli_overrides *list) {
    for (size_t i = list->n_borrowed; i < list->n; i++)
        free((char *)(uintptr_t)list->text[i]);
    free(list->text);
}

void cli_command_line(char *out, size_t size, const cli_args *args) {
    size_t at = (size_t)snprintf(out, size, "strait %s", args->command->name);
    for (int i = 0; i < args->n_operands && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, " %s", cli_shell(args->operand[i]).text);
    for (int i = 0; i < args->n_values && at < size; i++) {
        const struct cli_value *value = &args->value[i];
        at += (size_t)snprintf(out + at, size - at, " --%s%s%s", value->option->name, value->text ? " " : "",
                               value->text ? cli_shell(value->text).text : "");
    }
}
