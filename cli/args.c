/* The parser of options: driven by the command's table, so that help, completion and parser cannot disagree.
   Takes --name VALUE, --name=VALUE, -n VALUE, -nVALUE, options anywhere among the operands, and "--" to end them.
   No abbreviations: a name that is nearly right gets a suggestion instead. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words longer than this are not slips of the finger. */
#define MAX_WORD 64

/* Edit distance (Levenshtein, with a swap of neighbours as one edit: "trian" is one slip from "train"). */
static size_t edit_distance(const char *a, const char *b) {
    const size_t n = strlen(a), m = strlen(b);
    size_t row[3][MAX_WORD + 1]; /* of the last two characters of a and this one */
    if (n > MAX_WORD || m > MAX_WORD) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

bool cli_nearest(char *out, size_t size, const char *word, const char *(*get)(const void *context, size_t i),
                 const void *context) {
    const size_t length = strlen(word);
    size_t limit = length / 3 > 3 ? 3 : length / 3; /* at most a third of the word may be wrong */
    bool found = false;
    const char *candidate;
    if (limit == 0) limit = 1;
    for (size_t i = 0; (candidate = get(context, i)) != NULL; i++) {
        const bool begun = length >= 2 && strncmp(word, candidate, length) == 0; /* --ep for --epochs */
        const size_t distance = begun && candidate[length] ? 1 : edit_distance(word, candidate);
        if (distance >= length || (found ? distance >= limit : distance > limit)) continue;
        snprintf(out, size, "%s", candidate);
        limit = distance;
        found = true;
    }
    return found;
}

static const char *option_name(const void *context, size_t i) {
    const cli_command *command = context;
    return command->options[i].name;
}

static const cli_option *find_option(const cli_command *command, const char *name, size_t length) {
    for (const cli_option *option = command->options; option->name; option++)
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0) return option;
    return NULL;
}

static const cli_option *find_letter(const cli_command *command, char letter) {
    for (const cli_option *option = command->options; option->name; option++)
        if (option->letter == letter) return option;
    return NULL;
}

static cli_exit unknown_option(const cli_command *command, const char *word) {
    char name[MAX_WORD + 1], near[MAX_WORD + 1];
    const size_t length = strcspn(word, "=");
    if (strncmp(word, "--", 2) == 0) {
        snprintf(name, sizeof name, "%.*s", (int)length - 2, word + 2);
        if (cli_nearest(near, sizeof near, name, option_name, command))
            return cli_usage("unknown option '%.*s'; did you mean '--%s'?", (int)length, word, near);
    }
    return cli_usage("unknown option '%.*s'; the options of %s: strait %s --help", (int)length, word, command->name,
                     command->name);
}

/* Whole numbers in decimal digits alone: no sign, no space, no trailing text. */
static bool parse_whole(int64_t *out, const char *text) {
    if (!*text || strspn(text, "0123456789") != strlen(text)) return false;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

bool cli_parse_positive(double *out, const char *text) {
    char *end;
    if (strspn(text, "0123456789.") != strlen(text)) return false;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out) && *out > 0;
}

static cli_exit check_value(const cli_option *option, const char *text) {
    int64_t whole;
    double seconds;
    switch (option->kind) {
    case CLI_FLAG: return CLI_OK;
    case CLI_TEXT:
        if (*text) return CLI_OK;
        return cli_usage("--%s needs a value that is not empty: --%s %s", option->name, option->name, option->argument);
    case CLI_COUNT:
        if (parse_whole(&whole, text) && whole >= 1 && whole <= INT_MAX) return CLI_OK;
        return cli_usage("--%s takes a whole number from 1 up, not '%s'", option->name, text);
    case CLI_SEED:
        if (parse_whole(&whole, text)) return CLI_OK;
        return cli_usage("--%s takes a whole number from 0 up, not '%s'", option->name, text);
    case CLI_SECONDS:
        if (cli_parse_positive(&seconds, text)) return CLI_OK;
        return cli_usage("--%s takes a number above 0, not '%s'", option->name, text);
    }
    return CLI_OK;
}

static cli_exit add_value(cli_args *args, const cli_option *option, const char *text) {
    if (!option->repeats && cli_has(args, option->name)) return cli_usage("--%s is given twice", option->name);
    const cli_exit checked = check_value(option, text);
    if (checked != CLI_OK) return checked;
    args->value[args->n_values].option = option;
    args->value[args->n_values++].text = text;
    return CLI_OK;
}

/* One option at argv[*i], its value perhaps in the next word. */
static cli_exit parse_option(cli_args *args, int *i, int argc, char *const *argv) {
    const char *word = argv[*i];
    const bool is_long = word[1] == '-';
    const size_t length = strcspn(word, "=");
    const cli_option *option =
        is_long ? find_option(args->command, word + 2, length - 2) : find_letter(args->command, word[1]);
    if (!option) return unknown_option(args->command, word);
    const char *text = NULL;
    if (is_long && word[length] == '=') text = word + length + 1;
    if (!is_long && word[2]) text = word + 2;
    if (option->kind == CLI_FLAG) {
        if (text && !is_long) return cli_usage("unknown option '%s'; give short options apart, as -%c", word, word[1]);
        return text ? cli_usage("--%s takes no value", option->name) : add_value(args, option, NULL);
    }
    if (!text) {
        if (*i + 1 >= argc)
            return cli_usage("--%s needs a value: --%s %s", option->name, option->name, option->argument);
        text = argv[++*i];
    }
    return add_value(args, option, text);
}

/* What the next operand stands for in messages, or NULL when there can be no more. */
static const char *next_operand(const cli_args *args) {
    const cli_command *command = args->command;
    int i = args->n_operands;
    while (i > 0 && command->many && (i >= CLI_MAX_OPERANDS || !command->operand[i]))
        i--;
    return i < CLI_MAX_OPERANDS ? command->operand[i] : NULL;
}

static cli_exit add_operand(cli_args *args, const char *word) {
    const char *operand = next_operand(args), *synopsis = args->command->synopsis[0];
    if (!operand) return cli_usage("one argument too many: '%s'; usage: strait %s", word, synopsis);
    if (!*word) return cli_usage("%s is empty; usage: strait %s", operand, synopsis);
    args->operand[args->n_operands++] = word;
    return CLI_OK;
}

/* --help counts wherever it stands before "--", so that it works on a command line that is still wrong. */
static bool asks_for_help(int argc, char *const *argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

cli_exit cli_args_parse(cli_args *args, const cli_command *command, int argc, char *const *argv) {
    *args = (cli_args){.command = command, .help = asks_for_help(argc, argv)};
    if (args->help) return CLI_OK;
    args->operand = calloc((size_t)argc + 1, sizeof *args->operand);
    args->value = calloc((size_t)argc + 1, sizeof *args->value);
    if (!args->operand || !args->value) {
        cli_no_memory();
        return CLI_FAILED;
    }
    bool options_ended = false;
    for (int i = 0; i < argc; i++) {
        cli_exit parsed = CLI_OK;
        if (!options_ended && strcmp(argv[i], "--") == 0)
            options_ended = true;
        else if (!options_ended && argv[i][0] == '-' && argv[i][1])
            parsed = parse_option(args, &i, argc, argv);
        else
            parsed = add_operand(args, argv[i]);
        if (parsed != CLI_OK) return parsed;
    }
    if (args->n_operands < command->least_operands)
        return cli_usage("%s is missing; usage: strait %s", next_operand(args), command->synopsis[0]);
    return CLI_OK;
}

void cli_args_free(cli_args *args) {
    free(args->operand);
    free(args->value);
    *args = (cli_args){0};
}

static const struct cli_value *find_value(const cli_args *args, const char *name) {
    for (int i = 0; i < args->n_values; i++)
        if (strcmp(args->value[i].option->name, name) == 0) return &args->value[i];
    return NULL;
}

bool cli_has(const cli_args *args, const char *name) {
    return find_value(args, name) != NULL;
}

const char *cli_text(const cli_args *args, const char *name) {
    const struct cli_value *value = find_value(args, name);
    return value ? value->text : NULL;
}

int cli_int(const cli_args *args, const char *name, int otherwise) {
    const char *text = cli_text(args, name);
    return text ? (int)strtol(text, NULL, 10) : otherwise;
}

uint64_t cli_seed(const cli_args *args, const char *name, uint64_t otherwise) {
    const char *text = cli_text(args, name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

double cli_real(const cli_args *args, const char *name, double otherwise) {
    const char *text = cli_text(args, name);
    return text ? strtod(text, NULL) : otherwise;
}
