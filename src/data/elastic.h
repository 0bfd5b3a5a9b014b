/* Elastic distortion: displacement fields (Simard, Steinkraus and Platt: Best Practices for Convolutional Neural
   Networks Applied to Visual Document Analysis; ICDAR 2003). */
#ifndef ST_DATA_ELASTIC_H
#define ST_DATA_ELASTIC_H

#include <stdint.h>
#include "base/rng.h"
#include "base/status.h"

/* For images of one size; belongs to one thread. */
typedef struct st_elastic {
    int64_t height, width, radius;
    float alpha;
    float *weight;   /* [2 radius + 1] the Gaussian, its sum 1, cut at 4 sigma */
    float *field[2]; /* [height, width] displacements by rows and by columns, in pixels, of the last draw */
    float *between;  /* [height, width] */
} st_elastic;

strait_status st_elastic_init(st_elastic *elastic, int64_t height, int64_t width, double alpha, double sigma,
                              strait_error *err);
void st_elastic_close(st_elastic *elastic); /* all zero is fine */
int64_t st_elastic_bytes(const st_elastic *elastic);

/* Fills in both fields: uniform in -1..1 at each pixel, smoothed (zeros beyond the edge), times alpha; as rng's seed,
   epoch and sample have it. */
void st_elastic_draw(st_elastic *elastic, const st_rng *rng);

#endif
