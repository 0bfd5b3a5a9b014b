/* The order of an epoch. */
#ifndef ST_DATA_ORDER_H
#define ST_DATA_ORDER_H

#include <stdint.h>
#include "base/rng.h"
#include "data/data.h"

/* How many shards data comes from, however it is prepared; 0 or 1: none to speak of. */
int st_order_shards(const strait_data *data);

/* order[data's count]: the shards of data's source in a random order, their samples one after another through a buffer
   of `size` samples (1 to the count), from which each next one is drawn and into whose place the next of the shards
   comes. A source without shards is one. rng->sample is not used. work [size + 2 shards]. */
void st_order_buffered(uint32_t *order, uint32_t *work, int64_t size, const strait_data *data, const st_rng *rng);

#endif
