/* Batches in a ring of slots. With config.ahead threads (the producers) fill slots while the caller (the consumer)
   trains on the ones before.

   Without, the caller fills the only slot when it is asked for, with all workers of its pool if it lends one.

   Invariants:
   1. A batch depends on (data, config, epoch, index) alone; who fills it, and when, leaves no trace.
   2. Of this epoch's batches, counted from its first, [0, taken) are done with, [taken, claimed) are filled or being
      filled, each by the producer that claimed it, in slot number modulo n_slots: taken <= claimed <= taken + n_slots.
      A slot's `filled` is the number of the batch in it plus one, set when it is whole. Only producers count claimed
      up, only the consumer taken.
   3. `order`, the counters and the epoch change only while all producers are idle: between their posts to `idle` and
      the consumer's post to `begin`. The first to wake makes the order and then wakes the others.
   4. Who is going to sleep sets its flag first and looks at the counters once more after. Who changes a counter looks
      at the flag after; whoever of the two swaps the flag back to false decides: the waker by posting once, the
      sleeper by not sleeping. So no wake is lost, and each post meets exactly one wait. (All of it sequentially
      consistent.)
   5. Producers are woken when half of the slots are free, not for each: waking costs about as much as filling, and
      they take the processor from the network's workers. While fewer are free, some are claimed by producers awake. */
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "data/assembler.h"
#include "data/derive.h"
#include "data/order.h"

/* How many samples before its conversion a sample is asked for. */
enum { PREFETCHED = 2 };

typedef struct slot {
    float *input, *target; /* [batch_size, n_values]; the same without corruption */
    int64_t n;
    _Atomic int64_t filled; /* which batch is in it, plus 1 */
    strait_status status;   /* of reading */
    strait_error error;
} slot;

/* What fills slots: a producer, or where there is none the caller, alone or with the other workers of its pool. */
typedef struct worker {
    st_batches *batches;
    st_assembler *assembler;
    strait_status status; /* of its part of a slot */
    strait_error error;
    st_thread *thread;
    sem_t room;
    atomic_bool sleeps;
} worker;

struct st_batches {
    st_batches_config config;
    int64_t n_samples, n_values, per_epoch;
    uint32_t epoch;
    int64_t first;    /* batch of this epoch */
    uint32_t *order;  /* [n_samples] of this epoch */
    uint32_t *buffer; /* [shuffle_buffer] for making it, or NULL */
    float *values;    /* of all slots */
    slot *slots;
    int64_t n_slots, memory;
    worker *workers;          /* [n_workers] */
    int n_workers, n_threads; /* the pool's, or 1, and 0 where the caller fills */

    /* The consumer's. */
    int64_t index;       /* of the next batch */
    bool holding, begun; /* a slot is with the caller; an epoch is with the producers */
    double waited;

    /* Between both. */
    sem_t begin, idle, ready;
    _Atomic int64_t claimed, taken;
    atomic_bool consumer_sleeps, cancelled, closing, unordered;
};

/* ---- filling ---- */

static void make_order(st_batches *batches) {
    const st_batches_config *config = &batches->config;
    const uint32_t n = (uint32_t)batches->n_samples;
    const st_rng rng = {.seed = config->seed, .purpose = ST_RNG_SHUFFLE, .epoch = batches->epoch};
    if (!config->shuffle) {
        for (uint32_t i = 0; i < n; i++)
            batches->order[i] = i;
    } else if (batches->buffer) {
        st_order_buffered(batches->order, batches->buffer, config->shuffle_buffer, config->data, &rng);
    } else {
        st_rng_shuffle(&rng, batches->order, n);
    }
}

/* Batch number index: [first, first + n) of the order, this rank's share of it. */
static int64_t share_of(int64_t *n, const st_batches *batches, int64_t index) {
    const int64_t ranks = batches->config.n_ranks, rank = batches->config.rank;
    const int64_t whole = batches->config.batch_size * ranks, first = index * whole;
    const int64_t rest = batches->n_samples - first, all = rest < whole ? rest : whole;
    *n = all * (rank + 1) / ranks - all * rank / ranks;
    return first + all * rank / ranks;
}

/* Shuffled samples are far apart in memory: the next but one is asked for while this one is converted. Inlined by
   force, since gcc takes a function that only prefetches for one that does nothing, and drops the call. */
static inline __attribute__((always_inline)) void prefetch(const st_batches *batches, int64_t place) {
    const st_source *source = batches->config.data->source;
    if (!source->values || place >= batches->n_samples) return;
    const size_t bytes = (size_t)source->n_values * st_dtype_size(source->type), line = 64, most = 1 << 14;
    const int64_t sample = st_data_source_sample(batches->config.data, batches->order[place]);
    const char *at = (const char *)source->values + (size_t)sample * bytes;
    for (size_t i = 0; i < bytes && i < most; i += line)
        __builtin_prefetch(at + i);
}

/* Lets the reader begin with the samples of a batch that is filled later. */
static void advise(const st_batches *batches, int64_t index) {
    const strait_data *data = batches->config.data;
    int64_t n;
    if (data->source->values || index >= batches->per_epoch) return;
    const int64_t first = share_of(&n, batches, index);
    for (int64_t k = 0; k < n; k++) {
        int64_t sample = st_data_source_sample(data, batches->order[first + k]);
        const st_source *source = st_source_bottom(&sample, data->source);
        if (source->values || !source->reader->advise) return;
        source->reader->advise(source, sample);
    }
}

/* Rows [begin, end) of a slot, the first row of which is number `first` of the order. */
static void fill_rows(worker *w, const slot *out, int64_t first, int64_t begin, int64_t end) {
    const st_batches *batches = w->batches;
    const int64_t n_values = batches->n_values;
    w->status = STRAIT_OK;
    for (int64_t k = begin; k < end && w->status == STRAIT_OK; k++) {
        const uint32_t i = batches->order[first + k];
        float *input = out->input + k * n_values, *target = out->target + k * n_values;
        prefetch(batches, first + k + PREFETCHED);
        w->status = st_assembler_run(w->assembler, input, target, i, batches->epoch, &w->error);
    }
}

/* The status of the slot is a worker's; rows that are not used are zeros. */
static void finish(slot *out, const worker *w) {
    const st_batches *batches = w->batches;
    const size_t unused = (size_t)((batches->config.batch_size - out->n) * batches->n_values) * sizeof(float);
    out->status = w->status;
    if (out->status != STRAIT_OK) out->error = w->error;
    memset(out->target + out->n * batches->n_values, 0, unused);
    memset(out->input + out->n * batches->n_values, 0, unused);
}

static void fill(worker *w, slot *out, int64_t index) {
    const int64_t first = share_of(&out->n, w->batches, index);
    fill_rows(w, out, first, 0, out->n);
    finish(out, w);
}

/* A worker of the caller's pool fills the rows that it will most likely train on. */
static void fill_part(void *context, int part, int n_parts) {
    st_batches *batches = context;
    const slot *out = &batches->slots[0];
    int64_t n;
    const int64_t first = share_of(&n, batches, batches->index), share = (batches->config.batch_size - 1) / n_parts + 1;
    const int64_t begin = part * share < n ? part * share : n, end = begin + share < n ? begin + share : n;
    fill_rows(&batches->workers[part], out, first, begin, end);
}

/* The caller's: the next batch into the only slot. */
static void fill_now(st_batches *batches) {
    slot *out = &batches->slots[0];
    const worker *failed = &batches->workers[0];
    if (!batches->config.pool) {
        fill(&batches->workers[0], out, batches->index);
        return;
    }
    share_of(&out->n, batches, batches->index);
    st_pool_run(batches->config.pool, fill_part, batches);
    for (int i = batches->n_workers - 1; i >= 0; i--) /* the first in order tells */
        if (batches->workers[i].status != STRAIT_OK) failed = &batches->workers[i];
    finish(out, failed);
}

/* ---- the ring ---- */

static void wait_for(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0) {
    } /* a signal came in between */
}

/* Sleeps until the other side posts, or not at all when flag has been swapped back by this side. */
static void sleep_unless(sem_t *semaphore, atomic_bool *flag, bool ready) {
    if (ready && atomic_exchange(flag, false)) return;
    wait_for(semaphore);
}

static void wake(sem_t *semaphore, atomic_bool *flag) {
    if (atomic_load(flag) && atomic_exchange(flag, false)) sem_post(semaphore);
}

static int64_t free_slots(st_batches *batches) {
    return batches->n_slots - (atomic_load(&batches->claimed) - atomic_load(&batches->taken));
}

static int64_t enough_to_wake(const st_batches *batches) {
    return batches->n_slots / 2; /* n_slots >= 2 */
}

static slot *slot_of(const st_batches *batches, int64_t number) {
    return &batches->slots[number % batches->n_slots];
}

/* Producer: the number of the batch it is to fill next, once there is room; -1 when there is none left or the epoch is
   cancelled. */
static int64_t claim(worker *w) {
    st_batches *batches = w->batches;
    const int64_t n = batches->per_epoch - batches->first;
    while (!atomic_load(&batches->cancelled)) {
        int64_t number = atomic_load(&batches->claimed);
        if (number >= n) return -1;
        if (number - atomic_load(&batches->taken) < batches->n_slots) {
            if (atomic_compare_exchange_strong(&batches->claimed, &number, number + 1)) return number;
            continue;
        }
        atomic_store(&w->sleeps, true);
        const bool awake = atomic_load(&batches->cancelled) || free_slots(batches) >= enough_to_wake(batches);
        sleep_unless(&w->room, &w->sleeps, awake);
    }
    return -1;
}

static void produce_epoch(worker *w) {
    st_batches *batches = w->batches;
    if (atomic_exchange(&batches->unordered, false)) {
        make_order(batches);
        for (int i = 1; i < batches->n_threads; i++)
            sem_post(&batches->begin);
    }
    for (int64_t number; (number = claim(w)) >= 0;) {
        slot *next = slot_of(batches, number);
        advise(batches, batches->first + number + batches->n_threads);
        fill(w, next, batches->first + number);
        const bool failed = next->status != STRAIT_OK; /* asked now: what is filled belongs to others */
        atomic_store(&next->filled, number + 1);
        if (atomic_load(&batches->taken) == number) wake(&batches->ready, &batches->consumer_sleeps);
        if (failed) return; /* the consumer gets no further */
    }
}

static void produce(void *context) {
    worker *w = context;
    st_batches *batches = w->batches;
    for (;;) {
        wait_for(&batches->begin);
        if (atomic_load(&batches->closing)) return;
        produce_epoch(w);
        sem_post(&batches->idle);
    }
}

static bool is_filled(const st_batches *batches, int64_t number) {
    return atomic_load(&slot_of(batches, number)->filled) == number + 1;
}

/* Consumer: waits for a filled slot. */
static void wait_for_batch(st_batches *batches) {
    const int64_t taken = atomic_load(&batches->taken);
    if (is_filled(batches, taken)) return;
    const double start = st_clock();
    while (!is_filled(batches, taken)) {
        atomic_store(&batches->consumer_sleeps, true);
        sleep_unless(&batches->ready, &batches->consumer_sleeps, is_filled(batches, taken));
    }
    batches->waited += st_clock() - start;
}

static void wake_producers(st_batches *batches) {
    for (int i = 0; i < batches->n_threads; i++)
        wake(&batches->workers[i].room, &batches->workers[i].sleeps);
}

/* Consumer: takes the slot back that the caller held. */
static void release(st_batches *batches) {
    if (!batches->holding) return;
    batches->holding = false;
    atomic_fetch_add(&batches->taken, 1);
    if (free_slots(batches) >= enough_to_wake(batches)) wake_producers(batches);
}

/* Consumer: after this all producers are idle. A begin that is not taken yet is taken, and finds nothing to do. */
static void end_epoch(st_batches *batches) {
    if (!batches->begun) return;
    atomic_store(&batches->cancelled, true);
    wake_producers(batches);
    for (int i = 0; i < batches->n_threads; i++)
        wait_for(&batches->idle);
    atomic_store(&batches->cancelled, false);
    batches->begun = false;
}

/* ---- what others call ---- */

void st_batches_start(st_batches *batches, uint32_t epoch, int64_t first) {
    end_epoch(batches);
    batches->epoch = epoch;
    batches->first = batches->index = first;
    batches->waited = 0;
    batches->holding = false;
    if (batches->n_threads == 0) {
        make_order(batches);
        return;
    }
    atomic_store(&batches->claimed, 0);
    atomic_store(&batches->taken, 0);
    for (int64_t i = 0; i < batches->n_slots; i++)
        atomic_store(&batches->slots[i].filled, 0);
    atomic_store(&batches->unordered, true);
    batches->begun = true;
    sem_post(&batches->begin);
}

static slot *next_slot(st_batches *batches) {
    if (batches->n_threads > 0) {
        wait_for_batch(batches);
        return slot_of(batches, atomic_load(&batches->taken));
    }
    const double start = st_clock();
    fill_now(batches);
    batches->waited += st_clock() - start;
    return &batches->slots[0];
}

strait_status st_batches_next(st_batch *batch, st_batches *batches, strait_error *err) {
    *batch = (st_batch){.index = -1};
    release(batches);
    if (batches->index >= batches->per_epoch) return STRAIT_OK;
    const slot *from = next_slot(batches);
    if (from->status != STRAIT_OK) { /* the slot stays where it is: the next call fails likewise */
        if (err) *err = from->error;
        return from->status;
    }
    int64_t n;
    batches->holding = batches->n_threads > 0;
    *batch = (st_batch){.input = from->input,
                        .target = from->target,
                        .n = from->n,
                        .index = batches->index,
                        .sample = batches->order + share_of(&n, batches, batches->index)};
    batches->index++;
    return STRAIT_OK;
}

int64_t st_batches_per_epoch(const st_batches *batches) {
    return batches->per_epoch;
}

double st_batches_waited(const st_batches *batches) {
    return batches->waited;
}

int64_t st_batches_memory(const st_batches *batches) {
    return batches->memory;
}

void st_batches_free(st_batches *batches) {
    if (!batches) return;
    end_epoch(batches);
    atomic_store(&batches->closing, true);
    for (int i = 0; i < batches->n_threads; i++)
        sem_post(&batches->begin);
    for (int i = 0; batches->workers && i < batches->n_workers; i++) {
        worker *w = &batches->workers[i];
        st_thread_join(w->thread);
        sem_destroy(&w->room);
        st_assembler_free(w->assembler);
    }
    sem_destroy(&batches->begin);
    sem_destroy(&batches->idle);
    sem_destroy(&batches->ready);
    st_free(batches->workers);
    st_free(batches->order);
    st_free(batches->buffer);
    st_free(batches->values);
    st_free(batches->slots);
    st_free(batches);
}

/* ---- making ---- */

static strait_status take(void *out, st_batches *batches, int64_t bytes, strait_error *err) {
    void *block = st_alloc_aligned((size_t)bytes);
    if (!block) return st_fail_memory(err, (size_t)bytes, "batches; a smaller batch_size needs less");
    memcpy(out, &block, sizeof block);
    batches->memory += bytes;
    return STRAIT_OK;
}

/* Slots begin at cache lines. */
static strait_status make_slots(st_batches *batches, strait_error *err) {
    const int64_t floats_in_line = 64 / (int64_t)sizeof(float);
    const int64_t n_buffers = st_assembler_apart(&batches->config) ? 2 : 1;
    int64_t size, bytes;
    if (__builtin_mul_overflow(batches->config.batch_size, batches->n_values, &size) ||
        __builtin_add_overflow(size, floats_in_line - 1, &size) ||
        __builtin_mul_overflow(size / floats_in_line * 64, n_buffers * batches->n_slots, &bytes))
        return st_fail_memory(err, SIZE_MAX, "batches; a smaller batch_size needs less");
    size = size / floats_in_line * floats_in_line;
    ST_TRY(take(&batches->values, batches, bytes, err));
    ST_TRY(take(&batches->slots, batches, batches->n_slots * (int64_t)sizeof(slot), err));
    float *at = batches->values;
    for (int64_t i = 0; i < batches->n_slots; i++, at += size * n_buffers)
        batches->slots[i] = (slot){.target = at, .input = at + size * (n_buffers - 1)};
    return STRAIT_OK;
}

static strait_status make_worker(st_batches *batches, worker *w, strait_error *err) {
    w->batches = batches;
    sem_init(&w->room, 0, 0);
    ST_TRY(st_assembler_new(&w->assembler, &batches->config, err));
    batches->memory += st_assembler_bytes(w->assembler);
    return STRAIT_OK;
}

static strait_status make_workers(st_batches *batches, strait_error *err) {
    const st_batches_config *config = &batches->config;
    const int of_caller = config->pool ? st_pool_size(config->pool) : 1;
    const int n = config->ahead == 0 ? of_caller : config->threads > 0 ? config->threads : 1;
    ST_TRY(take(&batches->workers, batches, n * (int64_t)sizeof *batches->workers, err));
    while (batches->n_workers < n) /* counted before it is whole: what it has is freed */
        ST_TRY(make_worker(batches, &batches->workers[batches->n_workers++], err));
    for (; config->ahead > 0 && batches->n_threads < n; batches->n_threads++) {
        worker *w = &batches->workers[batches->n_threads];
        ST_TRY(st_thread_start(&w->thread, produce, w, err));
    }
    return STRAIT_OK;
}

/* A buffer as large as the data is no bound: the order is drawn of all at once. */
static strait_status make_orders(st_batches *batches, strait_error *err) {
    const st_batches_config *config = &batches->config;
    const int64_t buffer = config->shuffle_buffer + 2 * st_order_shards(config->data);
    ST_TRY(take(&batches->order, batches, batches->n_samples * (int64_t)sizeof *batches->order, err));
    if (!config->shuffle || config->shuffle_buffer == 0 || config->shuffle_buffer >= batches->n_samples)
        return STRAIT_OK;
    return take(&batches->buffer, batches, buffer * (int64_t)sizeof *batches->buffer, err);
}

static strait_status make(st_batches *batches, strait_error *err) {
    const st_batches_config *config = &batches->config;
    batches->n_samples = config->data->n;
    batches->n_values = config->data->source->n_values;
    batches->per_epoch = (batches->n_samples - 1) / (config->batch_size * config->n_ranks) + 1;
    batches->index = batches->per_epoch; /* nothing before st_batches_start */
    batches->n_slots = (int64_t)config->ahead + 1;
    ST_TRY(make_slots(batches, err));
    ST_TRY(make_orders(batches, err));
    return make_workers(batches, err);
}

static strait_status check_config(const st_batches_config *config, strait_error *err) {
    const int64_t ranks = config->n_ranks > 0 ? config->n_ranks : 1;
    if (config->batch_size < 1)
        return st_fail(err, STRAIT_ARGUMENT, "batch_size is %lld; it must be at least 1",
                       (long long)config->batch_size);
    if (config->ahead < 0)
        return st_fail(err, STRAIT_ARGUMENT, "%d batches ahead; it must be 0 or more", config->ahead);
    if (config->batch_size > INT64_MAX / ranks || config->rank < 0 || config->rank >= ranks)
        return st_fail(err, STRAIT_ARGUMENT, "rank %d of %lld ranks; it must be from 0 to %lld", config->rank,
                       (long long)ranks, (long long)ranks - 1);
    return st_source_check_uniform(config->data->source, err);
}

strait_status st_batches_new(st_batches **out, const st_batches_config *config, strait_error *err) {
    ST_TRY(check_config(config, err));
    st_batches *batches = st_alloc(1, sizeof *batches);
    if (!batches) return st_fail_memory(err, sizeof *batches, "batches");
    batches->config = *config;
    if (config->n_ranks < 1) batches->config.n_ranks = 1;
    batches->memory = sizeof *batches;
    sem_init(&batches->begin, 0, 0);
    sem_init(&batches->idle, 0, 0);
    sem_init(&batches->ready, 0, 0);
    const strait_status status = make(batches, err);
    if (status == STRAIT_OK) {
        *out = batches;
    } else {
        st_batches_free(batches);
    }
    return status;
}
