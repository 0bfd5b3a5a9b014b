/* CIFAR-10's archive: what is taken out of a .tar.gz, and what of a hostile one is left where it is. */
#include <sys/stat.h>
#include <unistd.h>
#include "data/fetch.h"
#include "files.h"

enum { BLOCK = 512, BATCH = 30730000 };

/* An entry as POSIX ustar has it: name at 0, size at 124, kind at 156, checksum at 148. */
static void add(gzFile tar, const char *name, char kind, const char *size, int64_t n, uint8_t fill) {
    static uint8_t block[BLOCK];
    memset(block, 0, sizeof block);
    memcpy(block, name, strlen(name));
    memcpy(block + 124, size, strlen(size));
    memset(block + 148, ' ', 8);
    block[156] = (uint8_t)kind;
    memcpy(block + 157, "/etc/passwd", 11); /* where a link would lead */
    memcpy(block + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *)block + 148, 8, "%06o", sum);
    assert_int_equal(gzwrite(tar, block, BLOCK), BLOCK);
    memset(block, fill, sizeof block);
    for (int64_t at = 0; at < n; at += BLOCK)
        assert_int_equal(gzwrite(tar, block, BLOCK), BLOCK);
}

static void add_batch(gzFile tar, const char *name, uint8_t fill) {
    char size[16];
    snprintf(size, sizeof size, "%011o", BATCH);
    add(tar, name, '0', size, BATCH, fill);
}

static gzFile begin(const char *path) {
    gzFile tar = gzopen(path, "wb1");
    assert_non_null(tar);
    return tar;
}

static void end(gzFile tar) {
    static const uint8_t zeros[2 * BLOCK];
    assert_int_equal(gzwrite(tar, zeros, sizeof zeros), sizeof zeros);
    assert_int_equal(gzclose(tar), Z_OK);
}

static void add_all(gzFile tar, const char *folder) {
    char name[100];
    for (int i = 1; i <= 6; i++) {
        snprintf(name, sizeof name, i < 6 ? "%sdata_batch_%d.bin" : "%stest_batch.bin", folder, i);
        add_batch(tar, name, (uint8_t)i);
    }
}

static int first_byte(const char *path) {
    FILE *file = fopen(path, "rb");
    const int byte = file ? fgetc(file) : -1;
    if (file) fclose(file);
    return byte;
}

/* Names that lead out of the folder, links, devices and other files are passed over. */
static void test_unpacking(void **state) {
    (void)state;
    const char *archive = test_path("good.tar.gz"), *folder = test_path("good");
    assert_int_equal(mkdir(folder, 0777), 0);
    gzFile tar = begin(archive);
    add(tar, "cifar-10-batches-bin/", '5', "00000000000", 0, 0);
    add(tar, "../../outside.bin", '0', "00000000003", 3, 7);
    add(tar, "/tmp/strait-outside.bin", '0', "00000000003", 3, 7);
    add(tar, "data_batch_2.bin", '2', "00000000000", 0, 0);
    add(tar, "data_batch_3.bin", '1', "00000000000", 0, 0);
    add(tar, "data_batch_4.bin", '3', "00000000000", 0, 0);
    add(tar, "data_batch_7.bin", '0', "00000000003", 3, 7);
    add(tar, "data_batch_..bin", '0', "00000000003", 3, 7);
    add_all(tar, "../../../cifar-10-batches-bin/");
    end(tar);
    strait_error err = {0};
    assert_false(st_cifar_is_unpacked(folder));
    assert_int_equal(st_unpack_cifar(archive, folder, &err), STRAIT_OK);
    assert_true(st_cifar_is_unpacked(folder));
    assert_int_equal(test_count_entries(folder), 6);
    assert_int_equal(first_byte(test_path("good/data_batch_2.bin")), 2);
    assert_int_equal(first_byte(test_path("good/test_batch.bin")), 6);
    assert_int_equal(test_count_entries(test_folder()), 2);
    assert_int_not_equal(access("/tmp/strait-outside.bin", F_OK), 0);
    struct stat info;
    assert_int_equal(lstat(test_path("good/data_batch_2.bin"), &info), 0);
    assert_true(S_ISREG(info.st_mode) && info.st_size == BATCH);
}

static void assert_refused(const char *archive, const char *folder, const char *message) {
    strait_error err = {0};
    char expected[1024];
    assert_int_equal(st_unpack_cifar(archive, folder, &err), STRAIT_FORMAT);
    snprintf(expected, sizeof expected, "%s: %s", archive, message);
    assert_string_equal(err.message, expected);
    assert_false(st_cifar_is_unpacked(folder));
}

static void test_damage(void **state) {
    (void)state;
    const char *archive = test_path("bad.tar.gz"), *folder = test_path("bad");
    assert_int_equal(mkdir(folder, 0777), 0);

    gzFile tar = begin(archive);
    add_batch(tar, "data_batch_1.bin", 1);
    end(tar);
    assert_refused(archive, folder, "data_batch_2.bin is not in it");
    assert_int_equal(test_count_entries(folder), 1);

    tar = begin(archive);
    add(tar, "test_batch.bin", '0', "00000001000", 512, 1);
    end(tar);
    assert_refused(archive, folder, "damaged archive: test_batch.bin has 512 bytes, not 30730000");

    tar = begin(archive);
    add(tar, "README", '0', "-0000000003", 0, 1);
    end(tar);
    assert_refused(archive, folder, "damaged archive: a size is no number");

    tar = begin(archive);
    add_batch(tar, "data_batch_1.bin", 1);
    assert_int_equal(gzclose(tar), Z_OK);
    struct stat info;
    assert_int_equal(stat(archive, &info), 0);
    assert_int_equal(truncate(archive, info.st_size / 2), 0);
    assert_int_equal(unlink(test_path("bad/data_batch_1.bin")), 0);
    strait_error err = {0};
    assert_int_equal(st_unpack_cifar(archive, folder, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, "truncated gzip file"));
    assert_int_equal(test_count_entries(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unpacking), cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
