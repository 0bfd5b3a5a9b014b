/* A recipe's overrides as the command line gives them: --set in order, then options that stand for a key. */
#ifndef CLI_OVERRIDES_H
#define CLI_OVERRIDES_H

#include "cli.h"

/* Texts made here follow the borrowed ones. */
typedef struct cli_overrides {
    const char **text;
    size_t n, n_borrowed, room;
} cli_overrides;

typedef struct cli_shorthand {
    const char *option, *key; /* option NULL ends a list */
    bool quoted;              /* a text, not any YAML value */
} cli_shorthand;

/* CLI_USAGE after telling that a --set is no KEY=VALUE. */
cli_exit cli_overrides_check(const cli_args *args);

/* All --set of the command line. False when memory runs out, here and below. Free in any case. */
bool cli_overrides_begin(cli_overrides *list, const cli_args *args);
/* Adds "key=value", as a YAML text in single quotes when quoted. */
bool cli_override_add(cli_overrides *list, const char *key, const char *value, bool quoted);
/* Adds those of the options that were given. */
bool cli_overrides_shorthand(cli_overrides *list, const cli_args *args, const cli_shorthand *shorthand);
void cli_overrides_free(cli_overrides *list);

/* The command line as it can be typed again, for a run's record; cut where it is longer than size. */
void cli_command_line(char *out, size_t size, const cli_args *args);

#endif
