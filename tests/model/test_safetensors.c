/* safetensors files: what is written, and files that lie. The format:
   https://github.com/huggingface/safetensors, section "Format". */
#include "model_check.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static const float four[4] = {1.0f, -2.5f, 3.25f, 0.0f};

/* A file in memory as st_safetensors_parse wants it: length, header, data bytes of ascending value. */
static char *make_file(size_t *n, uint64_t length, const char *header, size_t n_data) {
    const size_t n_header = strlen(header);
    *n = 8 + n_header + n_data;
    char *bytes = st_alloc(*n + 1, 1);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, n_header);
    for (size_t i = 0; i < n_data; i++)
        bytes[8 + n_header + i] = (char)i;
    return bytes;
}

static strait_status parse_header(const char *header, size_t n_data, strait_error *err) {
    size_t n;
    char *bytes = make_file(&n, strlen(header), header, n_data);
    st_safetensors *file = NULL;
    *err = (strait_error){0};
    const strait_status status = st_safetensors_parse(&file, bytes, n, "f.safetensors", err);
    assert_true((status == STRAIT_OK) == (file != NULL));
    st_safetensors_free(file);
    return status;
}

/* The bytes as the format's description gives them, put together by hand. */
static void written_bytes(void **state) {
    (void)state;
    const st_named_tensor tensor[] = {{"a.kernel", 2, {2, 2}, four}, {"b", 1, {1}, four + 2}, {"none", 1, {0}, NULL}};
    const st_metadata metadata[] = {{"format", "strait"}, {"text", "a \"b\"\\\n\t\xc3\x97"}};
    const char *path = test_path("written.safetensors");
    assert_int_equal(st_safetensors_write(path, 3, tensor, 2, metadata, NULL), STRAIT_OK);
    char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(st_file_read(&bytes, &n, path, 1 << 20, NULL), STRAIT_OK);
    const char *header = "{\"__metadata__\":{\"format\":\"strait\",\"text\":\"a \\\"b\\\"\\\\\\n\\u0009\xc3\x97\"},"
                         "\"a.kernel\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]},"
                         "\"none\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[20,20]}}";
    uint64_t length;
    memcpy(&length, bytes, 8);
    assert_int_equal((8 + length) % 64, 0);
    assert_int_equal(n, 8 + length + 20);
    assert_memory_equal(bytes + 8, header, strlen(header));
    for (size_t i = strlen(header); i < length; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_memory_equal(bytes + 8 + length, four, 16);
    assert_memory_equal(bytes + 8 + length + 16, four + 2, 4);
    st_free(bytes);

    st_safetensors *file = NULL;
    assert_int_equal(st_safetensors_read(&file, path, NULL), STRAIT_OK);
    assert_int_equal(file->n_tensors, 3);
    const st_named_tensor *kernel = st_safetensors_find(file, "a.kernel");
    assert_true(kernel && kernel->n_dims == 2 && kernel->dim[0] == 2 && kernel->dim[1] == 2);
    assert_memory_equal(kernel->values, four, 16);
    assert_string_equal(st_safetensors_metadata(file, "text"), metadata[1].value);
    assert_null(st_safetensors_find(file, "c"));
    assert_null(st_safetensors_metadata(file, "c"));
    st_safetensors_free(file);
}

/* Every cut of a small file is refused, naming the file. */
static void cut_short_anywhere(void **state) {
    (void)state;
    const st_named_tensor tensor[] = {{"a", 1, {2}, four}, {"b", 1, {2}, four + 2}};
    const char *path = test_path("whole.safetensors");
    assert_int_equal(st_safetensors_write(path, 2, tensor, 0, NULL, NULL), STRAIT_OK);
    char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(st_file_read(&bytes, &n, path, 1 << 20, NULL), STRAIT_OK);
    for (size_t cut = 0; cut <= n; cut++) {
        char *part = st_alloc(cut + 1, 1);
        memcpy(part, bytes, cut);
        st_safetensors *file = NULL;
        strait_error err = {0};
        const strait_status status = st_safetensors_parse(&file, part, cut, "cut.safetensors", &err);
        assert_int_equal(status, cut == n ? STRAIT_OK : STRAIT_FORMAT);
        if (cut < n) assert_memory_equal(err.message, "cut.safetensors: ", 17);
        st_safetensors_free(file);
    }
    st_free(bytes);
}

#define ENTRY(name, shape, offsets) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void lying_headers(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t n_data;
        const char *message;
    } lie[] = {
        {"{" ENTRY("a", "[2]", "[0,8]") "}", 4,
         "f.safetensors: cut short, or its header lies: tensor 'a' ends at byte 8 of the data, but there are 4"},
        {"{" ENTRY("a", "[3]", "[0,8]") "}", 8,
         "f.safetensors: tensor 'a': its shape needs 12 bytes, its offsets give 8"},
        {"{" ENTRY("a", "[2]", "[0,8]") "," ENTRY("b", "[2]", "[4,12]") "}", 12,
         "f.safetensors: tensor 'b' begins at byte 4 of the data, but the one before it ends at 8: they overlap"},
        {"{" ENTRY("a", "[2]", "[0,8]") "," ENTRY("b", "[1]", "[12,16]") "}", 16,
         "f.safetensors: tensor 'b' begins at byte 12 of the data, but the one before it ends at 8: there is a gap"},
        {"{" ENTRY("a", "[2]", "[0,8]") "}", 12, "f.safetensors: 4 bytes follow the last tensor; the file is damaged"},
        {"{" ENTRY("a", "[1]", "[8,4]") "}", 8, "f.safetensors: tensor 'a': 'data_offsets' is not [begin, end]"},
        {"{" ENTRY("a", "[1]", "[-4,0]") "}", 8, "f.safetensors: tensor 'a': 'data_offsets' is not [begin, end]"},
        {"{" ENTRY("a", "[1]", "[0]") "}", 4, "f.safetensors: tensor 'a': 'data_offsets' is not [begin, end]"},
        {"{" ENTRY("a", "[1]", "{}") "}", 4, "f.safetensors: tensor 'a': 'data_offsets' is not [begin, end]"},
        {"{" ENTRY("a", "[-1]", "[0,4]") "}", 4,
         "f.safetensors: tensor 'a': its shape holds something that is not a size"},
        {"{" ENTRY("a", "[1.0]", "[0,4]") "}", 4,
         "f.safetensors: tensor 'a': its shape holds something that is not a size"},
        {"{" ENTRY("a", "[4611686018427387904,4]", "[0,0]") "}", 0,
         "f.safetensors: tensor 'a': its shape is too large"},
        {"{" ENTRY("a", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4,
         "f.safetensors: tensor 'a': 'shape' is not a list of at most 8 sizes"},
        {"{" ENTRY("a", "4", "[0,4]") "}", 4, "f.safetensors: tensor 'a': 'shape' is not a list of at most 8 sizes"},
        {"{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
         "f.safetensors: tensor 'a' has type 'F16'; only F32 is read"},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
         "f.safetensors: tensor 'a': its entry must hold 'dtype', 'shape' and 'data_offsets'"},
        {"{\"a\":7}", 0, "f.safetensors: tensor 'a': its entry must hold 'dtype', 'shape' and 'data_offsets'"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "f.safetensors: metadata 'a' is not a string"},
        {"{\"__metadata__\":[]}", 0, "f.safetensors: '__metadata__' is not a map of strings"},
        {"[]", 0, "f.safetensors: not a safetensors file: its header does not begin with '{'"},
        {"", 0, "f.safetensors: not a safetensors file: its header does not begin with '{'"},
        {"{\"a\":", 0, "f.safetensors: its header is not valid JSON: "},
        {"{}x", 0, "f.safetensors: its header is not valid JSON: "},
        {"{" ENTRY("a", "[1]", "[0,4]") "," ENTRY("a", "[1]", "[0,4]") "}", 4,
         "f.safetensors: its header is not valid JSON: duplicate object key"},
        {"{" ENTRY("a", "[99999999999999999999]", "[0,4]") "}", 4, "f.safetensors: its header is not valid JSON: "},
    };
    for (size_t i = 0; i < sizeof lie / sizeof lie[0]; i++) {
        strait_error err;
        assert_int_equal(parse_header(lie[i].header, lie[i].n_data, &err), STRAIT_FORMAT);
        if (strncmp(err.message, lie[i].message, strlen(lie[i].message)) != 0)
            fail_msg("expected: %s\n     got: %s", lie[i].message, err.message);
    }
}

static void lying_header_lengths(void **state) {
    (void)state;
    static const uint64_t length[] = {3, 0, 1000, 100000000, 100000001, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof length / sizeof length[0]; i++) {
        size_t n;
        char *bytes = make_file(&n, length[i], "{} ", 0);
        st_safetensors *file = NULL;
        const strait_status status = st_safetensors_parse(&file, bytes, n, "f", NULL);
        assert_int_equal(status, length[i] == 3 ? STRAIT_OK : STRAIT_FORMAT);
        st_safetensors_free(file);
    }
}

/* Other programs write headers of any length, and tensors in any order of names. */
static void values_of_a_file_with_an_odd_header(void **state) {
    (void)state;
    for (int pad = 0; pad < 4; pad++) {
        char header[256];
        snprintf(header, sizeof header, "{" ENTRY("late", "[]", "[8,12]") "," ENTRY("early", "[2]", "[0,8]") "}%.*s",
                 pad, "   ");
        size_t n;
        char *bytes = make_file(&n, strlen(header), header, 12);
        memcpy(bytes + n - 12, four, 12);
        st_safetensors *file = NULL;
        assert_int_equal(st_safetensors_parse(&file, bytes, n, "f", NULL), STRAIT_OK);
        assert_string_equal(file->tensor[0].name, "early");
        assert_int_equal((uintptr_t)file->tensor[0].values % sizeof(float), 0);
        assert_memory_equal(file->tensor[0].values, four, 8);
        assert_int_equal(file->tensor[1].n_dims, 0); /* a scalar */
        assert_true(file->tensor[1].values[0] == four[2]);
        st_safetensors_free(file);
    }
}

static int json_allocations_left; /* negative: no limit */
static void *json_allocate(size_t n) {
    if (json_allocations_left == 0) return NULL;
    if (json_allocations_left > 0) json_allocations_left--;
    return malloc(n);
}

static void every_allocation_failing(void **state) {
    (void)state;
    const st_named_tensor tensor[] = {{"a", 1, {2}, four}, {"b", 1, {2}, four + 2}};
    const st_metadata metadata[] = {{"key", "value"}};
    const char *path = test_path("failing.safetensors");
    strait_status status = STRAIT_MEMORY;
    for (uint64_t i = 1; status == STRAIT_MEMORY; i++) {
        st_alloc_fail_at(i);
        status = st_safetensors_write(path, 2, tensor, 1, metadata, NULL);
        assert_true(i > 2 || status == STRAIT_MEMORY);
        assert_int_equal(access(path, 0) == 0, status == STRAIT_OK);
    }
    assert_int_equal(status, STRAIT_OK);
    status = STRAIT_MEMORY;
    for (uint64_t i = 1; status == STRAIT_MEMORY; i++) {
        st_alloc_fail_at(i);
        st_safetensors *file = NULL;
        status = st_safetensors_read(&file, path, NULL);
        assert_true(i > 6 || status == STRAIT_MEMORY);
        st_safetensors_free(file);
    }
    st_alloc_fail_at(0);
    assert_int_equal(status, STRAIT_OK);
    /* And jansson's own, which it may take for a syntax error. */
    json_set_alloc_funcs(json_allocate, free);
    int n_failed = 0;
    for (status = STRAIT_MEMORY; status != STRAIT_OK; n_failed++) {
        json_allocations_left = n_failed;
        st_safetensors *file = NULL;
        status = st_safetensors_read(&file, path, NULL);
        json_allocations_left = -1;
        assert_true(status == STRAIT_OK || status == STRAIT_MEMORY || status == STRAIT_FORMAT);
        st_safetensors_free(file);
    }
    assert_true(n_failed > 10);
    json_set_alloc_funcs(malloc, free);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_bytes),
        cmocka_unit_test(cut_short_anywhere),
        cmocka_unit_test(lying_headers),
        cmocka_unit_test(lying_header_lengths),
        cmocka_unit_test(values_of_a_file_with_an_odd_header),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
