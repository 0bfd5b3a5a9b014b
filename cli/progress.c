/* The display of a training.
   1. On a terminal one line is redrawn in place while an epoch runs; fields are dropped, the least needed first, until
      it fits. Each epoch leaves one line. Elsewhere only those lines are written.
   2. The handler only sets a flag; the training asks for it between batches. */
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "format.h"
#include "terminal.h"

static volatile sig_atomic_t stop_wanted;

static void on_signal(int signal_number) {
    if (stop_wanted) {
        signal(signal_number, SIG_DFL);
        raise(signal_number); /* delivered when the handler returns: the process ends as if it had never been caught */
    }
    stop_wanted = 1;
}

void cli_catch_signals(void) {
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
        /* nohup asks that a hang-up be ignored. SIGINT is caught even so: a shell that starts a job in the background
           ignores it without anyone having asked. */
        if (caught[i] == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
        sigaction(caught[i], &action, NULL);
    }
}

bool cli_stop_wanted(void) {
    return stop_wanted != 0;
}

/* "epoch  3/10": as wide in every epoch. */
static void add_epoch(cli_line *line, const strait_progress *progress) {
    cli_line_add(line, "epoch %*d/%d", snprintf(NULL, 0, "%d", progress->epochs), progress->epoch, progress->epochs);
}

typedef struct time_left {
    double epoch, all; /* seconds; NAN: not known yet */
} time_left;

static time_left estimate(const cli_display *display, const strait_progress *progress) {
    time_left left = {NAN, NAN};
    if (!(progress->samples_per_second > 0) || progress->batch < 1) return left;
    const double batch_size = (double)progress->samples / (double)progress->batch;
    left.epoch = (double)(progress->batches - progress->batch) * batch_size / progress->samples_per_second;
    const double whole = display->epochs_done > 0
                             ? display->epochs_seconds / display->epochs_done
                             : (double)progress->batches * batch_size / progress->samples_per_second;
    left.all = left.epoch + whole * (progress->epochs - progress->epoch);
    return left;
}

#define N_FIELDS 5
#define LONGEST_BAR 20
#define SHORTEST_BAR 6

/* The line while an epoch runs:
   epoch 3/10 ━━━━━━━━━━━━━━────── 1437/1875 · 0.3 s left · loss 0.01020 · 151k samples/s · 4.1 s to the end */
static void draw(const cli_display *display, const strait_progress *progress) {
    enum { COUNT, LEFT, LOSS, RATE, ALL };
    static const int least_needed_first[N_FIELDS] = {ALL, RATE, COUNT, LEFT, LOSS};
    cli_line line = {{0}, 0}, field[N_FIELDS] = {0};
    const time_left left = estimate(display, progress);
    const char *dot = cli_dot();
    cli_line_add(&field[COUNT], " %" PRId64 "/%" PRId64, progress->batch, progress->batches);
    if (progress->batch >= progress->batches)
        cli_line_add(&field[LEFT], "%sfinishing", dot);
    else if (isfinite(left.epoch))
        cli_line_add(&field[LEFT], "%s%s left", dot, cli_duration(left.epoch).text);
    cli_line_add(&field[LOSS], "%sloss %s", dot, cli_loss(progress->loss).text);
    cli_line_add(&field[RATE], "%s%s samples/s", dot, cli_rate(progress->samples_per_second).text);
    if (progress->epoch < progress->epochs && isfinite(left.all))
        cli_line_add(&field[ALL], "%s%s to the end", dot, cli_duration(left.all).text);

    add_epoch(&line, progress);
    cli_line_add(&line, " ");
    int room = cli_columns(STDERR_FILENO) - 1 - cli_text_columns(line.text);
    for (int i = 0; i < N_FIELDS; i++)
        room -= cli_text_columns(field[i].text);
    for (int i = 0; i < N_FIELDS && room < SHORTEST_BAR; i++) {
        cli_line *dropped = &field[least_needed_first[i]];
        room += cli_text_columns(dropped->text);
        *dropped = (cli_line){{0}, 0};
    }
    if (room > 0)
        cli_line_add_bar(&line, room < LONGEST_BAR ? room : LONGEST_BAR,
                         (double)progress->batch / (double)progress->batches);
    for (int i = 0; i < N_FIELDS; i++)
        cli_line_add(&line, "%s", field[i].text);
    cli_line_redraw(&line);
}

static void on_begin(void *context, const strait_progress *progress) {
    cli_display *display = context;
    cli_catch_signals();
    display->epoch = progress->epoch;
    if (!display->quiet && progress->run) cli_say("training in %s", progress->run);
}

static void on_step(void *context, const strait_progress *progress) {
    cli_display *display = context;
    display->epoch = progress->epoch;
    if (!display->quiet && !display->told_to_stop && cli_live()) draw(display, progress);
}

static void on_epoch_end(void *context, const strait_progress *progress) {
    cli_display *display = context;
    display->epoch = progress->epoch;
    display->epochs_done++;
    display->epochs_seconds += progress->seconds;
    if (display->quiet) return;
    cli_line line = {{0}, 0};
    add_epoch(&line, progress);
    cli_line_add(&line, "%sloss %s", cli_dot(), cli_loss(progress->loss).text);
    if (!isnan(progress->val_loss)) cli_line_add(&line, "%sval_loss %s", cli_dot(), cli_loss(progress->val_loss).text);
    if (!isnan(progress->kl)) cli_line_add(&line, "%skl %s", cli_dot(), cli_loss(progress->kl).text);
    if (!isnan(progress->val_kl)) cli_line_add(&line, "%sval_kl %s", cli_dot(), cli_loss(progress->val_kl).text);
    cli_line_add(&line, "%s%s%s%s samples/s", cli_dot(), cli_duration(progress->seconds).text, cli_dot(),
                 cli_rate(progress->samples_per_second).text);
    cli_say("%s", line.text);
}

static bool on_stop(void *context) {
    cli_display *display = context;
    if (!cli_stop_wanted()) return false;
    if (!display->told_to_stop && !display->quiet && cli_live())
        cli_say("stopping after this batch; once more ends at once, without saving it");
    display->told_to_stop = true;
    return true;
}

static void on_note(void *context, const char *sentence) {
    const cli_display *display = context;
    if (!display->quiet) cli_say("%s", sentence);
}

strait_observer cli_display_observer(cli_display *display) {
    return (strait_observer){.context = display,
                             .begin = on_begin,
                             .step = on_step,
                             .epoch_end = on_epoch_end,
                             .stop = on_stop,
                             .note = on_note};
}
