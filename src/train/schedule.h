/* How the learning rate moves while training. */
#ifndef ST_TRAIN_SCHEDULE_H
#define ST_TRAIN_SCHEDULE_H

#include "recipe/recipe.h"

/* The learning rate of a step (from 0) of a training of so many steps an epoch and epochs; rate: the optimiser's.
   A function of these alone: nothing is carried from step to step, so a resume with another number of epochs follows
   the schedule of the new number from there on. Steps past the last have the last one's rate. */
double st_schedule_rate(const st_schedule *schedule, double rate, int64_t step, int64_t per_epoch, int64_t epochs);

#endif
