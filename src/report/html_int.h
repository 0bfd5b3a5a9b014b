/* Pages: a text that escapes what it is given, and the frame around it. Whatever comes from a run (names, paths,
   recipes, messages) goes through st_html_escape, never through st_text_add. */
#ifndef ST_REPORT_HTML_INT_H
#define ST_REPORT_HTML_INT_H

#include <stddef.h>
#include "base/string.h"
#include "report/report.h"

/* Memory ran out beside the page: the page fails, as if it had been in an append. */
void st_html_fail(st_text *html);
/* Appends text for an element's content or a quoted attribute: & < > " ' are escaped; what is not UTF-8 and control
   characters become U+FFFD. NULL: nothing. */
void st_html_escape(st_text *html, const char *text);
/* Appends a JSON string with its quotes, safe inside <script>: < > & are \u escapes. Bad bytes as st_html_escape. */
void st_html_json(st_text *html, const char *text);
/* <name class="class">text</name>; class NULL: none. */
void st_html_element(st_text *html, const char *name, const char *class, const char *text);
/* Appends bytes in base64. */
void st_html_base64(st_text *html, const void *bytes, size_t n);

/* From <!doctype> to the beginning of <main>; title is escaped here. n_links entries of the navigation: pairs of
   the section's id and the words shown. */
void st_html_begin(st_text *html, const char *title, int n_links, const char *const (*link)[2]);
void st_html_end(st_text *html);

/* <section id> with its heading; close with "</section>". */
void st_html_section(st_text *html, const char *id, const char *heading);
/* A quiet paragraph: why something is not shown. */
void st_html_missing(st_text *html, const char *what, const char *why);
/* Rows of a table of two columns: <tr><th>key<td>value. */
void st_html_row(st_text *html, const char *key, const char *value);
/* One of the large figures at the top. note may be NULL. */
void st_html_figure(st_text *html, const char *value, const char *label, const char *note);

/* A value of the settings, or NULL. */
const char *st_setting_find(const st_report_run *run, const char *key);
/* A key and all below it in words: "adam: learning_rate 0.001 · beta_1 0.9"; false where there is none. */
bool st_setting_describe(st_text *words, const st_report_run *run, const char *key);
/* Whether two runs may differ in this key without being different experiments: how it was computed. */
bool st_setting_is_plan(const char *key);

/* Sections of a run's page; html_run.c calls them in order. Each begins with st_html_section and closes it. */
void st_html_diagnosis(st_text *html, const st_report_run *run);
void st_html_loss(st_text *html, const st_report_run *run);
void st_html_errors(st_text *html, const st_report_run *run);
strait_status st_html_model(st_text *html, const st_report_run *run, strait_error *err);
void st_html_weights(st_text *html, const st_report_run *run);
strait_status st_html_activations(st_text *html, const st_report_run *run, strait_error *err);
void st_html_settings(st_text *html, const st_report_run *run);
void st_html_data(st_text *html, const st_report_run *run);

/* The best epoch's row by validation loss, else loss; -1 without epochs. */
int st_history_best(const st_history_row *row, int n);

/* page.css and page.js, embedded by the build. */
extern const unsigned char st_page_css[], st_page_js[];
extern const size_t st_page_css_size, st_page_js_size;

#endif
