#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *cli_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_text(const char *text) {
    if (!text) return json_null();
    json_t *string = json_string(text); /* NULL also when it is not UTF-8 */
    if (string) return string;
    char *plain = strdup(text);
    if (!plain) return NULL;
    for (char *at = plain; *at; at++)
        if ((unsigned char)*at >= 128) *at = '?';
    string = json_string(plain);
    free(plain);
    return string;
}

json_t *cli_json_reals(const double *value, int n, double factor) {
    json_t *array = json_array();
    for (int i = 0; array && i < n; i++)
        if (json_array_append_new(array, cli_json_real(value[i] * factor)) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

json_t *cli_json_shape(int n_dims, const int64_t *dim) {
    json_t *shape = json_array();
    for (int i = 0; shape && i < n_dims; i++) {
        if (json_array_append_new(shape, json_integer(dim[i])) == 0) continue;
        json_decref(shape);
        return NULL;
    }
    return shape;
}

void cli_json_add_files(json_t *object, const cli_args *args, const char *const *option) {
    for (; object && *option; option++)
        if (cli_text(args, *option)) json_object_set_new(object, *option, cli_json_text(cli_text(args, *option)));
}

/* Jansson leaves DEL and C1's control characters as they are, which what is printed must not hold (terminal.h). In its
   text, which is UTF-8, they stand in strings alone. */
static void print_escaped(const char *text) {
    for (const char *at = text; *at; at++) {
        const unsigned char c = (unsigned char)at[0], next = (unsigned char)at[1];
        const bool of_c1 = c == 0xc2 && next < 0xa0;
        if (of_c1 || c == 0x7f)
            printf("\\u%04x", (unsigned)(of_c1 ? next : c));
        else
            putchar(at[0]);
        at += of_c1;
    }
    putchar('\n');
}

cli_exit cli_json_print(json_t *object) {
    char *text = object ? json_dumps(object, JSON_PRESERVE_ORDER) : NULL;
    json_decref(object);
    if (!text) return cli_no_memory();
    print_escaped(text);
    free(text);
    return CLI_OK;
}
