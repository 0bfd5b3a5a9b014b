/* What a training tells while it runs, and how a signal stops it. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <strait/train.h>

typedef struct cli_display {
    bool quiet;
    bool told_to_stop;
    int epoch;             /* the last one heard of */
    int epochs_done;       /* since this process began */
    double epochs_seconds; /* of these */
} cli_display;

/* Signals that ask to stop are caught from here on: the first one makes cli_stop_wanted true, the second ends the
   process at once. */
void cli_catch_signals(void);
bool cli_stop_wanted(void);

/* An observer that draws on stderr and stops the training at the first SIGINT, SIGTERM or SIGHUP; the second ends the
   process at once. Signals are caught from the training's beginning on, so that before it they end the process as
   ever. display must outlive the training. */
strait_observer cli_display_observer(cli_display *display);

#endif
