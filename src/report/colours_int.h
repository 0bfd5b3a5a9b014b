/* The colours of pictures, 0xRRGGBB. */
#ifndef ST_REPORT_COLOURS_INT_H
#define ST_REPORT_COLOURS_INT_H

#include <stdint.h>
#include <strait/picture.h>

#define ST_CATEGORIES 20

/* What a picture is made of, but for its data. */
typedef struct st_look {
    uint32_t background;
    uint32_t strong; /* titles and labels */
    uint32_t text;   /* numbers and names */
    uint32_t axis, grid, frame;
    uint32_t quiet;                   /* points of no group */
    uint32_t category[ST_CATEGORIES]; /* told apart by the colour-blind too; the first six are Okabe and Ito's */
    double scale_low, scale_high;     /* the part of viridis that stands out */
} st_look;

/* Borrowed for ever. */
const st_look *st_look_of(strait_theme theme);

/* Numbers as colours: viridis (Smith and van der Walt 2015) at share 0..1, clipped. */
uint32_t st_look_scale(const st_look *look, double share);

#endif
