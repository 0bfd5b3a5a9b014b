/* The program: finds the command, parses its arguments, runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "output.h"
#include "terminal.h"

/* In the order of the list, and of the examples: later ones use what earlier ones made. */
/* clang-format off */
const cli_command *const cli_commands[] = {
    &cli_train,
    &cli_eval,
    &cli_encode,
    &cli_decode,
    &cli_reconstruct,
    &cli_activations,
    &cli_summary,
    &cli_data_info,
    &cli_data_show,
    &cli_data_list,
    &cli_data_convert,
    &cli_data_fetch,
    &cli_data_augment,
    &cli_data_shard,
    &cli_report,
    &cli_runs_list,
    &cli_runs_show,
    &cli_runs_compare,
    &cli_runs_export,
    &cli_runs_scan,
    &cli_runs_delete,
    &cli_pca,
    &cli_compare_pca,
    &cli_tsne,
    &cli_umap,
    &cli_trustworthiness,
    &cli_scatter,
    &cli_neighbors,
    &cli_cluster,
    &cli_represent,
    &cli_interpolate,
    &cli_perturb,
    &cli_sample,
    &cli_manifold,
    &cli_components,
    &cli_anomaly_fit,
    &cli_anomaly_score,
    &cli_sweep,
    &cli_info,
    &cli_bench,
    &cli_help,
    &cli_completion,
    NULL,
};
/* clang-format on */

const cli_command *cli_command_find(const char *name) {
    for (const cli_command *const *command = cli_commands; *command; command++)
        if (strcmp((*command)->name, name) == 0) return *command;
    return NULL;
}

static const char *command_name(const void *context, size_t i) {
    (void)context;
    return cli_commands[i] ? cli_commands[i]->name : NULL;
}

static const char *first_word(const void *context, size_t i) {
    (void)context;
    static char word[32];
    if (!cli_commands[i]) return NULL;
    cli_first_word(word, sizeof word, &cli_commands[i]);
    return word;
}

cli_exit cli_unknown_command(const char *name) {
    char near[64];
    if (cli_nearest(near, sizeof near, name, command_name, NULL) ||
        cli_nearest(near, sizeof near, name, first_word, NULL))
        return cli_usage("unknown command '%s'; did you mean '%s'?", name, near);
    return cli_usage("unknown command '%s'; strait help lists them", name);
}

static cli_exit run_command(const cli_command *command, int argc, char **argv) {
    cli_args args;
    cli_exit code = cli_args_parse(&args, command, argc, argv);
    if (code == CLI_OK && args.help)
        cli_help_command(command);
    else if (code == CLI_OK)
        code = command->run(&args);
    cli_args_free(&args);
    return code;
}

/* `strait data` and `strait data WORD` where WORD completes no command. */
static cli_exit run_group(const char *group, int argc, char **argv) {
    char name[64];
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        cli_help_group(group);
        return CLI_OK;
    }
    if (argc == 0) return cli_usage("what about %s? strait %s --help lists the commands", group, group);
    snprintf(name, sizeof name, "%s %s", group, argv[0]);
    return cli_unknown_command(name);
}

static bool is_group(const char *word) {
    char first[32];
    for (const cli_command *const *command = cli_commands; *command; command++)
        if (cli_first_word(first, sizeof first, command) && strcmp(first, word) == 0) return true;
    return false;
}

static cli_exit dispatch(int argc, char **argv) {
    char two_words[64];
    if (argc < 2) {
        cli_help_short();
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("strait %s\n", strait_version());
        return CLI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_help_program();
        return CLI_OK;
    }
    if (argv[1][0] == '-')
        return cli_usage("unknown option '%s'; a command comes first: strait COMMAND [OPTIONS]", argv[1]);
    const cli_command *command = cli_command_find(argv[1]);
    if (command) return run_command(command, argc - 2, argv + 2);
    snprintf(two_words, sizeof two_words, "%s %s", argv[1], argc > 2 ? argv[2] : "");
    command = cli_command_find(two_words);
    if (command) return run_command(command, argc - 3, argv + 3);
    return is_group(argv[1]) ? run_group(argv[1], argc - 2, argv + 2) : cli_unknown_command(argv[1]);
}

int main(int argc, char **argv) {
    /* A file that grows too large and a reader that leaves are errors to tell, not reasons to die in silence. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    cli_terminal_start();
    return (int)cli_output_finish(dispatch(argc, argv));
}
