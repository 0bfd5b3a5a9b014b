/* Cells: 10x folders made here, real files where they are, and the preparation from counts against numpy and pandas. */
#include <math.h>
#include <sys/stat.h>
#include "data/cells_prepare.h"
#include "data/data_int.h"
#include "data/h5ad_write.h"
#include "files.h"
#include "recipe/features.h"

static const char *write_text(const char *name, const char *text) {
    return test_file(name, text, strlen(text));
}

/* Four cells, genes and antibodies not in one block, a name twice. */
static const char features[] = "G1\tA\tGene Expression\nP1\tCD3\tAntibody Capture\nG2\tB\tGene Expression\n"
                               "G3\tA\tGene Expression\nP2\tCD4\tAntibody Capture\n";
static const char matrix[] = "%%MatrixMarket matrix coordinate integer general\n%a comment\n5 4 15\n"
                             "1 1 3\n2 1 10\n4 1 1\n3 2 2\n4 2 2\n2 2 4\n5 2 7\n"
                             "1 3 5\n3 3 1\n5 3 3\n1 4 1\n2 4 2\n3 4 1\n4 4 1\n5 4 2\n";
static const float dense[4][5] = {{3, 10, 0, 1, 0}, {0, 4, 2, 2, 7}, {5, 0, 1, 0, 3}, {1, 2, 1, 1, 2}};

static const char *write_folder(const char *name, const char *mtx, const char *tsv) {
    char path[64];
    const char *folder = test_path(name);
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/matrix.mtx", name);
    write_text(path, mtx);
    snprintf(path, sizeof path, "%s/features.tsv", name);
    write_text(path, tsv);
    snprintf(path, sizeof path, "%s/barcodes.tsv", name);
    write_text(path, "AAA-1\nCCC-1\nGGG-1\nTTT-1\n");
    return test_path(name);
}

static void test_tenx_folder(void **state) {
    (void)state;
    strait_data *data = open_good(write_folder("tenx", matrix, features));
    strait_array *rows = NULL;
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.format, "10x");
    assert_int_equal(info.n_samples, 4);
    assert_int_equal(info.dim[0], 5);
    assert_true(info.resident);
    assert_string_equal(info.note, "3 genes, 2 proteins; sparse, 75 % of the values are not zero");
    assert_string_equal(strait_data_sample_name(data, 2), "GGG-1");
    assert_int_equal(strait_data_rows(&rows, data, 0, 4, NULL), STRAIT_OK);
    assert_memory_equal(rows->values, dense, sizeof dense);
    strait_array_free(rows);
    strait_data_free(data);
    /* The matrix by its name, gzip, the older names, what stands before the names. */
    data = open_good(test_path("tenx/matrix.mtx"));
    assert_int_equal(strait_data_count(data), 4);
    strait_data_free(data);
    write_gzip("GSM1_matrix.mtx.gz", matrix, sizeof matrix - 1);
    write_gzip("GSM1_barcodes.tsv.gz", "a\nb\nc\nd\n", 8);
    write_text("GSM1_genes.tsv", "G1\tA\nG2\tB\nG3\tC\nG4\tD\nG5\tE\n");
    data = open_good(test_path("GSM1_matrix.mtx.gz"));
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.note, "5 genes; sparse, 75 % of the values are not zero");
    strait_data_free(data);
}

/* Entries in any order, one place named twice: the sum, as scipy's coo_matrix has it. */
static void test_order_and_repeats(void **state) {
    (void)state;
    static const char mixed[] = "%%MatrixMarket matrix coordinate real general\n5 4 4\n5 2 0.5\n1 2 2\n5 2 1\n2 1 4\n";
    strait_data *data = open_good(write_folder("mixed", mixed, features));
    strait_array *rows = NULL;
    const float expected[] = {0, 4, 0, 0, 0, 2, 0, 0, 0, 1.5f};
    assert_int_equal(strait_data_rows(&rows, data, 0, 2, NULL), STRAIT_OK);
    assert_memory_equal(rows->values, expected, sizeof expected);
    strait_array_free(rows);
    strait_data_free(data);
}

static void test_mistakes(void **state) {
    (void)state;
    static const struct {
        const char *mtx, *message;
    } wrong[] = {
        {"hello\n", "line 1: does not begin as a MatrixMarket file does: 'hello'"},
        {"%%MatrixMarket matrix array real general\n",
         "line 1: only 'matrix coordinate integer|real|pattern general' is read: '%%MatrixMarket matrix array real "
         "general'"},
        {"%%MatrixMarket matrix coordinate real general\n% x\n", "ends before its sizes"},
        {"%%MatrixMarket matrix coordinate real general\n5 4\n",
         "line 2: these are no sizes (features, cells, entries): '5 4'"},
        {"%%MatrixMarket matrix coordinate real general\n5 4 999999999999\n",
         "line 2: these are no sizes (features, cells, entries): '5 4 999999999999'"},
        {"%%MatrixMarket matrix coordinate real general\n6 4 1\n",
         "is of 6 features and 4 cells, but the files beside it name 5 features and 4 cells"},
        {"%%MatrixMarket matrix coordinate real general\n5 4 2\n1 1 1\n", "is cut short: ends after 1 of 2 entries"},
        {"%%MatrixMarket matrix coordinate real general\n5 4 1\n1 5 1\n", "line 3: lies outside the matrix: '1 5 1'"},
        {"%%MatrixMarket matrix coordinate real general\n5 4 1\n0 1 1\n", "line 3: lies outside the matrix: '0 1 1'"},
        {"%%MatrixMarket matrix coordinate real general\n5 4 1\n1 1 x\n",
         "line 3: is not 'feature cell value': '1 1 x'"},
        {"%%MatrixMarket matrix coordinate real general\n5 4 1\n1 1\n", "line 3: is not 'feature cell value': '1 1'"},
        {"%%MatrixMarket matrix coordinate pattern general\n5 4 1\n1 1 1\n", "line 3: is not 'feature cell': '1 1 1'"},
        {"%%MatrixMarket matrix coordinate real general\n5 4 1\n1 1 1\n2 2 2\n",
         "line 4: stands after the last entry: '2 2 2'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *folder = write_folder("wrong", wrong[i].mtx, features);
        char path[512];
        snprintf(path, sizeof path, "%s/matrix.mtx", folder);
        assert_open_fails(folder, STRAIT_FORMAT, "%s: %s", path, wrong[i].message);
    }
    const char *alone = write_text("alone.mtx", matrix);
    assert_open_fails(alone, STRAIT_NOT_FOUND,
                      "%s: features.tsv does not lie beside it; a 10x folder holds matrix.mtx, features.tsv and "
                      "barcodes.tsv, each with .gz or without",
                      alone);
    static const char huge[] = "%%MatrixMarket matrix coordinate real general\n5 4 1\n1 1 1e39\n";
    const char *folder = write_folder("huge", huge, features);
    assert_misses(folder, 1, "1 value is not finite, the first (infinity) is value 0 (A) of sample 0 (AAA-1)");
    /* More than may be kept is told before it is read. */
    st_source_set_resident_bytes(100);
    assert_open_fails(
        test_path("tenx"), STRAIT_FORMAT,
        "%s/matrix.mtx: its 15 values take 0.0 GB, too much to keep, and cells cannot be read one by one; "
        "write an h5ad file in compressed rows (CSR)",
        test_path("tenx"));
    st_source_set_resident_bytes(0);
    const char *garbage = write_text("garbage.h5ad", "hello, this is text");
    strait_data *data = NULL;
    strait_error err = {0};
    assert_int_equal(strait_data_open(&data, garbage, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, "no HDF5 file that can be read"));
}

static void test_failing_allocations(void **state) {
    (void)state;
    assert_open_survives_failing_allocations(write_folder("tenx", matrix, features));
}

/* ---- preparation ---- */

/* Twelve genes by scanpy's steps in pandas 1.5.3 and numpy 1.24 (pd.cut, groupby, std with ddof=1): normalised
   dispersions 0.7071 -0.7071 0.0421 -1.0204 0.9783 -0.2860 1.1118 -0.8259 1 1 nan 1. */
static void test_most_variable(void **state) {
    (void)state;
    const double mean[] = {0.1, 0.12, 0.5, 0.55, 0.6, 2.0, 2.1, 2.2, 8.0, 8.5, 0.0, 30.0};
    const double variance[] = {0.2, 0.10, 0.9, 0.40, 2.4, 3.0, 9.0, 2.2, 40., 9.0, 0.0, 45.0};
    static const char *const expected[] = {
        [1] = "000000100000", [2] = "000000101101",  [4] = "000000101101", [5] = "000010101101",
        [6] = "100010101101", [11] = "111111111101", [12] = "111111111101"};
    for (int wanted = 1; wanted <= 12; wanted++) {
        bool kept[12];
        char found[13] = "";
        int64_t n = 0, count = 0;
        assert_int_equal(st_most_variable(&n, kept, mean, variance, 12, wanted, NULL), STRAIT_OK);
        for (int k = 0; k < 12; k++) {
            found[k] = kept[k] ? '1' : '0';
            count += kept[k];
        }
        assert_int_equal(n, count);
        if ((size_t)wanted < sizeof expected / sizeof *expected && expected[wanted])
            assert_string_equal(found, expected[wanted]);
    }
    /* All alike: nothing varies more than another; nothing varies: none. */
    const double one[] = {1, 1, 1}, none[] = {0, 0, 0};
    bool kept[3];
    int64_t n = 0;
    assert_int_equal(st_most_variable(&n, kept, one, none, 3, 2, NULL), STRAIT_OK);
    assert_int_equal(n, 0);
}

static void assert_rows(strait_data *data, const float *expected, int64_t n, int64_t width) {
    strait_array *rows = NULL;
    strait_error err = {0};
    if (strait_data_rows(&rows, data, 0, n, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_equal(rows->dim[1], width);
    for (int64_t i = 0; i < n * width; i++)
        if (fabs((double)(rows->values[i] - expected[i])) > 2e-6)
            fail_msg("value %lld is %.8g, not %.8g", (long long)i, (double)rows->values[i], (double)expected[i]);
    strait_array_free(rows);
}

/* Fits on the first three cells of data, then prepares all. */
static strait_data *fit_and_prepare(strait_recipe *recipe, strait_data *data) {
    strait_data *train = NULL, *out = NULL;
    strait_error err = {0};
    assert_int_equal(st_data_slice(&train, data, 0, 3, NULL), STRAIT_OK);
    if (st_cells_fit(recipe, train, &err) != STRAIT_OK) fail_msg("%s", err.message);
    if (st_data_prepare(&out, data, recipe, &err) != STRAIT_OK) fail_msg("%s", err.message);
    strait_data_free(train);
    return out;
}

/* Genes A B A and proteins CD3 CD4 of the four cells, by numpy: total 4 (the median of 4, 4, 6), log1p, scaled with
   ddof=1 over the first three cells, clipped to ±1; log1p(x / exp(mean(log1p(x)))) over a cell, over a protein. */
static const float genes_expected[4][3] = {{0.5281269f, -0.9758512f, 0.17261147f},
                                           {-1, 1, 0.90245813f},
                                           {0.6252124f, -0.04666382f, -1},
                                           {-0.12563354f, 0.5653762f, 0.4500863f}};
static const float cell_expected[4][2] = {
    {1.3900656f, 0}, {0.49008533f, 0.74516886f}, {0, 0.91629076f}, {0.51082563f, 0.51082563f}};
static const float feature_expected[4][2] = {
    {1.2891048f, 0}, {0.7187244f, 1.164669f}, {0, 0.6652315f}, {0.4225891f, 0.4885558f}};

static strait_recipe worked_recipe(st_clr clr) {
    return (strait_recipe){
        .data = {.scale = ST_SCALE_NONE,
                 .genes = {.on = true, .total_count = true, .log1p = true, .scale = true, .max_value = 1},
                 .proteins = {.on = true, .clr = clr}}};
}

static void test_worked_example(void **state) {
    (void)state;
    for (int by_cell = 0; by_cell < 2; by_cell++) {
        strait_recipe recipe = worked_recipe(by_cell ? ST_CLR_CELL : ST_CLR_FEATURE);
        strait_data *data = open_good(write_folder("tenx", matrix, features)), *again = NULL;
        strait_data *ready = fit_and_prepare(&recipe, data);
        float expected[4][5];
        for (int i = 0; i < 4; i++) {
            memcpy(expected[i], genes_expected[i], sizeof genes_expected[i]);
            memcpy(expected[i] + 3, by_cell ? cell_expected[i] : feature_expected[i], sizeof cell_expected[i]);
        }
        assert_rows(ready, &expected[0][0], 4, 5);
        assert_string_equal(strait_data_sample_name(ready, 3), "TTT-1");
        assert_true(recipe.data.features->genes.target_sum == 4);
        /* Twice does no harm. */
        assert_int_equal(st_data_prepare(&again, ready, &recipe, NULL), STRAIT_OK);
        assert_rows(again, &expected[0][0], 4, 5);
        strait_data_free(again);
        strait_data_free(ready);
        strait_data_free(data);
        st_features_free(recipe.data.features);
    }
}

/* Features in another order, among others, one missing: found by name, the missing one a count of 0; of two genes of
   one name the first goes to the first. */
static void test_matching(void **state) {
    (void)state;
    static const char other[] = "P2\tCD4\tAntibody Capture\nX\tunknown\tGene Expression\nG1\tA\tGene Expression\n"
                                "G3\tA\tGene Expression\nP1\tCD3\tAntibody Capture\n";
    static const char counts[] =
        "%%MatrixMarket matrix coordinate integer general\n5 4 4\n3 1 3\n5 1 10\n4 1 1\n1 2 7\n";
    strait_recipe recipe = worked_recipe(ST_CLR_CELL);
    strait_data *data = open_good(write_folder("tenx", matrix, features)), *ready = fit_and_prepare(&recipe, data);
    assert_null(st_data_missing(ready));
    strait_data_free(ready);
    strait_data_free(data);
    data = open_good(write_folder("other", counts, other));
    assert_int_equal(st_data_prepare(&ready, data, &recipe, NULL), STRAIT_OK);
    char expected[512];
    snprintf(expected, sizeof expected, "1 of the model's 3 genes is not in %s/matrix.mtx and counts as 0: B",
             test_path("other"));
    assert_string_equal(st_data_missing(ready), expected);
    const float row[] = {genes_expected[0][0], genes_expected[0][1], genes_expected[0][2], cell_expected[0][0], 0};
    assert_rows(ready, row, 1, 5);
    strait_data_free(ready);
    strait_data_free(data);
    /* None of them. */
    static const char strangers[] = "a\tENSG1\tGene Expression\nb\tENSG2\tGene Expression\nc\tENSG3\tGene Expression\n"
                                    "d\tENSG4\tGene Expression\ne\tENSG5\tGene Expression\n";
    strait_error err = {0};
    data = open_good(write_folder("strangers", counts, strangers));
    assert_int_equal(st_data_prepare(&ready, data, &recipe, &err), STRAIT_SHAPE);
    snprintf(expected, sizeof expected,
             "%s/matrix.mtx: none of the 3 genes the model was trained on is there: the model's are called 'A', the "
             "file's 'ENSG1'",
             test_path("strangers"));
    assert_string_equal(err.message, expected);
    strait_data_free(data);
    st_features_free(recipe.data.features);
}

static void test_preparation_refused(void **state) {
    (void)state;
    strait_recipe recipe = worked_recipe(ST_CLR_CELL);
    strait_error err = {0};
    strait_data *ready = NULL, *data = open_good(write_folder("tenx", matrix, features));
    assert_int_equal(st_data_prepare(&ready, data, &recipe, &err), STRAIT_RECIPE);
    assert_string_equal(err.message, "genes and proteins are prepared as a training found them, but the model has no "
                                     "such list");
    strait_data_free(data);
    const float negative[] = {1, 2, -3, 4};
    const int64_t dim = 2;
    assert_int_equal(strait_data_from_rows(&data, negative, 2, 1, &dim, NULL), STRAIT_OK);
    assert_int_equal(st_cells_fit(&recipe, data, &err), STRAIT_RECIPE);
    assert_non_null(strstr(err.message, "proteins: there are none in rows"));
    recipe.data.proteins.on = false;
    assert_int_equal(st_cells_fit(&recipe, data, &err), STRAIT_FORMAT);
    assert_string_equal(err.message, "rows: 0 of sample 1 is -3, which is no count: data.genes and data.proteins want "
                                     "counts, such as FILE#raw/X or FILE#layers/counts may hold them");
    strait_data_free(data);
    assert_null(recipe.data.features);
}

static void test_preparation_survives_failing_allocations(void **state) {
    (void)state;
    strait_data *data = open_good(write_folder("tenx", matrix, features));
    for (uint64_t n = 1;; n++) {
        strait_recipe recipe = worked_recipe(ST_CLR_FEATURE);
        recipe.data.genes.most_variable = 2;
        strait_data *ready = NULL;
        strait_array *rows = NULL;
        st_alloc_fail_at(n);
        strait_status status = st_cells_fit(&recipe, data, NULL);
        if (status == STRAIT_OK) status = st_data_prepare(&ready, data, &recipe, NULL);
        if (status == STRAIT_OK) status = strait_data_rows(&rows, ready, 0, 4, NULL);
        const bool through = status == STRAIT_OK;
        st_alloc_fail_at(0);
        if (!through) assert_int_equal(status, STRAIT_MEMORY);
        strait_array_free(rows);
        strait_data_free(ready);
        st_features_free(recipe.data.features);
        if (through) break;
    }
    strait_data_free(data);
}

/* ---- features as text ---- */

static void test_features_text(void **state) {
    (void)state;
    const char *names[] = {"A", "name with blanks", "A"};
    st_features *made = NULL, *back = NULL;
    char *text = NULL, *again = NULL;
    assert_int_equal(st_features_new(&made, NULL), STRAIT_OK);
    assert_int_equal(st_feature_set_init(&made->genes, 3, names, true, false, NULL), STRAIT_OK);
    assert_int_equal(st_feature_set_init(&made->proteins, 1, names, false, true, NULL), STRAIT_OK);
    made->genes.target_sum = 1053.5;
    for (int k = 0; k < 3; k++) {
        made->genes.mean[k] = 0.1 * k;
        made->genes.factor[k] = 1.0 / 3;
    }
    made->proteins.centre[0] = 2;
    assert_int_equal(st_features_to_text(&text, made, NULL), STRAIT_OK);
    assert_int_equal(st_features_from_text(&back, text, "x", NULL), STRAIT_OK);
    assert_int_equal(back->genes.n, 3);
    assert_string_equal(back->genes.name[1], "name with blanks");
    assert_true(back->genes.factor[2] == 1.0 / 3 && back->genes.target_sum == 1053.5);
    assert_null(back->genes.centre);
    assert_true(back->proteins.centre[0] == 2);
    assert_int_equal(st_features_to_text(&again, back, NULL), STRAIT_OK);
    assert_string_equal(again, text);
    /* Cut anywhere it is refused, and never read beyond. */
    for (size_t n = 0; n < strlen(text); n++) {
        strait_error err = {0};
        st_features *cut = NULL;
        char *part = st_strndup(text, n);
        assert_int_equal(st_features_from_text(&cut, part, "x", &err), STRAIT_FORMAT);
        assert_memory_equal(err.message, "x: its list of features is damaged: ", 36);
        st_free(part);
    }
    st_free(text);
    st_free(again);
    st_features_free(made);
    st_features_free(back);
}

/* ---- real files ---- */

/* Shapes, sums and labels as ../shared/data's README has them. */
static void test_real_files(void **state) {
    (void)state;
    static const struct {
        const char *name, *format;
        int64_t n, width;
        double sum, within;
        int n_labels;
    } files[] = {
        {"10x_pbmc68k_reduced_2025_modern.h5ad", "h5ad", 700, 765, -243.681, 5e-3, 10},
        {"10x_pbmc68k_reduced_2018b_h5sparse.h5ad", "h5ad", 700, 765, -243.681, 5e-3, 10},
        {"pbmc68k_counts_anndata08_csr.h5ad", "h5ad", 700, 765, 486651, 1e-6, 10},
        {"pbmc68k_counts_anndata08_csr_gzip.h5ad", "h5ad", 700, 765, 486651, 1e-6, 10},
        {"pbmc68k_counts_anndata08_csc.h5ad", "h5ad", 700, 765, 486651, 1e-6, 10},
        {"pbmc68k_counts_anndata08_dense_lzf.h5ad", "h5ad", 700, 765, 486651, 1e-6, 10},
        {"pbmc_5k_protein_v3.h5ad", "h5ad", 200, 16581, 1351231, 1e-5, 0},
        {"citefuse_10x", "10x", 500, 19570, 1719951 + 927766, 1e-5, 0},
        {"pbmc_small_10x", "10x", 80, 230, 19633, 1e-6, 0},
    };
    const char *folder = test_data();
    if (!folder) skip();
    for (size_t streamed = 0; streamed < 2; streamed++)
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
            char path[512];
            snprintf(path, sizeof path, "%s/cells/%s", folder, files[i].name);
            const bool columns = strstr(files[i].name, "csc") != NULL;
            if (streamed && (columns || strcmp(files[i].format, "10x") == 0)) continue;
            if (streamed) st_source_set_resident_bytes(1 << 19);
            strait_data *data = open_good(path);
            strait_data_info info;
            assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
            assert_string_equal(info.format, files[i].format);
            assert_int_equal(info.n_samples, files[i].n);
            assert_int_equal(info.dim[0], files[i].width);
            assert_int_equal(info.n_labels, files[i].n_labels);
            assert_int_equal(info.resident, !streamed);
            const double sum = info.mean * (double)files[i].n * (double)files[i].width;
            if (fabs(sum - files[i].sum) > files[i].within * (1 + (files[i].within < 1e-4 ? fabs(sum) : 0)))
                fail_msg("%s: sum %.9g, not %.9g", path, sum, files[i].sum);
            if (files[i].n_labels) {
                assert_string_equal(info.label_name[9], "Dendritic"); /* anndata: value_counts()['Dendritic'] == 240 */
                assert_int_equal(info.label_count[9], 240);
            }
            strait_data_free(data);
            st_source_set_resident_bytes(0);
        }
}

/* Opening and copying a real h5ad file with each allocation failing in turn: MEMORY, and nothing left behind. */
static void test_real_failing_allocations(void **state) {
    (void)state;
    char path[512];
    const char *folder = test_data();
    if (!folder) skip();
    snprintf(path, sizeof path, "%s/cells/pbmc68k_counts_anndata08_csr_gzip.h5ad", folder);
    assert_open_survives_failing_allocations(path);
    strait_data *data = open_good(path);
    strait_array *z = NULL;
    const int64_t dim[] = {700, 2};
    const st_h5ad_origin origin = {"recipe", "model"};
    char out[512];
    snprintf(out, sizeof out, "%s", test_path("copies/out.h5ad"));
    mkdir(test_path("copies"), 0777);
    assert_int_equal(strait_array_new(&z, 2, dim, NULL), STRAIT_OK);
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        strait_error err = {0};
        const strait_status status = st_h5ad_write_latent(out, data, z, &origin, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) break;
        if (status != STRAIT_MEMORY) fail_msg("allocation %d: %s", (int)n, err.message);
        assert_int_equal(test_count_entries(test_path("copies")), 0);
    }
    assert_int_equal(test_count_entries(test_path("copies")), 1);
    /* Only all cells, in their order; only h5ad files. */
    strait_data *part = NULL;
    strait_error err = {0};
    assert_int_equal(st_data_slice(&part, data, 0, 10, NULL), STRAIT_OK);
    assert_int_equal(st_h5ad_write_latent(out, part, z, &origin, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "but only some are encoded"));
    strait_data_free(part);
    strait_array_free(z);
    strait_data_free(data);
}

/* numpy and pandas by scanpy's formulas on 90 % of the cells (float64): the median total, how many genes, the sum of
   their numbers, values of the first and of the last cell (which is validation). */
static void test_real_preparation(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t n, n_proteins;
        double target, absolute[2]; /* sum of |x| of the first and the last cell */
        float head[4], tail[2];     /* of the first cell */
    } cases[] = {
        {"citefuse_10x",
         500,
         49,
         3066.5,
         {829.2604288949626, 663.2008036216316},
         {-0.08694564f, -0.10374411f, -0.12614243f, -0.11904044f},
         {-1.43955032f, 0.14048201f}},
        {"pbmc_5k_protein_v3.h5ad",
         200,
         29,
         5962,
         {1036.3140053856882, 959.9007327614761},
         {-0.29330452f, -0.12236544f, -0.24991081f, 1.24035284f},
         {1.05027496f, 0.3406648f}},
    };
    const char *folder = test_data();
    if (!folder) skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/cells/%s", folder, cases[i].name);
        strait_recipe recipe = {.data = {.source = path,
                                         .validation_fraction = 0.1,
                                         .scale = ST_SCALE_NONE,
                                         .genes = {.on = true,
                                                   .total_count = true,
                                                   .log1p = true,
                                                   .most_variable = 2000,
                                                   .scale = true,
                                                   .max_value = 10},
                                         .proteins = {.on = true, .clr = ST_CLR_CELL, .scale = true, .max_value = 10}}};
        strait_data *train = NULL, *validation = NULL;
        strait_error err = {0};
        if (st_data_open_splits(&train, &validation, &recipe, NULL, NULL, &err) != STRAIT_OK)
            fail_msg("%s", err.message);
        const int64_t width = 2000 + cases[i].n_proteins;
        assert_true(recipe.data.features->genes.target_sum == cases[i].target);
        assert_int_equal(recipe.data.features->genes.n, 2000);
        assert_int_equal(strait_data_count(train) + strait_data_count(validation), cases[i].n);
        strait_array *row[2];
        assert_int_equal(strait_data_rows(&row[0], train, 0, 1, NULL), STRAIT_OK);
        assert_int_equal(strait_data_rows(&row[1], validation, strait_data_count(validation) - 1, 1, NULL), STRAIT_OK);
        for (int k = 0; k < 2; k++) {
            double sum = 0;
            assert_int_equal(row[k]->dim[1], width);
            for (int64_t j = 0; j < width; j++)
                sum += fabs((double)row[k]->values[j]);
            if (fabs(sum - cases[i].absolute[k]) > 1e-3)
                fail_msg("%s: the cell's values come to %.9g, not %.9g", path, sum, cases[i].absolute[k]);
        }
        for (int k = 0; k < 4; k++)
            assert_true(fabsf(row[0]->values[k] - cases[i].head[k]) < 1e-5f);
        for (int k = 0; k < 2; k++)
            assert_true(fabsf(row[0]->values[width - 2 + k] - cases[i].tail[k]) < 1e-5f);
        strait_array_free(row[0]);
        strait_array_free(row[1]);
        strait_data_free(train);
        strait_data_free(validation);
        st_features_free(recipe.data.features);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tenx_folder),
        cmocka_unit_test(test_order_and_repeats),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_most_variable),
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_preparation_refused),
        cmocka_unit_test(test_preparation_survives_failing_allocations),
        cmocka_unit_test(test_features_text),
        cmocka_unit_test(test_real_files),
        cmocka_unit_test(test_real_failing_allocations),
        cmocka_unit_test(test_real_preparation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
