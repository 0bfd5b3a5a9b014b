/* The memory plan: buffers never share a place while both live, and places are used again. */
#include "graph/networks.h"
#include "graph/plan_int.h"

#define MOST 40

/* Largest sum of sizes alive at once: no plan can need less. */
static size_t lower_bound(int n, const st_buffer *buffer, int n_steps) {
    size_t most = 0;
    for (int step = 0; step < n_steps; step++) {
        size_t alive = 0;
        for (int i = 0; i < n; i++)
            if (buffer[i].first <= step && step <= buffer[i].last) alive += buffer[i].size;
        most = alive > most ? alive : most;
    }
    return most;
}

static void expect_apart(int n, const st_buffer *buffer, size_t total) {
    for (int i = 0; i < n; i++) {
        assert_true(buffer[i].offset + buffer[i].size <= total);
        for (int j = 0; j < i; j++) {
            const bool in_time = buffer[i].first <= buffer[j].last && buffer[j].first <= buffer[i].last;
            const bool in_space = buffer[i].offset < buffer[j].offset + buffer[j].size &&
                                  buffer[j].offset < buffer[i].offset + buffer[i].size;
            if (in_time && in_space) fail_msg("buffers %d and %d share a place while both live", j, i);
        }
    }
}

static void test_random_buffers(void **state) {
    (void)state;
    uint32_t x = 1;
#define DRAW(n) (x = x * 1664525u + 1013904223u, (int)((x >> 16) % (uint32_t)(n)))
    size_t planned = 0, apart = 0;
    for (int round = 0; round < 500; round++) {
        st_buffer buffer[MOST];
        int order[MOST];
        const int n = 1 + DRAW(MOST), steps = 2 + DRAW(20);
        size_t sum = 0;
        for (int i = 0; i < n; i++) {
            const int first = DRAW(steps), last = first + DRAW(steps - first);
            buffer[i] = (st_buffer){.size = (size_t)(16 * DRAW(9)), .offset = 12345, .first = first, .last = last};
            sum += buffer[i].size;
        }
        const size_t total = st_buffers_place(n, buffer, order);
        expect_apart(n, buffer, total);
        assert_true(total >= lower_bound(n, buffer, steps));
        assert_true(total <= sum);
        planned += total;
        apart += sum;
    }
    assert_true(planned < apart * 3 / 4); /* places are used again */
#undef DRAW
}

/* Worked by hand: of three buffers the first and last can share. */
static void test_chain(void **state) {
    (void)state;
    st_buffer buffer[3] = {
        {.size = 64, .first = 0, .last = 1}, {.size = 32, .first = 1, .last = 2}, {.size = 48, .first = 2, .last = 3}};
    int order[3];
    assert_int_equal(st_buffers_place(3, buffer, order), 96);
    assert_int_equal(buffer[0].offset, 0);
    assert_int_equal(buffer[1].offset, 64);
    assert_int_equal(buffer[2].offset, 0);
    assert_int_equal(st_buffers_place(0, buffer, order), 0);
}

/* Within a plan: values and gradients of tensors that live together stand apart, inside of the arena, on cache lines;
   a reshape stands where its input does; and the arena is smaller than all buffers side by side. */
static void test_arena(void **state) {
    (void)state;
    for (int training = 0; training <= 1; training++) {
        st_graph *graph = new_network(NETWORK_MIXED, ST_RELU, ST_SIGMOID);
        st_runner_config config = training_config(graph, &st_engine_cpu, 4, 1, 4, ST_LOSS_MSE);
        config.training = training;
        st_plan *plan = NULL;
        assert_int_equal(st_plan_new(&plan, &config, 4, 1, NULL), STRAIT_OK);
        size_t sum = 0;
        for (int t = 0; t < graph->n_tensors; t++) {
            const size_t size = (size_t)st_shape_count(&graph->tensor[t].shape) * 4;
            const size_t value = plan->offset[2 * t], gradient = plan->offset[2 * t + 1];
            assert_true(value != SIZE_MAX && value % 16 == 0 && value + size <= plan->arena_size);
            assert_true(training || gradient == SIZE_MAX);
            if (gradient != SIZE_MAX) assert_true(gradient % 16 == 0 && gradient + size <= plan->arena_size);
            sum += size * (training ? 2 : 1);
        }
        for (int i = 0; i < graph->n_ops; i++) {
            const st_op *op = &graph->op[i];
            const bool same = plan->offset[2 * op->src] == plan->offset[2 * op->dst];
            assert_int_equal(same, op->kind == ST_OP_RESHAPE); /* an op never writes over what it reads */
        }
        assert_true(plan->arena_size < sum);
        st_plan_free(plan);
        st_graph_free(graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_buffers),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
