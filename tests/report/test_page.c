/* The page about a run, the comparison, the hourglass: from hand-made runs. That a browser shows them is
   tests/cli/test_report.sh. */
#include "picture_check.h"

#include <errno.h>
#include <locale.h>
#include <sys/stat.h>

#include "base/array.h"
#include "image/png.h"
#include "report/html_int.h"
#include "report/report.h"
#include "report/svg_int.h"
#include "report/watched_int.h"
#include "report/words_int.h"

/* ---- a run made by hand ---- */

#define HOSTILE "<script>alert(1)</script>&\"'</title>"

typedef struct fixture {
    strait_run run;
    st_setting setting[8];
    strait_summary summary;
    strait_summary_row row[8];
    st_history_row epoch[4];
    strait_layer_state layer[4][2];
    strait_diagnosis_epoch state[4];
    strait_finding finding[1];
    strait_diagnosis diagnosis;
    float errors[100];
    float values[2 * 2 * 3];
    strait_activation_map map[2];
    strait_activations activations;
    st_report_run shown;
} fixture;

static strait_summary_row row_of(const char *part, const char *name, const char *layer, int64_t a, int64_t b,
                                 int64_t c) {
    strait_summary_row row = {.part = part, .name = name, .layer = layer, .n_dims = b ? 3 : 1, .dim = {a, b, c}};
    row.parameters = 1234567;
    row.flops = 99;
    return row;
}

static void make_model(fixture *f) {
    f->row[0] = row_of("encoder", "encoder.0", "flatten", 784, 0, 0);
    f->row[1] = row_of("encoder", "encoder.1", "dense (relu)", 16, 0, 0);
    f->row[2] = row_of("decoder", "decoder.0", "dense (sigmoid)", 784, 0, 0);
    f->row[3] = row_of("decoder", "decoder.1", "reshape", 28, 28, 1);
    f->summary = (strait_summary){.n_rows = 4,
                                  .row = f->row,
                                  .n_input_dims = 3,
                                  .input_dim = {28, 28, 1},
                                  .latent = 16,
                                  .parameters = 2469134,
                                  .flops = 396,
                                  .training_bytes = 5 << 20,
                                  .batch_size = 32};
}

static void make_epochs(fixture *f) {
    for (int i = 0; i < 4; i++) {
        f->epoch[i] = (st_history_row){.epoch = i + 1,
                                       .loss = 0.5 / (i + 1),
                                       .val_loss = i == 2 ? 0.125 : 0.25,
                                       .learning_rate = 0.001,
                                       .seconds = 1.5,
                                       .samples_per_second = 40000,
                                       .kl = NAN,
                                       .val_kl = NAN};
        for (int l = 0; l < 2; l++)
            f->layer[i][l] = (strait_layer_state){.change_start = 0.25 * i * (l + 1),
                                                  .change_epoch = 0.1,
                                                  .gradient_norm = 0.5,
                                                  .dead_share = l ? NAN : 0.125};
        for (int l = 0; l < 2; l++) {
            snprintf(f->layer[i][l].name, sizeof f->layer[i][l].name, "%s", l ? "decoder.0" : "encoder.1");
            snprintf(f->layer[i][l].layer, sizeof f->layer[i][l].layer, "%s", l ? "dense (sigmoid)" : "dense (relu)");
        }
        f->state[i] = (strait_diagnosis_epoch){.epoch = i,
                                               .loss = 1,
                                               .val_loss = 1,
                                               .layer = f->layer[i],
                                               .output = {.minimum = 0, .maximum = 1, .outside_share = 0.634}};
    }
}

static fixture *make_run(const char *folder, const char *name) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    make_model(f);
    make_epochs(f);
    f->run = (strait_run){.epochs = 4,
                          .epochs_asked = 4,
                          .threads = 2,
                          .micro_batch = 8,
                          .batch_size = 32,
                          .n_samples = 60000,
                          .n_validation = 10000,
                          .n_problems = 1};
    snprintf(f->run.state, sizeof f->run.state, "complete");
    snprintf(f->run.processor, sizeof f->run.processor, "A Processor " HOSTILE);
    snprintf(f->run.checksum, sizeof f->run.checksum, "crc32:1a2b3c4d");
    snprintf(f->run.source, sizeof f->run.source, "data/" HOSTILE);
    snprintf(f->run.command, sizeof f->run.command, "strait train " HOSTILE);
    static char *const setting[][2] = {{"name", HOSTILE},
                                       {"train.loss", "mse"},
                                       {"train.optimizer.adam.learning_rate", "0.001"},
                                       {"train.optimizer.adam.beta_1", "0.9"},
                                       {"train.batch_size", "32"},
                                       {"train.threads", "2"},
                                       {"data.validation", "test"},
                                       {"data.scale", "unit"}};
    for (int i = 0; i < 8; i++)
        f->setting[i] = (st_setting){setting[i][0], setting[i][1]};
    f->finding[0] = (strait_finding){.code = "clipped_output",
                                     .severity = STRAIT_SEVERITY_PROBLEM,
                                     .layer = "decoder.0",
                                     .sentence = "63 % lie outside " HOSTILE,
                                     .mend = "Use sigmoid."};
    f->diagnosis = (strait_diagnosis){.loss_moves = true,
                                      .loss_answer = "Yes: it fell.",
                                      .weights_answer = "They do not.",
                                      .n_findings = 1,
                                      .finding = f->finding,
                                      .n_layers = 2,
                                      .n_epochs = 4,
                                      .epoch = f->state,
                                      .share_of_time = 0.01};
    for (int i = 0; i < 100; i++)
        f->errors[i] = 0.01f * (float)(i + 1);
    for (int i = 0; i < 12; i++)
        f->values[i] = (float)i;
    f->map[0] = (strait_activation_map){"input", "", 3, {2, 2, 3}, f->values};
    f->map[1] = (strait_activation_map){"encoder.1", "dense (relu)", 1, {12}, f->values};
    f->activations = (strait_activations){2, f->map};
    f->shown = (st_report_run){.folder = folder,
                               .name = name,
                               .place = "runs/it",
                               .run = &f->run,
                               .yaml = "name: x # " HOSTILE "\n",
                               .n_settings = 8,
                               .setting = f->setting,
                               .summary = &f->summary,
                               .n_epochs = 4,
                               .epoch = f->epoch,
                               .diagnosis = &f->diagnosis,
                               .activations = &f->activations,
                               .sample = "the first validation sample"};
    f->shown.data[0] =
        (st_report_data){.name = "training", .source = "", .n_samples = 200, .n_errors = 100, .errors = f->errors};
    f->shown.data[1] = (st_report_data){.name = "validation"};
    return f;
}

/* ---- reconstructions made by hand ---- */

static void write_grid(const char *path, int columns, int rows, int width, int height, int shade) {
    unsigned char *bytes = malloc((size_t)(columns * rows * width * height));
    assert_non_null(bytes);
    uint32_t noise = 2463534242u + (uint32_t)shade; /* Marsaglia's xorshift: nothing to compress */
    for (int i = 0; i < columns * rows * width * height; i++) {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        bytes[i] = (unsigned char)(noise >> 24);
    }
    assert_int_equal(st_png_write(path, columns * width, rows * height, 1, bytes, NULL), STRAIT_OK);
    free(bytes);
}

static const char *folder_of(const char *name) {
    const char *path = test_path(name);
    assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
    return path;
}

static const char *in_folder(const char *folder, const char *file) {
    static char path[4][1024];
    static int next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", folder, file);
    return out;
}

/* RUN/reconstructions with n samples of side pixels and epochs 0 .. last. */
static const char *make_watch(const char *name, int n, int side, int last) {
    static char kept[16][512]; /* good for as many runs */
    static int next;
    char *run = kept[next++ % 16];
    snprintf(run, sizeof kept[0], "%s", folder_of(name));
    char watch[600], csv[8192] = "set,index,sample,label\n", file[64];
    snprintf(watch, sizeof watch, "%s/reconstructions", run);
    assert_true(mkdir(watch, 0777) == 0 || errno == EEXIST);
    int columns = 1;
    while (columns * columns < n)
        columns++;
    for (int i = 0; i < n; i++)
        snprintf(csv + strlen(csv), sizeof csv - strlen(csv), "train,%d,%d,%d\n", i, i + 100, i % 10);
    snprintf(csv + strlen(csv), sizeof csv - strlen(csv), "validation,0,7,\n");
    assert_int_equal(st_file_write_all(in_folder(watch, "samples.csv"), csv, strlen(csv), NULL), STRAIT_OK);
    for (int epoch = -1; epoch <= last; epoch++) {
        snprintf(file, sizeof file, epoch < 0 ? "train-originals.png" : "train-%03d.png", epoch);
        write_grid(in_folder(watch, file), columns, (n + columns - 1) / columns, side, side, epoch);
        snprintf(file, sizeof file, epoch < 0 ? "validation-originals.png" : "validation-%03d.png", epoch);
        write_grid(in_folder(watch, file), 1, 1, side, side, epoch);
    }
    return run;
}

static char *page_of(const st_report_run *run) {
    char *html = NULL;
    size_t size = 0;
    assert_int_equal(st_report_page(&html, &size, run, NULL), STRAIT_OK);
    assert_int_equal(size, strlen(html));
    return html;
}

static int occurrences(const char *text, const char *word) {
    int n = 0;
    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

#define ASSERT_HAS(text, word)                                                                                         \
    do {                                                                                                               \
        if (!strstr(text, word)) fail_msg("the page lacks %s", word);                                                  \
    } while (0)

/* ---- escaping ---- */

static void hostile_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *html, *json;
    } sample[] = {
        {"<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;", "\"\\u003cb\\u003e\\u0026\\u0022\\u0027\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8a", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8a",
         "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8a\""},
        {"a\xff\xc0\xafz", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz",
         "\"a\\ufffd\\ufffd\\ufffdz\""},                                                       /* stray, overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", "\"\\ufffd\\ufffd\""},                        /* cut short */
        {"a\x01\tb\\", "a\xef\xbf\xbd\tb\\", "\"a\\u0001\\u0009b\\u005c\""},
    };
    for (size_t i = 0; i < sizeof sample / sizeof *sample; i++) {
        st_text html = {0}, json = {0};
        st_html_escape(&html, sample[i].text);
        st_html_json(&json, sample[i].text);
        assert_string_equal(html.bytes, sample[i].html);
        assert_string_equal(json.bytes, sample[i].json);
        st_text_free(&html);
        st_text_free(&json);
    }
}

/* The vectors of RFC 4648, section 10. */
static void base64(void **state) {
    (void)state;
    static const char *const vector[][2] = {{"", ""},
                                            {"f", "Zg=="},
                                            {"fo", "Zm8="},
                                            {"foo", "Zm9v"},
                                            {"foob", "Zm9vYg=="},
                                            {"fooba", "Zm9vYmE="},
                                            {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
        st_text out = {0};
        st_html_base64(&out, vector[i][0], strlen(vector[i][0]));
        assert_string_equal(out.bytes ? out.bytes : "", vector[i][1]);
        st_text_free(&out);
    }
    char long_text[3001];
    memset(long_text, 0, sizeof long_text);
    st_text out = {0};
    st_html_base64(&out, long_text, 3000);
    assert_int_equal(out.length, 4000);
    assert_int_equal(strspn(out.bytes, "A"), 4000);
    st_text_free(&out);
}

static void words(void **state) {
    (void)state;
    assert_string_equal(st_word_count(101200).text, "101,200");
    assert_string_equal(st_word_count(-1234567).text, "-1,234,567");
    assert_string_equal(st_word_count(INT64_MIN).text, "-9,223,372,036,854,775,808");
    assert_string_equal(st_word_count(999).text, "999");
    assert_string_equal(st_word_number(0.0087391).text, "0.008739");
    assert_string_equal(st_word_number(NAN).text, "–");
    assert_string_equal(st_word_number(1.25e-7).text, "1.25e-07");
    assert_string_equal(st_word_share(0.634).text, "63 %");
    assert_string_equal(st_word_share(0.0041).text, "0.4 %");
    assert_string_equal(st_word_share(0).text, "0 %");
    assert_string_equal(st_word_seconds(200).text, "3 min 20 s");
    assert_string_equal(st_word_seconds(7500).text, "2 h 5 min");
    assert_string_equal(st_word_bytes(31 * 1024).text, "31 KiB");
    assert_string_equal(st_word_bytes(99.7 * 1024).text, "100 KiB");
    assert_string_equal(st_word_rate(15120).text, "15.1k");
    assert_string_equal(st_word_shape(3, (const int64_t[]){28, 28, 1}).text, "28×28×1");
}

/* ---- the page ---- */

static void a_whole_page(void **state) {
    (void)state;
    const char *run = make_watch("whole", 5, 8, 3);
    fixture *f = make_run(run, "it-001");
    char *html = page_of(&f->shown);
    assert_int_equal(strncmp(html, "<!doctype html>", 15), 0);
    ASSERT_HAS(html, "<title>it-001 – strait</title>");
    ASSERT_HAS(html, "best validation loss");
    ASSERT_HAS(html, "0.125");
    ASSERT_HAS(html, "best: epoch 3");
    ASSERT_HAS(html, "crc32:1a2b3c4d");
    ASSERT_HAS(html, "adam: learning_rate 0.001 · beta_1 0.9");
    ASSERT_HAS(html, "<b>Yes</b>: it fell.");
    ASSERT_HAS(html, "<b>No</b>. They do not.");
    ASSERT_HAS(html, "<span class=\"mend\">Use sigmoid.</span>");
    ASSERT_HAS(html, "63 %");
    ASSERT_HAS(html, "strait train runs/it/recipe.yaml");
    ASSERT_HAS(html, "the first 100 of 200 samples"); /* of the training data */
    ASSERT_HAS(html, "dense (sigmoid)");
    /* Each grid once: originals and epochs 0 to 3 of both parts, and two maps. */
    assert_int_equal(occurrences(html, "data:image/png;base64,"), 2 * 5 + 2);
    ASSERT_HAS(html, "<image id=\"train-2\" width=\"24\" height=\"16\"");
    ASSERT_HAS(html, "\"samples\":[[\"100\",\"0\"]");
    ASSERT_HAS(html, "before training");
    assert_null(strstr(html, "class=\"missing\""));
    /* Nothing is asked of a network. */
    assert_null(strstr(html, "src=\"http"));
    assert_null(strstr(html, "href=\"http"));
    assert_null(strstr(html, "url(http"));
    char *again = page_of(&f->shown);
    assert_string_equal(html, again);
    free(again);
    free(html);
    free(f);
}

/* Text from a run never becomes markup. The page's own scripts: one a chart, the viewer's data, page.js. */
static void hostile_names(void **state) {
    (void)state;
    const char *run = make_watch("hostile", 5, 8, 1);
    fixture *f = make_run(run, "plain"), *g = make_run(run, HOSTILE);
    char *plain = page_of(&f->shown), *hostile = page_of(&g->shown);
    assert_null(strstr(hostile, "<script>alert"));
    assert_null(strstr(plain, "<script>alert"));
    assert_int_equal(occurrences(hostile, "<script"), occurrences(plain, "<script"));
    assert_int_equal(occurrences(hostile, "</title>"), 1);
    ASSERT_HAS(hostile, "<h1>&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;");
    g->shown.link = "x\" onclick=\"alert(1)";
    char *html = NULL;
    size_t size;
    const st_report_run *both[] = {&f->shown, &g->shown};
    assert_int_equal(st_report_compare(&html, &size, both, 2, NULL), STRAIT_OK);
    assert_null(strstr(html, "<script>alert"));
    assert_null(strstr(html, "\" onclick"));
    ASSERT_HAS(html, "problem</span> decoder.0: 63 % lie outside");
    free(html);
    free(plain);
    free(hostile);
    free(f);
    free(g);
}

/* An older run, of which little is left, still gives a page; each part says what is missing. */
static void an_empty_run(void **state) {
    (void)state;
    st_report_run run = {.folder = folder_of("nothing"), .name = "old-001", .place = "runs/old-001"};
    run.data[0].name = "training";
    run.data[1].name = "validation";
    snprintf(run.why[ST_PART_DIAGNOSIS], sizeof run.why[0], "it has no diagnosis.json");
    snprintf(run.why[ST_PART_DATA], sizeof run.why[0], "data/<x>: no such file");
    char *html = page_of(&run);
    ASSERT_HAS(html, "The run was not diagnosed: it has no diagnosis.json.");
    ASSERT_HAS(html, "data/&lt;x&gt;: no such file");
    ASSERT_HAS(html, "No reconstructions of epochs: the run has none");
    ASSERT_HAS(html, "No epoch has been trained");
    ASSERT_HAS(html, "The model is not there");
    ASSERT_HAS(html, "The settings are not known");
    free(html);
}

static void no_locale(void **state) {
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
        print_message("skipped: no locale with a decimal comma here\n");
        skip();
    }
    fixture *f = make_run(make_watch("locale", 3, 8, 1), "it");
    char *there = page_of(&f->shown);
    setlocale(LC_ALL, "C");
    char *here = page_of(&f->shown);
    assert_string_equal(there, here);
    free(there);
    free(here);
    free(f);
}

/* ---- reconstructions ---- */

static void reconstructions_fit_the_page(void **state) {
    (void)state;
    const char *run = make_watch("large", 9, 96, 20); /* noise: 83 kB a grid, 22 of them */
    st_watched watch;
    assert_int_equal(st_watched_read(&watch, run, 64 << 20, false, NULL), STRAIT_OK);
    assert_int_equal(watch.set[0].n_frames, 21);
    assert_int_equal(watch.shrink, 1);
    assert_int_equal(watch.set[0].width, 96);
    assert_string_equal(watch.set[0].sample[4].index, "104");
    assert_string_equal(watch.set[0].sample[4].label, "4");
    st_watched_free(&watch);

    const size_t budget = 300 << 10;
    assert_int_equal(st_watched_read(&watch, run, budget, false, NULL), STRAIT_OK);
    size_t bytes = 0;
    for (int s = 0; s < 2; s++) {
        bytes += watch.set[s].original.n_bytes;
        for (int i = 0; i < watch.set[s].n_frames; i++)
            bytes += watch.set[s].frame[i].n_bytes;
    }
    assert_true(bytes <= budget);
    assert_true(watch.shrink > 1 && watch.set[0].width < 96);
    assert_int_equal(watch.n_epochs, 21);
    assert_int_equal(watch.set[0].frame[0].epoch, 0); /* the first and the last stay */
    assert_int_equal(watch.set[0].frame[watch.set[0].n_frames - 1].epoch, 20);
    st_watched_free(&watch);
}

/* 2 × 2 squares of four cells of 4 × 4, each cell of one shade but for a corner. */
static void images_shrink_within_their_cells(void **state) {
    (void)state;
    const char *run = folder_of("shrink");
    char watch_folder[600];
    snprintf(watch_folder, sizeof watch_folder, "%s/reconstructions", run);
    assert_int_equal(mkdir(watch_folder, 0777), 0);
    const char csv[] = "set,index,sample,label\ntrain,0,0,\ntrain,1,1,\ntrain,2,2,\ntrain,3,3,\n";
    assert_int_equal(st_file_write_all(in_folder(watch_folder, "samples.csv"), csv, strlen(csv), NULL), STRAIT_OK);
    const int side = 130; /* of a cell: shrunk by two, 65 */
    unsigned char *bytes = calloc((size_t)(4 * side * side), 1);
    for (int y = 0; y < 2 * side; y++)
        for (int x = 0; x < 2 * side; x++)
            bytes[y * 2 * side + x] = (unsigned char)(60 * (y / side * 2 + x / side) + (x % 2 ? 20 : 0));
    assert_int_equal(st_png_write(in_folder(watch_folder, "train-originals.png"), 2 * side, 2 * side, 1, bytes, NULL),
                     0);
    assert_int_equal(st_png_write(in_folder(watch_folder, "train-000.png"), 2 * side, 2 * side, 1, bytes, NULL), 0);
    free(bytes);
    st_watched watch;
    assert_int_equal(st_watched_read(&watch, run, 700, false, NULL), STRAIT_OK);
    assert_true(watch.shrink >= 2);
    const char *small = test_file("small.png", watch.set[0].frame[0].png, watch.set[0].frame[0].n_bytes);
    picture p = read_picture(small);
    assert_int_equal(p.width, 2 * watch.set[0].width);
    const int w = watch.set[0].width;
    if (watch.shrink % 2 == 0) { /* each square has as many bright columns as dark ones: shade + 10 */
        assert_int_equal(pixel(&p, 0, 0), 0x0a0a0a);
        assert_int_equal(pixel(&p, w, 0), (60 + 10) * 0x010101u);
        assert_int_equal(pixel(&p, w, w), (180 + 10) * 0x010101u);
    }
    free(p.rgb);
    st_watched_free(&watch);
}

static void damaged_reconstructions(void **state) {
    (void)state;
    const char *run = make_watch("damaged", 4, 8, 2);
    st_watched watch;
    assert_int_equal(st_file_write_all(in_folder(run, "reconstructions/train-001.png"), "not a picture", 13, NULL),
                     STRAIT_OK);
    assert_int_equal(st_watched_read(&watch, run, 1 << 20, false, NULL), STRAIT_OK);
    assert_int_equal(watch.set[0].n_frames, 2);
    assert_int_equal(watch.set[0].frame[1].epoch, 2);
    assert_non_null(strstr(watch.why, "train-001.png"));
    st_watched_free(&watch);
    /* A grid that does not fit the samples. */
    write_grid(in_folder(run, "reconstructions/train-originals.png"), 1, 1, 7, 7, 0);
    assert_int_equal(st_watched_read(&watch, run, 1 << 20, false, NULL), STRAIT_OK);
    assert_int_equal(watch.set[0].n, 0);
    assert_int_equal(watch.set[1].n, 1);
    assert_non_null(strstr(watch.why, "no grid of 2×2"));
    st_watched_free(&watch);
}

static void curves(void **state) {
    (void)state;
    const char *run = folder_of("curves");
    char folder[600];
    snprintf(folder, sizeof folder, "%s/reconstructions", run);
    assert_int_equal(mkdir(folder, 0777), 0);
    const char csv[] = "set,index,sample,label\nvalidation,0,3,1\nvalidation,1,5,-1\n";
    assert_int_equal(st_file_write_all(in_folder(folder, "samples.csv"), csv, strlen(csv), NULL), STRAIT_OK);
    float values[6] = {0, 1, 2, 3, NAN, -1};
    strait_array array = {2, {2, 3}, values};
    assert_int_equal(st_npy_write(&array, in_folder(folder, "validation-originals.npy"), NULL), STRAIT_OK);
    assert_int_equal(st_npy_write(&array, in_folder(folder, "validation-000.npy"), NULL), STRAIT_OK);
    st_watched watch;
    assert_int_equal(st_watched_read(&watch, run, 1 << 20, false, NULL), STRAIT_OK);
    assert_int_equal(watch.set[1].features, 3);
    assert_true(watch.set[1].low == -1 && watch.set[1].high == 3);
    assert_string_equal(watch.set[1].sample[1].label, "");
    st_watched_free(&watch);
    fixture *f = make_run(run, "curves");
    char *html = page_of(&f->shown);
    /* 12 bits a value over -1 .. 3: 0 is 4094 / 4 = 1023.5, rounded away from 0: 1024 = "QA"; 3 is 4094 = "/+". */
    ASSERT_HAS(html, "\"original\":\"QA");
    ASSERT_HAS(html, "/+//AA\"");
    ASSERT_HAS(html, "data-role=\"curve\"");
    free(html);
    free(f);
}

/* ---- charts and the hourglass ---- */

static void a_chart(void **state) {
    (void)state;
    const double x[] = {1, 2, 3, 4}, y[] = {1, NAN, 100, 0.01};
    const st_svg_series series = {"a <b>", 4, x, y, 0, false};
    assert_true(st_svg_wants_log((const double[]){1, 31}, 2));
    assert_false(st_svg_wants_log((const double[]){1, 29}, 2));
    assert_false(st_svg_wants_log((const double[]){0, 29}, 2));
    st_text html = {0};
    st_svg_lines(
        &html,
        &(st_svg_chart){.label = "L", .x_label = "x", .y_label = "y", .log_y = true, .n_series = 1, .series = &series});
    /* A gap: two pieces of line. */
    const char *line = strstr(html.bytes, "class=\"line c0\" d=\"");
    assert_non_null(line);
    char piece[256];
    snprintf(piece, sizeof piece, "%.*s", (int)strcspn(line + 20, "/"), line + 20);
    assert_int_equal(occurrences(piece, "M") + (line[19] == 'M'), 2);
    ASSERT_HAS(html.bytes, "\"y\":[1,null,100,0.01]");
    st_text_free(&html);
    /* Nothing to draw, one point, infinities: a chart all the same. */
    const double bad[] = {INFINITY, NAN, -INFINITY, 1e300};
    const st_svg_series none = {"none", 0, x, y, 0, false}, wild = {"wild", 4, x, bad, 1, false},
                        one = {"one", 1, x, y, 2, false};
    const st_svg_series all[] = {none, wild, one};
    for (int i = 0; i < 3; i++) {
        st_svg_lines(&html,
                     &(st_svg_chart){.label = "L", .x_label = "x", .y_label = "y", .n_series = 1, .series = &all[i]});
        assert_null(strstr(html.bytes, "nan"));
        assert_null(strstr(html.bytes, "inf"));
        st_text_free(&html);
    }
}

/* The width of the bar of a class in a drawing. */
static double bar_width(const char *svg, const char *class) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "class=\"%s\"", class);
    const char *bar = strstr(svg, wanted);
    assert_non_null(bar);
    const char *width = strstr(bar, "width=\"");
    assert_non_null(width);
    return strtod(width + 7, NULL);
}

static void the_hourglass(void **state) {
    (void)state;
    fixture *f = make_run("", "x");
    char *svg = NULL;
    assert_int_equal(st_report_diagram(&svg, &f->summary, true, NULL), STRAIT_OK);
    assert_int_equal(strncmp(svg, "<svg xmlns=", 11), 0);
    ASSERT_HAS(svg, "prefers-color-scheme:dark");
    ASSERT_HAS(svg, "28×28×1");
    ASSERT_HAS(svg, "latent, 16 values");
    /* 784 values are as wide as can be, 300; 16 of them log 16 / log 784 of the way from 22: 22 + 278 * 0.4160 = 137.7.
     */
    assert_float_equal(bar_width(svg, "bar input"), 300, 0.06);
    assert_float_equal(bar_width(svg, "bar latent"), 137.7, 0.06);
    assert_int_equal(occurrences(svg, "<rect class=\"bar"), 5);
    free(svg);
    /* Branches side by side; too many of them below one another. */
    f->row[0] = row_of("encoder", "encoder.0.0.0", "dense (relu)", 8, 0, 0);
    f->row[1] = row_of("encoder", "encoder.0.1.0", "dense (relu)", 8, 0, 0);
    f->row[2] = row_of("encoder", "encoder.0", "parallel", 16, 0, 0);
    assert_int_equal(st_report_diagram(&svg, &f->summary, false, NULL), STRAIT_OK);
    ASSERT_HAS(svg, "class=\"branches\"");
    ASSERT_HAS(svg, "branch 1");
    assert_null(strstr(svg, "<style>"));
    free(svg);
    static const char *const five[] = {"encoder.0.0.0", "encoder.0.1.0", "encoder.0.2.0", "encoder.0.3.0",
                                       "encoder.0.4.0"};
    for (int i = 0; i < 5; i++)
        f->row[i] = row_of("encoder", five[i], "dense", 8, 0, 0);
    f->summary.n_rows = 5;
    assert_int_equal(st_report_diagram(&svg, &f->summary, false, NULL), STRAIT_OK);
    ASSERT_HAS(svg, "class=\"bracket\"");
    assert_null(strstr(svg, "class=\"branches\""));
    free(svg);
    free(f);
}

/* ---- comparing ---- */

static void a_comparison(void **state) {
    (void)state;
    fixture *a = make_run(make_watch("first", 4, 8, 1), "first"),
            *b = make_run(make_watch("second", 4, 8, 1), "second");
    b->setting[4].value = "64"; /* the batch size */
    b->setting[5].value = "4";  /* threads: no difference that counts */
    b->epoch[2].val_loss = 0.0625;
    b->shown.link = "second/report.html";
    const st_report_run *both[] = {&a->shown, &b->shown};
    char *html = NULL;
    size_t size;
    assert_int_equal(st_report_compare(&html, &size, both, 2, NULL), STRAIT_OK);
    ASSERT_HAS(html, "<tr><th>train.batch_size</th><td>32</td><td>64</td></tr>");
    assert_null(strstr(html, "<tr><th>train.threads"));
    assert_null(strstr(html, "<tr><th>train.loss"));
    ASSERT_HAS(html, "<td class=\"number\">0.125</td><td class=\"number best\">0.0625</td>");
    ASSERT_HAS(html, "<a href=\"second/report.html\">open</a>");
    /* Both saw the same samples: the originals stand there once. */
    assert_int_equal(occurrences(html, "<th>original</th>"), 1);
    ASSERT_HAS(html, "<use href=\"#r0-1\"/>");
    ASSERT_HAS(html, "<use href=\"#r1-1\"/>");
    free(html);
    /* Other losses are not ranked. */
    b->setting[1].value = "mae";
    assert_int_equal(st_report_compare(&html, &size, both, 2, NULL), STRAIT_OK);
    ASSERT_HAS(html, "for different losses: their losses cannot be ranked");
    ASSERT_HAS(html, "<td class=\"number\">0.125</td><td class=\"number\">0.0625</td>");
    free(html);
    /* Nor are those of other data. */
    b->setting[1].value = a->setting[1].value;
    snprintf(b->run.source, sizeof b->run.source, "elsewhere");
    assert_int_equal(st_report_compare(&html, &size, both, 2, NULL), STRAIT_OK);
    ASSERT_HAS(html, "on different data: their losses cannot be ranked");
    ASSERT_HAS(html, "<td class=\"number\">0.125</td><td class=\"number\">0.0625</td>");
    free(html);
    free(a);
    free(b);
}

/* ---- memory ---- */

static void every_allocation_failing(void **state) {
    (void)state;
    fixture *f = make_run(make_watch("memory", 9, 100, 2), "it");
    const st_report_run *both[] = {&f->shown, &f->shown};
    char *html;
    size_t size;
    for (uint64_t n = 1, done = 0; done < 2; n++) {
        strait_error err = {0};
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status =
            done ? st_report_compare(&html, &size, both, 2, &err) : st_report_page(&html, &size, &f->shown, &err);
        st_alloc_fail_at(0);
        if (st_alloc_count() - before < n) {
            assert_int_equal(status, STRAIT_OK);
            st_free(html);
            done++;
            n = 0;
            continue;
        }
        if (status != STRAIT_MEMORY) fail_msg("allocation %d failing: %d %s", (int)n, status, err.message);
        assert_null(html);
    }
    free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(base64),
        cmocka_unit_test(words),
        cmocka_unit_test(a_whole_page),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(an_empty_run),
        cmocka_unit_test(no_locale),
        cmocka_unit_test(reconstructions_fit_the_page),
        cmocka_unit_test(images_shrink_within_their_cells),
        cmocka_unit_test(damaged_reconstructions),
        cmocka_unit_test(curves),
        cmocka_unit_test(a_chart),
        cmocka_unit_test(the_hourglass),
        cmocka_unit_test(a_comparison),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
