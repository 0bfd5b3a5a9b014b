/* Batches in a ring of slots. With config.ahead a thread (the producer) fills slots while the caller (the consumer)
   trains on the ones before.

   Invariants:
   1. A batch depends on (data, config, epoch, index) alone; who fills it, and when, leaves no trace.
   2. Slots filled[0 .. taken) of this epoch are free again, [taken .. filled) belong to the consumer, the others to the
      producer: taken <= filled <= taken + n_slots. Only the producer counts filled up, only the consumer taken.
   3. `order`, the counters and the epoch change only while the producer is idle: between its post to `idle` and the
      consumer's post to `begin`.
   4. Who is going to sleep sets its flag first and looks at the counters once more after. Who changes a counter looks
      at the flag after; whoever of the two swaps the flag back to false decides: the waker by posting once, the
      sleeper by not sleeping. So no wake is lost, and each post meets exactly one wait. (All of it sequentially
      consistent.)
   5. The producer is woken when half of the slots are free, not for each: waking costs about as much as filling, and
      the producer takes the processor from the network's workers. */
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "data/assembler.h"
#include "data/data_int.h"

/* How many samples before its conversion a sample is asked for. */
enum { PREFETCHED = 2 };

typedef struct slot {
    float *input, *target; /* [batch_size, n_values]; the same without corruption */
    int64_t n;
    strait_status status; /* of reading */
} slot;

struct st_batches {
    st_batches_config config;
    st_assembler *assembler; /* the producer's, or the caller's without one */
    int64_t n_samples, n_values, per_epoch;
    uint32_t epoch;
    int64_t first;   /* batch of this epoch */
    uint32_t *order; /* [n_samples] of this epoch */
    float *values;   /* of all slots */
    slot *slots;
    int64_t n_slots, memory;
    strait_error error; /* of the slot that failed, the last one filled in its epoch */

    /* The consumer's. */
    int64_t index;       /* of the next batch */
    bool holding, begun; /* a slot is with the caller; an epoch is with the producer */
    double waited;

    /* Between both. */
    st_thread *thread;
    sem_t begin, idle, room, ready;
    _Atomic int64_t filled, taken;
    atomic_bool producer_sleeps, consumer_sleeps, cancelled, closing;
};

/* ---- filling ---- */

static void make_order(st_batches *batches) {
    const uint32_t n = (uint32_t)batches->n_samples;
    const st_rng rng = {.seed = batches->config.seed, .purpose = ST_RNG_SHUFFLE, .epoch = batches->epoch};
    if (batches->config.shuffle) {
        st_rng_shuffle(&rng, batches->order, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        batches->order[i] = i;
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

static void fill(st_batches *batches, slot *out, int64_t index) {
    const int64_t first = index * batches->config.batch_size, rest = batches->n_samples - first;
    const int64_t n_values = batches->n_values;
    out->status = STRAIT_OK;
    out->n = rest < batches->config.batch_size ? rest : batches->config.batch_size;
    for (int64_t k = 0; k < out->n; k++) {
        const uint32_t i = batches->order[first + k];
        float *input = out->input + k * n_values, *target = out->target + k * n_values;
        prefetch(batches, first + k + PREFETCHED);
        out->status = st_assembler_run(batches->assembler, input, target, i, batches->epoch, &batches->error);
        if (out->status != STRAIT_OK) return;
    }
    const size_t unused = (size_t)((batches->config.batch_size - out->n) * n_values) * sizeof(float);
    memset(out->target + out->n * n_values, 0, unused);
    memset(out->input + out->n * n_values, 0, unused);
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
    return batches->n_slots - (atomic_load(&batches->filled) - atomic_load(&batches->taken));
}

static int64_t enough_to_wake(const st_batches *batches) {
    return batches->n_slots / 2; /* n_slots >= 2 */
}

/* Producer: waits for a free slot; false when the epoch is cancelled. */
static bool wait_for_room(st_batches *batches) {
    while (!atomic_load(&batches->cancelled) && free_slots(batches) == 0) {
        atomic_store(&batches->producer_sleeps, true);
        const bool awake = atomic_load(&batches->cancelled) || free_slots(batches) >= enough_to_wake(batches);
        sleep_unless(&batches->room, &batches->producer_sleeps, awake);
    }
    return !atomic_load(&batches->cancelled);
}

static void produce_epoch(st_batches *batches) {
    make_order(batches);
    strait_status status = STRAIT_OK;
    for (int64_t i = batches->first; i < batches->per_epoch && status == STRAIT_OK; i++) {
        if (!wait_for_room(batches)) return;
        slot *next = &batches->slots[atomic_load(&batches->filled) % batches->n_slots];
        fill(batches, next, i);
        status = next->status;
        atomic_fetch_add(&batches->filled, 1);
        wake(&batches->ready, &batches->consumer_sleeps);
    }
}

static void produce(void *context) {
    st_batches *batches = context;
    for (;;) {
        wait_for(&batches->begin);
        if (atomic_load(&batches->closing)) return;
        produce_epoch(batches);
        sem_post(&batches->idle);
    }
}

/* Consumer: waits for a filled slot. */
static void wait_for_batch(st_batches *batches) {
    const int64_t taken = atomic_load(&batches->taken);
    if (atomic_load(&batches->filled) > taken) return;
    const double start = st_clock();
    while (atomic_load(&batches->filled) == taken) {
        atomic_store(&batches->consumer_sleeps, true);
        sleep_unless(&batches->ready, &batches->consumer_sleeps, atomic_load(&batches->filled) > taken);
    }
    batches->waited += st_clock() - start;
}

/* Consumer: takes the slot back that the caller held. */
static void release(st_batches *batches) {
    if (!batches->holding) return;
    batches->holding = false;
    atomic_fetch_add(&batches->taken, 1);
    if (free_slots(batches) >= enough_to_wake(batches)) wake(&batches->room, &batches->producer_sleeps);
}

/* Consumer: after this the producer is idle. */
static void end_epoch(st_batches *batches) {
    if (!batches->begun) return;
    atomic_store(&batches->cancelled, true);
    wake(&batches->room, &batches->producer_sleeps);
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
    if (!batches->thread) {
        make_order(batches);
        return;
    }
    atomic_store(&batches->filled, 0);
    atomic_store(&batches->taken, 0);
    batches->begun = true;
    sem_post(&batches->begin);
}

static slot *next_slot(st_batches *batches) {
    if (batches->thread) {
        wait_for_batch(batches);
        return &batches->slots[atomic_load(&batches->taken) % batches->n_slots];
    }
    const double start = st_clock();
    fill(batches, &batches->slots[0], batches->index);
    batches->waited += st_clock() - start;
    return &batches->slots[0];
}

strait_status st_batches_next(st_batch *batch, st_batches *batches, strait_error *err) {
    *batch = (st_batch){0};
    release(batches);
    if (batches->index >= batches->per_epoch) return STRAIT_OK;
    const slot *from = next_slot(batches);
    if (from->status != STRAIT_OK) { /* the slot stays where it is: the next call fails likewise */
        if (err) *err = batches->error;
        return from->status;
    }
    batches->holding = batches->thread != NULL;
    *batch = (st_batch){.input = from->input,
                        .target = from->target,
                        .n = from->n,
                        .index = batches->index,
                        .sample = batches->order + batches->index * batches->config.batch_size};
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
    if (batches->thread) {
        end_epoch(batches);
        atomic_store(&batches->closing, true);
        sem_post(&batches->begin);
        st_thread_join(batches->thread);
    }
    sem_destroy(&batches->begin);
    sem_destroy(&batches->idle);
    sem_destroy(&batches->room);
    sem_destroy(&batches->ready);
    st_free(batches->order);
    st_assembler_free(batches->assembler);
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

static strait_status make(st_batches *batches, strait_error *err) {
    const st_batches_config *config = &batches->config;
    const st_source *source = config->data->source;
    batches->n_samples = config->data->n;
    batches->n_values = source->n_values;
    batches->per_epoch = (batches->n_samples - 1) / config->batch_size + 1;
    batches->index = batches->per_epoch; /* nothing before st_batches_start */
    batches->n_slots = (int64_t)config->ahead + 1;
    ST_TRY(make_slots(batches, err));
    ST_TRY(take(&batches->order, batches, batches->n_samples * (int64_t)sizeof *batches->order, err));
    ST_TRY(st_assembler_new(&batches->assembler, config, err));
    batches->memory += st_assembler_bytes(batches->assembler);
    return config->ahead > 0 ? st_thread_start(&batches->thread, produce, batches, err) : STRAIT_OK;
}

strait_status st_batches_new(st_batches **out, const st_batches_config *config, strait_error *err) {
    if (config->batch_size < 1)
        return st_fail(err, STRAIT_ARGUMENT, "batch_size is %lld; it must be at least 1",
                       (long long)config->batch_size);
    if (config->ahead < 0)
        return st_fail(err, STRAIT_ARGUMENT, "%d batches ahead; it must be 0 or more", config->ahead);
    ST_TRY(st_source_check_uniform(config->data->source, err));
    st_batches *batches = st_alloc(1, sizeof *batches);
    if (!batches) return st_fail_memory(err, sizeof *batches, "batches");
    batches->config = *config;
    batches->memory = sizeof *batches;
    sem_init(&batches->begin, 0, 0);
    sem_init(&batches->idle, 0, 0);
    sem_init(&batches->room, 0, 0);
    sem_init(&batches->ready, 0, 0);
    const strait_status status = make(batches, err);
    if (status == STRAIT_OK) {
        *out = batches;
    } else {
        st_batches_free(batches);
    }
    return status;
}
