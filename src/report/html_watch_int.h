/* The reconstructions on a page. */
#ifndef ST_REPORT_HTML_WATCH_INT_H
#define ST_REPORT_HTML_WATCH_INT_H

#include "base/string.h"
#include "report/watched_int.h"

/* The images of a set, each once, under the ids PREFIX-o, PREFIX-i and PREFIX-EPOCH; cells refer to them. Nothing for
   curves. */
void st_html_watch_images(st_text *html, const st_watched_set *set, const char *prefix);
/* Cell i of the frame under id, or, for curves, the frame's curve over the original's. size in pixels. */
void st_html_watch_cell(st_text *html, const st_watched_set *set, const char *prefix, const st_watched_frame *frame,
                        int i, int size);
/* The section of a run's page. */
void st_html_reconstructions(st_text *html, const st_watched *watch);

#endif
