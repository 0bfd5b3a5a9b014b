/* Inside the data room: a data set is a view of a source. */
#ifndef ST_DATA_DATA_INT_H
#define ST_DATA_DATA_INT_H

#include "data/data.h"
#include "data/reader.h"

/* Sample i of the data set is sample index[i] of the source, or first + i without an index. */
struct strait_data {
    char *name;        /* as opened: "mnist#test" */
    st_source *source; /* shared with other views */
    int64_t first, n;
    uint32_t *index;       /* [n], the data set's own, or NULL */
    st_source *again;      /* the same file read as a recipe wanted it, kept for the next time; or NULL */
    bool described;        /* the rest is filled in */
    strait_data_info info; /* its label arrays belong to the data set */
};

/* As strait_data_open, a file with the labels that label names (st_source_options); NULL: wherever they usually are. */
strait_status st_data_open(strait_data **out, const char *source, const char *label, strait_error *err);

/* A data set of everything in source. Takes the reference whatever comes. */
strait_status st_data_new(strait_data **out, st_source *source, const char *name, strait_error *err);

static inline int64_t st_data_source_sample(const strait_data *data, int64_t i) {
    return data->index ? data->index[i] : data->first + i;
}

/* The samples of like, which views a source in the same order as source, in source. Takes the reference whatever comes.
 */
strait_status st_data_view(strait_data **out, st_source *source, const strait_data *like, strait_error *err);

/* data, or the same samples of its table as read with the recipe's column of labels; the caller's. Errors: those of
   st_source_open. */
strait_status st_data_relabel(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err);

/* Whether the samples are rows that the caller handed over, resized or not. */
bool st_source_is_rows(const st_source *source);

/* RECIPE where data.augment meets samples that are not images. */
strait_status st_data_check_augment(const strait_data *data, const strait_recipe *recipe, strait_error *err);

/* RECIPE of a watermark likewise, and where data.label meets images, which have no columns. */
strait_status st_data_check_corrupt(const strait_data *data, const strait_recipe *recipe, strait_error *err);
strait_status st_data_check_label(const strait_data *data, const strait_recipe *recipe, strait_error *err);

/* Puts the place in the recipe that led to it before the message of a failure; gives status back. */
strait_status st_data_blame(strait_error *err, strait_status status, st_pos pos);

/* Fits what the recipe scales by feature on prepared training data, into recipe->data.offsets and factors; nothing
   where that is not asked for or done already. Errors: RECIPE (too many features), those of reading, MEMORY. */
strait_status st_data_fit_features(strait_recipe *recipe, const strait_data *data, strait_error *err);

/* Chooses n_validation samples of data as data.split has it: *order [data->n] is the caller's, first those to train on,
   then those that validate, each in the order of the data. Errors: RECIPE (stratified without labels), MEMORY. */
strait_status st_data_draw_validation(uint32_t **order, const strait_data *data, int64_t n_validation,
                                      const strait_recipe *recipe, strait_error *err);

/* Opens "A + B" (channels of several, side by side) and "A -> B" (inputs and their targets); *found is false, and
   nothing else done, when source is neither. Errors: SHAPE (sizes that do not fit), FORMAT (counts and names that do
   not), those of strait_data_open. */
strait_status st_joined_open(strait_data **out, bool *found, const char *source, strait_error *err);
/* What stands around the parts. */
#define ST_JOIN " + "
#define ST_PAIR " -> "

/* ARGUMENT unless data has samples [first, first + n). */
strait_status st_data_check_range(const strait_data *data, int64_t first, int64_t n, strait_error *err);

/* Opens split (NULL: the training part) of the known data set of this name; *known is false, and nothing else done,
   when there is none of this name. source is what the data set will be called. Errors as strait_data_open. */
strait_status st_known_open(strait_data **out, bool *known, const char *source, const char *name, const char *split,
                            strait_error *err);

/* Opens split of a folder that holds the files of a known data set; *known as above. */
strait_status st_known_open_folder(strait_data **out, bool *known, const char *source, const char *folder,
                                   const char *split, strait_error *err);

/* The known name nearest to name, or NULL. */
const char *st_known_nearest(const char *name);
/* All known names, commas between, static storage. */
#define ST_KNOWN_NAMES "cifar10, ecg5000, fashion-mnist, mnist"

/* *out: name in the first data folder that has it, the caller's; NULL when none has. Errors: MEMORY. */
strait_status st_find_in_data_folders(char **out, const char *name, strait_error *err);

#endif
