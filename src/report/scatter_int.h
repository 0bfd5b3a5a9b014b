/* What the files of a scatter picture share: scatter.c puts points and words on it, scatter_labels.c finds places. */
#ifndef ST_REPORT_SCATTER_INT_H
#define ST_REPORT_SCATTER_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/canvas_int.h"
#include "report/colours_int.h"

/* A point as it is drawn. */
typedef struct st_spot {
    float x, y;  /* units of the canvas */
    float near;  /* 0..1: of three dimensions, the farthest to the nearest; 0.5 in two */
    int32_t row; /* of the caller's points */
} st_spot;

/* A name beside its group's points. */
typedef struct st_place {
    double x, y; /* its middle */
    double width, height;
    int group;
} st_place;

/* Where the points of each group lie thickest: the mean of those in the densest part of a coarse grid over box (left,
   top, width, height), so that a name never stands between two halves of its group. Gives the number of groups that
   have points; place has room for n_groups. Errors: MEMORY. */
strait_status st_places_find(st_place *place, int *n, const st_spot *spot, int64_t n_spots, const int32_t *group,
                             int n_groups, const double box[4], strait_error *err);

/* Moves places that overlap apart, as little as it takes, within box. */
void st_places_part(st_place *place, int n, const double box[4]);

#endif
