/* Strait: train, judge, explore and ship autoencoders. Includes every public header. */
#ifndef STRAIT_STRAIT_H
#define STRAIT_STRAIT_H

#include <strait/anomaly.h>
#include <strait/array.h>
#include <strait/bench.h>
#include <strait/data.h>
#include <strait/diagnosis.h>
#include <strait/explore.h>
#include <strait/info.h>
#include <strait/model.h>
#include <strait/picture.h>
#include <strait/recipe.h>
#include <strait/report.h>
#include <strait/runs.h>
#include <strait/status.h>
#include <strait/sweep.h>
#include <strait/train.h>

#endif
