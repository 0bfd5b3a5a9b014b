/* Files a command writes: looked at before the work starts, so that nothing is lost after it. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli.h"

/* Can a file of this name be written? Its ending must be one of `endings` (".npy", NULL at the end), no other output of
   this call may be called so, its folder must take a new file (tried, as permissions do not tell of full or read-only
   disks). CLI_USAGE or CLI_FAILED after telling what is wrong. Leaves nothing behind. path: as the option has it. */
cli_exit cli_output_check(const char *path, const char *const *endings);

bool cli_ends_with(const char *text, const char *ending);

/* The results on stdout reached it: tells what went wrong and gives CLI_FAILED where not. result otherwise. */
cli_exit cli_output_finish(cli_exit result);

/* An array of samples first, ..., first + n - 1 of another one; borrows its values. */
strait_array cli_slice(const strait_array *array, int64_t first, int64_t n);

/* A copy of the samples row[0], ..., row[n - 1] of another array. The caller owns *out. Errors: MEMORY. */
strait_status cli_pick(strait_array **out, const strait_array *from, const int64_t *row, int64_t n, strait_error *err);

/* Brings stored values to 0..1 for showing, in place: u8 / 255, u16 / 65535, f32 as it is when it lies there already,
   else by its own range. */
void cli_to_unit(strait_array *array, const strait_data_info *info);

/* A sheet of n samples, `columns` a row. Rows of plain numbers are drawn as curves. */
strait_status cli_write_sheet(const char *path, const strait_array *array, int columns, strait_error *err);

#endif
