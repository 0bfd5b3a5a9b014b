/* What a recipe may say: one row a key. The parser, the writer, help and documentation read these tables. Here stand
   the recipe itself and its training; schema_data.c and schema_model.c hold the rest. */
#include "recipe/schema_int.h"

/* Rows are rows: not to be broken up. */
/* clang-format off */

/* ---- training ---- */

#define IN_OPTIMIZER(member) .offset = offsetof(st_optimizer, member)
#define LEARNING_RATE_KEY(value)                                                                                       \
    {                                                                                                                  \
        .name = "learning_rate", .type = ST_KEY_NUMBER, IN_OPTIMIZER(learning_rate), .above_low = true, RANGE(0, 1e3), \
        .fallback = (value), .doc = "size of a step"                                                                   \
    }

static const st_key sgd_keys[] = {
    LEARNING_RATE_KEY("0.01"),
    {.name = "momentum", .type = ST_KEY_NUMBER, IN_OPTIMIZER(momentum), RANGE(0, 1), .below_high = true,
     .fallback = "0", .doc = "share of the last step that is kept"},
    {.name = "nesterov", .type = ST_KEY_SWITCH, IN_OPTIMIZER(nesterov), .fallback = "false",
     .doc = "whether the gradient is taken after the momentum's step"},
};
#define DIVISOR_KEY                                                                                                    \
    {                                                                                                                  \
        .name = "epsilon", .type = ST_KEY_NUMBER, IN_OPTIMIZER(epsilon), RANGE(LEAST_DIVISOR, 1e3),                    \
        .fallback = "1e-7", .doc = "added to the divisor"                                                              \
    }
#define BETA_KEYS                                                                                                      \
    {.name = "beta_1", .type = ST_KEY_NUMBER, IN_OPTIMIZER(beta_1), RANGE(0, 1), .below_high = true,                   \
     .fallback = "0.9", .doc = "decay of the gradient's mean"},                                                        \
    {.name = "beta_2", .type = ST_KEY_NUMBER, IN_OPTIMIZER(beta_2), RANGE(0, 1), .below_high = true,                   \
     .fallback = "0.999", .doc = "decay of the squared gradient's mean"}
#define RHO_KEY(value)                                                                                                 \
    {                                                                                                                  \
        .name = "rho", .type = ST_KEY_NUMBER, IN_OPTIMIZER(rho), RANGE(0, 1), .below_high = true,                      \
        .fallback = (value), .doc = "decay of the squared gradient's mean"                                             \
    }
static const st_key adam_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    BETA_KEYS,
    DIVISOR_KEY,
};

static const st_key rmsprop_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    RHO_KEY("0.9"),
    {.name = "momentum", .type = ST_KEY_NUMBER, IN_OPTIMIZER(momentum), RANGE(0, 1), .below_high = true,
     .fallback = "0", .doc = "share of the last step that is kept"},
    DIVISOR_KEY,
    {.name = "centered", .type = ST_KEY_SWITCH, IN_OPTIMIZER(centered), .fallback = "false",
     .doc = "whether the gradient's mean is taken off its square's"},
};
static const st_key adagrad_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    {.name = "initial_accumulator", .type = ST_KEY_NUMBER, IN_OPTIMIZER(initial_accumulator), RANGE(0, 1e6),
     .fallback = "0.1", .doc = "where the sum of squared gradients starts"},
    DIVISOR_KEY,
};
static const st_key adadelta_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    RHO_KEY("0.95"),
    DIVISOR_KEY,
};
static const st_key adamw_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    {.name = "weight_decay", .type = ST_KEY_NUMBER, IN_OPTIMIZER(weight_decay), RANGE(0, 1e3), .fallback = "0.004",
     .doc = "kernels shrink by learning rate times this in a step"},
    BETA_KEYS,
    DIVISOR_KEY,
};

/* In the order of st_optimizer_kind. */
static const st_record optimizers[] = {
    {.name = "sgd", .path = "train.optimizer.sgd", KEYS(sgd_keys), .doc = "stochastic gradient descent"},
    {.name = "adam", .path = "train.optimizer.adam", KEYS(adam_keys), .doc = "Adam (Kingma and Ba 2015)"},
    {.name = "rmsprop", .path = "train.optimizer.rmsprop", KEYS(rmsprop_keys), .doc = "RMSprop (Hinton 2012)"},
    {.name = "adagrad", .path = "train.optimizer.adagrad", KEYS(adagrad_keys),
     .doc = "Adagrad (Duchi, Hazan and Singer 2011)"},
    {.name = "adadelta", .path = "train.optimizer.adadelta", KEYS(adadelta_keys), .doc = "Adadelta (Zeiler 2012)"},
    {.name = "adamw", .path = "train.optimizer.adamw", KEYS(adamw_keys),
     .doc = "Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)"},
    {.name = "nadam", .path = "train.optimizer.nadam", KEYS(adam_keys),
     .doc = "Adam with Nesterov's momentum (Dozat 2016)"},
};
_Static_assert(ST_OPTIMIZER_NADAM + 1 == COUNT(optimizers), "every optimizer has its row");

#define IN_TERM(member) .offset = offsetof(st_loss_settings, member)
#define WEIGHT_KEY                                                                                                     \
    {                                                                                                                  \
        .name = "weight", .type = ST_KEY_SLOPE, IN_TERM(weight), .above_low = true, RANGE(0, 1e9), .fallback = "1",    \
        .doc = "multiplies it"                                                                                         \
    }
static const st_key weight_keys[] = {WEIGHT_KEY};
static const st_key crossentropy_keys[] = {
    {.name = "from_logits", .type = ST_KEY_SWITCH, IN_TERM(from_logits), .fallback = "false",
     .doc = "whether the last layer's result is taken before a sigmoid, which the model then adds by itself"},
    WEIGHT_KEY,
};
static const st_key huber_keys[] = {
    {.name = "delta", .type = ST_KEY_SLOPE, IN_TERM(delta), .above_low = true, RANGE(0, 1e9), .fallback = "1",
     .doc = "where the square ends and the straight line begins"},
    WEIGHT_KEY,
};

/* In the order of st_loss_kind; from logits is a setting. */
static const st_record losses[] = {
    {.name = "mse", .path = "train.loss.mse", KEYS(weight_keys), .doc = "(y - x)^2"},
    {.name = "mae", .path = "train.loss.mae", KEYS(weight_keys), .doc = "abs(y - x)"},
    {.name = "binary_crossentropy", .path = "train.loss.binary_crossentropy", KEYS(crossentropy_keys),
     .doc = "-(x log y + (1 - x) log(1 - y)), y cut to [1e-7, 1 - 1e-7]"},
    {.name = "huber", .path = "train.loss.huber", KEYS(huber_keys),
     .doc = "d = abs(y - x): d^2 / 2 up to delta, from there delta (d - delta / 2)"},
};
_Static_assert(ST_LOSS_LOGITS == COUNT(losses), "every loss has its row");

#define IN_SCHEDULE(member) .offset = offsetof(st_schedule, member)
static const st_key step_keys[] = {
    {.name = "every", .type = ST_KEY_NUMBER, IN_SCHEDULE(every), .above_low = true, RANGE(0, MAX_EPOCHS),
     .required = true, .doc = "epochs between two changes"},
    {.name = "factor", .type = ST_KEY_NUMBER, IN_SCHEDULE(factor), .above_low = true, RANGE(0, 1), .fallback = "0.1",
     .doc = "what the learning rate is multiplied by"},
};
static const st_key exponential_keys[] = {
    {.name = "factor", .type = ST_KEY_NUMBER, IN_SCHEDULE(factor), .above_low = true, RANGE(0, 1), .fallback = "0.9",
     .doc = "what it is multiplied by in an epoch"},
};
static const st_key cosine_keys[] = {
    {.name = "final", .type = ST_KEY_NUMBER, IN_SCHEDULE(final), RANGE(0, 1), .fallback = "0",
     .doc = "the share of the learning rate that is left at the end"},
};
static const st_key one_cycle_keys[] = {
    {.name = "start", .type = ST_KEY_NUMBER, IN_SCHEDULE(start), RANGE(1, 1e9), .fallback = "25",
     .doc = "it begins at the learning rate divided by this"},
    {.name = "rise", .type = ST_KEY_NUMBER, IN_SCHEDULE(rise), .above_low = true, RANGE(0, 1), .below_high = true,
     .fallback = "0.3", .doc = "share of all steps in which it rises"},
    {.name = "final", .type = ST_KEY_NUMBER, IN_SCHEDULE(final), RANGE(1, 1e9), .fallback = "10000",
     .doc = "it ends at what it began with, divided by this"},
};

/* In the order of st_schedule_kind. */
static const st_record schedules[] = {
    {.name = "constant", .doc = "the optimizer's learning rate"},
    {.name = "step", .path = "train.schedule.step", KEYS(step_keys), .doc = "times factor after each `every` epochs"},
    {.name = "exponential", .path = "train.schedule.exponential", KEYS(exponential_keys),
     .doc = "times factor^epochs, the fraction of an epoch counted"},
    {.name = "cosine", .path = "train.schedule.cosine", KEYS(cosine_keys),
     .doc = "half a cosine, down to final times it (Loshchilov and Hutter 2017)"},
    {.name = "one_cycle", .path = "train.schedule.one_cycle", KEYS(one_cycle_keys),
     .doc = "up to it and down again, both by half a cosine (Smith 2018)"},
};
_Static_assert(ST_SCHEDULE_ONE_CYCLE + 1 == COUNT(schedules), "every schedule has its row");

#define PENALTY_KEYS(member)                                                                                           \
    {.name = "l1", .type = ST_KEY_NUMBER, IN_RECIPE(train.member##_l1), RANGE(0, 1e6), .doc = "times the sum of abs(x)"}, \
    {.name = "l2", .type = ST_KEY_NUMBER, IN_RECIPE(train.member##_l2), RANGE(0, 1e6), .doc = "times the sum of x^2"}
static const st_key weight_penalty_keys[] = {PENALTY_KEYS(weight)};
static const st_key latent_penalty_keys[] = {PENALTY_KEYS(latent)};
static const st_record weight_penalties[] = {
    {.name = "weights", .path = "train.penalty.weights", KEYS(weight_penalty_keys), .doc = "of the kernels"},
};
static const st_record latent_penalties[] = {
    {.name = "latent", .path = "train.penalty.latent", KEYS(latent_penalty_keys), .doc = "of a sample's latent"},
};
static const st_key penalty_keys[] = {
    {.name = "weights", .type = ST_KEY_SECTION, .offset = 0, ROWS(weight_penalties), .doc = "of the kernels: {l1, l2}"},
    {.name = "latent", .type = ST_KEY_SECTION, .offset = 0, ROWS(latent_penalties),
     .doc = "of each sample's latent (a sparse autoencoder): {l1, l2}"},
};
static const st_record penalties[] = {
    {.name = "penalty", .path = "train.penalty", KEYS(penalty_keys), .doc = "added to the loss"},
};

static const st_key plateau_keys[] = {
    {.name = "factor", .type = ST_KEY_NUMBER, IN_RECIPE(train.reduce_lr_on_plateau.factor), .above_low = true,
     RANGE(0, 1), .below_high = true, .fallback = "0.1", .doc = "what the learning rate is multiplied by"},
    {.name = "patience", .type = ST_KEY_INTEGER, IN_RECIPE(train.reduce_lr_on_plateau.patience), RANGE(1, MAX_EPOCHS),
     .fallback = "10", .doc = "epochs without improvement before it is"},
    {.name = "min_delta", .type = ST_KEY_NUMBER, IN_RECIPE(train.reduce_lr_on_plateau.min_delta), RANGE(0, 1e6),
     .fallback = "0.0001", .doc = "less than this is no improvement"},
    {.name = "cooldown", .type = ST_KEY_INTEGER, IN_RECIPE(train.reduce_lr_on_plateau.cooldown), RANGE(0, MAX_EPOCHS),
     .fallback = "0", .doc = "epochs after a change that do not count"},
    {.name = "min_lr", .type = ST_KEY_NUMBER, IN_RECIPE(train.reduce_lr_on_plateau.min_rate), RANGE(0, 1e3),
     .fallback = "0", .doc = "the learning rate goes no lower"},
};
static const st_record plateaus[] = {
    {.name = "reduce_lr_on_plateau", .path = "train.reduce_lr_on_plateau", KEYS(plateau_keys),
     .doc = "lowers the learning rate when the validation loss no longer falls"},
};

static const st_key early_stopping_keys[] = {
    {.name = "patience", .type = ST_KEY_INTEGER, IN_RECIPE(train.early_stopping.patience), RANGE(1, MAX_EPOCHS),
     .required = true, .doc = "epochs without improvement before it stops"},
    {.name = "min_delta", .type = ST_KEY_NUMBER, IN_RECIPE(train.early_stopping.min_delta), RANGE(0, 1e6),
     .fallback = "0", .doc = "less than this is no improvement"},
    {.name = "restore_best", .type = ST_KEY_SWITCH, IN_RECIPE(train.early_stopping.restore_best),
     .fallback = "false", .doc = "whether the best epoch's weights are the result, not the last's"},
};
static const st_record early_stoppings[] = {
    {.name = "early_stopping", .path = "train.early_stopping", KEYS(early_stopping_keys),
     .doc = "stops when the validation loss no longer falls"},
};

static const st_key train_keys[] = {
    {.name = "loss", .type = ST_KEY_LOSS, IN_RECIPE(train.loss), POS_IN_RECIPE(train.loss_pos), ROWS(losses),
     .fallback = "mse", .doc = "what is made small"},
    {.name = "optimizer", .type = ST_KEY_OPTIMIZER, IN_RECIPE(train.optimizer), POS_IN_RECIPE(train.optimizer_pos),
     ROWS(optimizers), .fallback = "adam", .doc = "how"},
    {.name = "schedule", .type = ST_KEY_SCHEDULE, IN_RECIPE(train.schedule), ROWS(schedules), .fallback = "constant",
     .doc = "how the learning rate moves"},
    {.name = "reduce_lr_on_plateau", .type = ST_KEY_SECTION, .offset = 0,
     .beside = offsetof(strait_recipe, train.reduce_lr_on_plateau.on), ROWS(plateaus),
     .doc = "lowers the learning rate when the validation loss no longer falls"},
    {.name = "clip_norm", .type = ST_KEY_NUMBER, IN_RECIPE(train.clip_norm), RANGE(0, 1e9),
     .doc = "largest Euclidean norm of all gradients together"},
    {.name = "clip_value", .type = ST_KEY_NUMBER, IN_RECIPE(train.clip_value), RANGE(0, 1e9),
     .doc = "largest size of each gradient"},
    {.name = "weight_decay", .type = ST_KEY_NUMBER, IN_RECIPE(train.weight_decay), RANGE(0, 1e3),
     .doc = "kernels shrink by learning rate times this in a step, whatever the optimizer"},
    {.name = "penalty", .type = ST_KEY_SECTION, .offset = 0, ROWS(penalties), .doc = "added to the loss"},
    {.name = "epochs", .type = ST_KEY_INTEGER, IN_RECIPE(train.epochs), RANGE(1, MAX_EPOCHS), .fallback = "10",
     .doc = "passes over the training samples"},
    {.name = "batch_size", .type = ST_KEY_INTEGER, IN_RECIPE(train.batch_size), RANGE(1, MAX_BATCH),
     .fallback = "32", .doc = "samples in a step"},
    {.name = "shuffle", .type = ST_KEY_SWITCH, IN_RECIPE(train.shuffle), .fallback = "true",
     .doc = "whether each epoch has its own order"},
    {.name = "early_stopping", .type = ST_KEY_SECTION, .offset = 0,
     .beside = offsetof(strait_recipe, train.early_stopping.on), ROWS(early_stoppings),
     .doc = "stops when the validation loss no longer falls"},
    {.name = "threads", .type = ST_KEY_INTEGER, IN_RECIPE(train.threads), RANGE(1, MAX_THREADS),
     .doc = "worker threads; left out: as many as the machine gives"},
    {.name = "micro_batch", .type = ST_KEY_INTEGER, IN_RECIPE(train.micro_batch), RANGE(1, MAX_BATCH),
     .doc = "samples a worker computes at once; left out: by rule"},
};

static const st_key watch_keys[] = {
    {.name = "reconstructions", .type = ST_KEY_INTEGER, IN_RECIPE(watch.reconstructions), RANGE(0, MAX_WATCHED),
     .doc = "so many samples, of training and of validation, are reconstructed and kept after each epoch"},
};

static const st_key sweep_keys[] = {
    {.name = "vary", .type = ST_KEY_TEXTS, IN_RECIPE(sweep.vary), .beside = offsetof(strait_recipe, sweep.n_vary),
     .doc = "keys and what they take: [train.batch_size=32,64, model.latent=5..10]"},
    {.name = "trials", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.trials), RANGE(1, MAX_TRIALS),
     .doc = "random draws; left out: the whole grid"},
    {.name = "seed", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.seed), RANGE(0, MAX_SEED),
     .doc = "of the draws; left out: 0"},
    {.name = "halving", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.halving), RANGE(2, 100),
     .doc = "successive halving goes on with the best one of so many; left out: none is stopped"},
    {.name = "min_epochs", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.min_epochs), RANGE(1, MAX_EPOCHS),
     .doc = "epochs before a trial may be stopped; left out: 1"},
    {.name = "against_pca", .type = ST_KEY_TEXT, IN_RECIPE(sweep.against_pca),
     .doc = "data on which every trial is measured against principal components"},
};

/* ---- the recipe ---- */

static const st_record train_record[] = {{.name = "train", .path = "train", KEYS(train_keys), .doc = "how to train"}};

static const st_record watch_record[] = {
    {.name = "watch", .path = "watch", KEYS(watch_keys), .doc = "what is kept while training"},
};

static const st_record sweep_record[] = {
    {.name = "sweep", .path = "sweep", KEYS(sweep_keys), .doc = "what strait sweep varies"},
};

static const st_key recipe_keys[] = {
    {.name = "name", .type = ST_KEY_TEXT, IN_RECIPE(name), .doc = "names the runs; left out: the file's name"},
    {.name = "seed", .type = ST_KEY_INTEGER, IN_RECIPE(seed), RANGE(0, MAX_SEED), .fallback = "42",
     .doc = "decides all that is random"},
    {.name = "data", .type = ST_KEY_SECTION, .offset = 0, POS_IN_RECIPE(data.pos), ROWS(st_data_schema),
     .doc = "what to train on"},
    {.name = "model", .type = ST_KEY_SECTION, .offset = 0, POS_IN_RECIPE(model.pos), ROWS(st_model_schema),
     .required = true, .doc = "the network"},
    {.name = "train", .type = ST_KEY_SECTION, .offset = 0, POS_IN_RECIPE(train.pos), ROWS(train_record),
     .doc = "how to train"},
    {.name = "watch", .type = ST_KEY_SECTION, .offset = 0, ROWS(watch_record), .doc = "what is kept while training"},
    {.name = "sweep", .type = ST_KEY_SECTION, .offset = 0, ROWS(sweep_record), .doc = "what strait sweep varies"},
};

/* clang-format on */

const st_record *st_recipe_schema(void) {
    static const st_record recipe = {.name = "recipe", .path = "", KEYS(recipe_keys), .doc = "a recipe"};
    return &recipe;
}

const char *st_optimizer_name(st_optimizer_kind kind) {
    return optimizers[kind].name;
}
