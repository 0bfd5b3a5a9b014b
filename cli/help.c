/* Help, made from the table of commands. */
#include <stdio.h>
#include <string.h>
#include "cli.h"

#define TEXT_COLUMNS 80

/* Prints text in lines of TEXT_COLUMNS, the first one from column `at` on, the others indented by `indent`; a '\n' in
   text begins a new paragraph. */
static void print_wrapped(const char *text, int at, int indent) {
    bool first = true; /* in its line */
    while (*text) {
        const int length = (int)strcspn(text, " \n");
        if (!first && at + 1 + length > TEXT_COLUMNS) {
            printf("\n%*s", indent, "");
            at = indent;
            first = true;
        }
        at += printf("%s%.*s", first ? "" : " ", length, text);
        first = false;
        text += length;
        if (*text == '\n') {
            printf("\n%*s", indent, "");
            at = indent;
            first = true;
        }
        if (*text) text++;
    }
    putchar('\n');
}

static void print_entry(const char *name, const char *tells, int column) {
    int at = printf("  %s", name);
    if (at + 2 > column) {
        putchar('\n');
        at = 0;
    }
    printf("%*s", column - at, "");
    print_wrapped(tells, column, column);
}

static void print_exit_codes(void) {
    print_wrapped("\nExit status: 0 good; 1 the work failed (a file, a recipe, data, a loss that is not finite); 2 the "
                  "command line is wrong; 130 a training was interrupted and saved.",
                  0, 0);
}

void cli_help_program(void) {
    printf("strait: train, judge, explore and ship autoencoders\n\nusage: strait COMMAND [OPTIONS]\n\ncommands:\n");
    for (const cli_command *const *command = cli_commands; *command; command++)
        print_entry((*command)->name, (*command)->summary, 16);
    printf("\n");
    print_entry("RECIPE", "a YAML file, or the name of an installed recipe", 16);
    print_entry("MODEL", "a run's folder or name, or a .safetensors file", 16);
    print_entry("DATA", CLI_DATA_HELP, 16);
    printf("\nbegin with:\n");
    print_entry("strait train fashion-basic", "train on 60,000 images of clothes", 36);
    print_entry("strait summary fashion-basic", "look at its layers first", 36);
    print_entry("strait help train", "all about a command", 36);
    print_exit_codes();
}

void cli_help_short(void) {
    fputs("strait trains, judges and ships autoencoders.\n\n"
          "  strait train fashion-basic     train one on 60,000 images of clothes\n"
          "  strait help                    every command\n"
          "  strait help train              all about one\n",
          stderr);
}

bool cli_first_word(char *out, size_t size, const cli_command *const *command) {
    const size_t length = strcspn((*command)->name, " ");
    snprintf(out, size, "%.*s", (int)length, (*command)->name);
    for (const cli_command *const *before = cli_commands; before < command; before++)
        if (strncmp((*before)->name, out, length) == 0 && strcspn((*before)->name, " ") == length) return false;
    return true;
}

bool cli_help_group(const char *group) {
    const size_t length = strlen(group);
    bool found = false;
    for (const cli_command *const *command = cli_commands; *command; command++) {
        if (strncmp((*command)->name, group, length) != 0 || (*command)->name[length] != ' ') continue;
        if (!found) printf("usage: strait %s COMMAND [OPTIONS]\n\ncommands:\n", group);
        print_entry((*command)->name, (*command)->summary, 16);
        found = true;
    }
    return found;
}

static void print_option(const cli_option *option) {
    char name[64], letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(name, sizeof name, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    print_entry(name, option->help, 26);
}

void cli_help_command(const cli_command *command) {
    static const cli_option help = {"help", 'h', CLI_FLAG, false, NULL, "show this"};
    for (size_t i = 0; i < 3 && command->synopsis[i]; i++)
        printf("%s strait %s\n", i == 0 ? "usage:" : "      ", command->synopsis[i]);
    printf("\n");
    char sentence[160];
    snprintf(sentence, sizeof sentence, "%c%s.", command->summary[0] - 'a' + 'A', command->summary + 1);
    print_wrapped(sentence, 0, 0);
    if (command->details) print_wrapped(command->details, 0, 0);
    printf("\noptions:\n");
    for (const cli_option *option = command->options; option->name; option++)
        if (option->help) print_option(option);
    print_option(&help);
    printf("\nexamples:\n");
    for (const cli_example *example = command->examples; example->line; example++)
        printf("  %s\n      %s\n", example->line, example->tells);
}
