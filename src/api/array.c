/* strait_array_write: the format by the ending of the name. */
#include "base/array.h"
#include "base/string.h"
#include "report/sheet.h"

STRAIT_API strait_status strait_array_write(const strait_array *array, const char *path, strait_error *err) {
    if (!array || !path) return st_fail(err, STRAIT_ARGUMENT, "strait_array_write: array or path is NULL");
    if (st_ends_with(path, ".npy")) return st_npy_write(array, path, err);
    if (st_ends_with(path, ".csv")) return st_csv_write(array, path, err);
    if (st_ends_with(path, ".png")) return st_png_write_grid(path, array, err);
    return st_fail(err, STRAIT_ARGUMENT, "%s: cannot tell the format; end the name in .npy, .csv or .png", path);
}
