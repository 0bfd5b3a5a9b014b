#include "train/schedule.h"

#include <math.h>

/* Half a cosine from one value to another; share of the way in 0..1. */
static double half_cosine(double from, double to, double share) {
    return to + (from - to) * 0.5 * (1 + cos(M_PI * share));
}

/* As PyTorch's OneCycleLR with cosine annealing and two phases: the rate is highest at step rise * steps - 1, lowest at
   the last step. */
static double one_cycle(const st_schedule *schedule, double rate, double step, double steps) {
    const double lowest = rate / schedule->start, last = lowest / schedule->final;
    const double top = schedule->rise * steps - 1, end = steps - 1;
    if (step <= top) return half_cosine(lowest, rate, top > 0 ? step / top : 1);
    return half_cosine(rate, last, (step - top) / (end - top));
}

double st_schedule_rate(const st_schedule *schedule, double rate, int64_t step, int64_t per_epoch, int64_t epochs) {
    const double steps = (double)per_epoch * (double)epochs, warmup = schedule->warmup * (double)per_epoch;
    const double now = (double)step < steps ? (double)step : steps - 1;
    const double gone = now / (double)per_epoch; /* epochs, with their fraction */
    double scheduled = rate;
    switch (schedule->kind) {
    case ST_SCHEDULE_CONSTANT: break;
    case ST_SCHEDULE_STEP: scheduled = rate * pow(schedule->factor, floor(gone / schedule->every)); break;
    case ST_SCHEDULE_EXPONENTIAL: scheduled = rate * pow(schedule->factor, gone); break;
    case ST_SCHEDULE_COSINE:
        /* Over the steps after the warm-up. */
        if (now > warmup) scheduled = half_cosine(rate, rate * schedule->final, (now - warmup) / (steps - warmup));
        break;
    case ST_SCHEDULE_ONE_CYCLE: scheduled = one_cycle(schedule, rate, now, steps); break;
    }
    /* The first step of a warm-up is the first rung of the ladder, not its foot: with a rate of 0 it would be lost. */
    return now + 1 < warmup ? scheduled * (now + 1) / warmup : scheduled;
}
