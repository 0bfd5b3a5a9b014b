/* Completion for bash, made from the table of commands. Recipes and runs are looked up when Tab is pressed. */
#include <stdio.h>
#include <string.h>
#include "cli.h"

static void print_options(const cli_command *command) {
    for (const cli_option *option = command->options; option->name; option++) {
        if (!option->help) continue;
        printf(" --%s", option->name);
        if (option->letter) printf(" -%c", option->letter);
    }
    printf(" --help");
}

/* What an operand of that name can be, as words for the script's function. */
static const char *operand_words(const char *operand) {
    static const struct {
        const char *operand, *words;
    } table[] = {{"RECIPE", "recipes"}, {"MODEL", "runs"},       {"MODEL|RECIPE", "recipes runs"},
                 {"DATA", "data"},      {"COMMAND", "commands"}, {"bash", "shells"},
                 {"RUN", "runs"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].operand, operand) == 0) return table[i].words;
    return "";
}

static void print_case(const cli_command *command) {
    printf("    \"%s\") options=\"", command->name);
    print_options(command);
    printf("\" operands=(");
    for (size_t i = 0; i < CLI_MAX_OPERANDS && command->operand[i]; i++)
        printf("%s\"%s\"", i ? " " : "", operand_words(command->operand[i]));
    printf(") valued=\"");
    for (const cli_option *option = command->options; option->name; option++) {
        if (option->kind == CLI_FLAG) continue;
        printf(" --%s", option->name);
        if (option->letter) printf(" -%c", option->letter);
    }
    printf(" \" ;;\n");
}

static void print_first_words(void) {
    char word[32];
    for (const cli_command *const *command = cli_commands; *command; command++)
        if (cli_first_word(word, sizeof word, command)) printf(" %s", word);
}

/* "data info" and "data show": after data comes one of info, show. */
static void print_group(const char *group) {
    const size_t length = strlen(group);
    printf("    %s)\n        if ((COMP_CWORD == 2)); then\n            COMPREPLY=($(compgen -W \"--help", group);
    for (const cli_command *const *command = cli_commands; *command; command++)
        if (strncmp((*command)->name, group, length) == 0 && (*command)->name[length] == ' ')
            printf(" %s", (*command)->name + length + 1);
    printf("\" -- \"$word\"))\n"
           "            return\n"
           "        fi\n"
           "        command=\"%s ${COMP_WORDS[2]}\" first=3 ;;\n",
           group);
}

static void print_groups(void) {
    char word[32];
    printf("    case $command in\n");
    for (const cli_command *const *command = cli_commands; *command; command++)
        if (cli_first_word(word, sizeof word, command) && strcmp(word, (*command)->name) != 0) print_group(word);
    printf("    esac\n");
}

void cli_print_bash_completion(void) {
    printf("# Completion of strait for bash: source <(strait completion bash)\n"
           "_strait_words() {\n"
           "    local kind\n"
           "    for kind in $1; do\n"
           "        case $kind in\n"
           "            recipes) strait help --recipes 2>/dev/null ;;\n"
           "            runs) (cd runs 2>/dev/null && compgen -d) ;;\n"
           "            data) printf '%%s\\n' fashion-mnist fashion-mnist#test mnist mnist#test ;;\n"
           "            shells) echo bash ;;\n"
           "            commands) echo");
    print_first_words();
    printf(" ;;\n"
           "        esac\n"
           "    done\n"
           "}\n"
           "_strait() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local command=${COMP_WORDS[1]} first=2 options='' valued='' operands=() i seen=0\n"
           "    COMPREPLY=()\n"
           "    if ((COMP_CWORD == 1)); then\n"
           "        COMPREPLY=($(compgen -W \"$(_strait_words commands) --help --version\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n");
    print_groups();
    printf("    case $command in\n");
    for (const cli_command *const *command = cli_commands; *command; command++)
        print_case(*command);
    printf("    *) return ;;\n"
           "    esac\n"
           "    if [[ $word == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    if [[ $before == -* && $valued == *\" $before \"* ]]; then\n"
           "        [ \"$before\" = --resume ] && COMPREPLY=($(compgen -W \"$(_strait_words runs)\" -- \"$word\"))\n"
           "        COMPREPLY+=($(compgen -f -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    for ((i = first; i < COMP_CWORD; i++)); do\n"
           "        case ${COMP_WORDS[i]} in\n"
           "        -*) [[ $valued == *\" ${COMP_WORDS[i]} \"* ]] && ((i++)) ;;\n"
           "        *) ((seen++)) ;;\n"
           "        esac\n"
           "    done\n"
           "    COMPREPLY=($(compgen -W \"$(_strait_words \"${operands[seen]}\")\" -- \"$word\") $(compgen -f -- "
           "\"$word\"))\n"
           "}\n"
           "complete -o filenames -F _strait strait\n");
}
