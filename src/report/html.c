#include "report/html_int.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- escaping ---- */

/* The length of the UTF-8 sequence at text, or 0: stray, cut short, overlong, a surrogate, beyond Unicode. */
static size_t sequence(const unsigned char *text) {
    if (text[0] < 0x80) return 1;
    const size_t n = text[0] >= 0xc2 && text[0] < 0xe0   ? 2
                     : (text[0] & 0xf0) == 0xe0          ? 3
                     : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                                         : 0;
    for (size_t i = 1; i < n; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    if (n == 3 && ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0))) return 0;
    if (n == 4 && ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90))) return 0;
    return n;
}

static bool is_control(unsigned char c) {
    return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
}

void st_html_fail(st_text *html) {
    st_text_free(html);
    html->failed = true;
}

void st_html_escape(st_text *html, const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; at && *at;) {
        const size_t n = sequence(at);
        const char *entity = n == 0 || is_control(*at) ? "\xef\xbf\xbd"
                             : *at == '&'              ? "&amp;"
                             : *at == '<'              ? "&lt;"
                             : *at == '>'              ? "&gt;"
                             : *at == '"'              ? "&quot;"
                             : *at == '\''             ? "&#39;"
                                                       : NULL;
        if (entity)
            st_text_add_bytes(html, entity, strlen(entity));
        else
            st_text_add_bytes(html, at, n);
        at += n ? n : 1;
    }
}

void st_html_json(st_text *html, const char *text) {
    st_text_add(html, "\"");
    for (const unsigned char *at = (const unsigned char *)text; at && *at;) {
        const size_t n = sequence(at);
        if (n == 0)
            st_text_add(html, "\\ufffd");
        else if (*at < 0x20 || *at == 0x7f || strchr("<>&\"\\'", *at))
            st_text_add(html, "\\u%04x", (unsigned)*at);
        else
            st_text_add_bytes(html, at, n);
        at += n ? n : 1;
    }
    st_text_add(html, "\"");
}

void st_html_element(st_text *html, const char *name, const char *class, const char *text) {
    st_text_add(html, class ? "<%s class=\"%s\">" : "<%s>", name, class);
    st_html_escape(html, text);
    st_text_add(html, "</%s>", name);
}

void st_html_base64(st_text *html, const void *bytes, size_t n) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes;
    char line[1024];
    size_t length = 0;
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint32_t three =
            (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
        line[length++] = digit[three >> 18];
        line[length++] = digit[three >> 12 & 63];
        line[length++] = left > 1 ? digit[three >> 6 & 63] : '=';
        line[length++] = left > 2 ? digit[three & 63] : '=';
        if (length + 4 > sizeof line) {
            st_text_add_bytes(html, line, length);
            length = 0;
        }
    }
    st_text_add_bytes(html, line, length);
}

/* ---- the frame ---- */

/* Nothing may be fetched, whatever a name smuggled in would ask for; what the page needs is inside it. */
#define POLICY                                                                                                         \
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; "      \
    "form-action 'none'"

void st_html_begin(st_text *html, const char *title, int n_links, const char *const (*link)[2]) {
    st_text_add(html, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"" POLICY "\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n");
    st_html_element(html, "title", NULL, title);
    st_text_add(html, "\n<style>\n");
    st_text_add_bytes(html, st_page_css, st_page_css_size);
    st_text_add(html, "</style>\n</head>\n<body>\n<nav aria-label=\"sections\"><ul>");
    for (int i = 0; i < n_links; i++)
        st_text_add(html, "<li><a href=\"#%s\">%s</a></li>", link[i][0], link[i][1]);
    st_text_add(html, "</ul></nav>\n<main>\n");
}

void st_html_end(st_text *html) {
    st_text_add(html, "</main>\n<footer>Made by strait from the files of the run. The page holds all it shows and asks "
                      "nothing of a network.</footer>\n<script>\n");
    st_text_add_bytes(html, st_page_js, st_page_js_size);
    st_text_add(html, "</script>\n</body>\n</html>\n");
}

/* ---- pieces ---- */

void st_html_section(st_text *html, const char *id, const char *heading) {
    st_text_add(html, "<section id=\"%s\">\n", id);
    st_html_element(html, "h2", NULL, heading);
    st_text_add(html, "\n");
}

void st_html_missing(st_text *html, const char *what, const char *why) {
    st_text_add(html, "<p class=\"missing\">");
    st_html_escape(html, what);
    if (why && why[0]) {
        st_text_add(html, ": ");
        st_html_escape(html, why);
    }
    st_text_add(html, ".</p>\n");
}

void st_html_row(st_text *html, const char *key, const char *value) {
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, key);
    st_html_element(html, "td", NULL, value);
    st_text_add(html, "</tr>\n");
}

void st_html_figure(st_text *html, const char *value, const char *label, const char *note) {
    st_text_add(html, "<div class=\"figure\">");
    st_html_element(html, "b", NULL, value);
    st_html_element(html, "span", NULL, label);
    if (note && note[0]) st_html_element(html, "small", NULL, note);
    st_text_add(html, "</div>\n");
}
