/* Every mistake gets one line that names the place, the key and the mend: the messages as people read them. */
#include "recipe_check.h"

typedef struct mistake {
    const char *yaml, *message;
} mistake;

static const mistake mistakes[] = {
    /* the document */
    {"", "r.yaml: is empty: a recipe has at least a 'model'"},
    {"# nothing\n", "r.yaml: is empty: a recipe has at least a 'model'"},
    {"hello\n", "r.yaml:1:1: a recipe is a map of keys: name, seed, data, model, train, watch, sweep"},
    {"- a\n", "r.yaml:1:1: a recipe is a map of keys: name, seed, data, model, train, watch, sweep"},
    {"name: a\n", "r.yaml: the recipe needs 'model': the network"},
    {MODEL "---\nname: b\n", "r.yaml:5:1: a second YAML document begins here: a recipe is one"},
    {"seed: &s 1\n" MODEL,
     "r.yaml:1:7: anchors ('&s') are not part of recipes: write the value out where it is needed"},
    {"seed: *s\n" MODEL, "r.yaml:1:7: aliases ('*s') are not part of recipes: write the value out (a text that begins "
                         "with '*' needs quotes)"},
    {"seed: !!int 1\n" MODEL, "r.yaml:1:7: tags ('tag:yaml.org,2002:int') are not part of recipes: leave it out"},
    {"seed: 1\nname: a\nseed: 2\n" MODEL, "r.yaml:3:1: key 'seed' is given twice, first in line 1; keep one"},
    {"[a]: 1\n", "r.yaml:1:1: a key must be a word, not a list or a map"},
    {"name: \"a\\0b\"\n" MODEL, "r.yaml:1:7: a text with a NUL character in it"},
    {"name: [a\nseed: 1\n", "r.yaml:2:5: not valid YAML: while parsing a flow sequence that begins in line 1, did not "
                            "find expected ',' or ']'"},
    {"data:\n\tsource: a\n", "r.yaml:2:1: not valid YAML: while scanning for the next token, found character that "
                             "cannot start any token (a tab: indent with spaces)"},
    {"name: \xff\n", "r.yaml:1:7: not a YAML text: invalid leading UTF-8 octet"},
    {"name: a\nseed: ü\xff\n", "r.yaml:2:8: not a YAML text: invalid leading UTF-8 octet"},
    /* unknown keys */
    {"trian:\n  epochs: 3\n" MODEL, "r.yaml:1:1: unknown key 'trian'; did you mean 'train'?"},
    {"foo: 1\n" MODEL, "r.yaml:1:1: unknown key 'foo'; there are: name, seed, data, model, train, watch, sweep"},
    {MODEL "train:\n  epoch: 3\n", "r.yaml:6:3: unknown key 'epoch' in train; did you mean 'epochs'?"},
    {MODEL "train:\n  batchSize: 3\n", "r.yaml:6:3: unknown key 'batchSize' in train; did you mean 'batch_size'?"},
    {"model:\n  input: [4]\n  encoder:\n    - dense: {unit: 2}\n", "r.yaml:4:15: unknown key 'unit' in dense; did you "
                                                                   "mean 'units'?"},
    {MODEL "train: {optimizer: {adam: {lr: 1}}}\n",
     "r.yaml:5:28: unknown key 'lr' in train.optimizer.adam; there are: learning_rate, beta_1, beta_2, epsilon"},
    {MODEL "data: {augmented: 2, x: 1}\n", "r.yaml:5:8: unknown key 'augmented' in data; did you mean 'augment'?"},
    {MODEL "data: {augment: {flip: true}}\n",
     "r.yaml:5:24: unknown flip 'true'; there are: none, horizontal, vertical, both"},
    /* missing, empty, of a wrong type */
    {"model:\n  input: [4]\n", "r.yaml:2:3: model needs 'encoder': layers from the input to the latent"},
    {"model:\n  input: [4]\n  encoder: [dense]\n", "r.yaml:3:13: dense needs 'units': values it gives"},
    {"model:\n  input: [4]\n  encoder:\n    - dense: {units: 2, bias: false, bias_start: 1}\n",
     "r.yaml:4:7: bias_start is given and bias is false; leave one of them out"},
    {"model: ~\n", "r.yaml: the recipe needs 'model': the network"},
    {"model:\n", "r.yaml:1:7: model is empty: give it a value, or leave the key out"},
    {"model: 3\n", "r.yaml:1:8: model must be a map of keys, as {input: ...}, not a single value"},
    {"model: [3]\n", "r.yaml:1:8: model must be a map of keys, as {input: ...}, not a list"},
    {MODEL "train:\n  epochs:\n", "r.yaml:6:10: train.epochs is empty: give it a value, or leave the key out"},
    {MODEL "train:\n  epochs: ten\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not 'ten'"},
    {MODEL "train:\n  epochs: 1.5\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '1.5'"},
    {MODEL "train:\n  epochs: 10.0\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '10.0'"},
    {MODEL "train:\n  epochs: \"10\"\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '10' in quotes"},
    {MODEL "train:\n  epochs: [10]\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not a list of 1"},
    {MODEL "train:\n  epochs: {n: 1}\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not a map"},
    {MODEL "train:\n  epochs: 0\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '0'"},
    {MODEL "train:\n  epochs: -3\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '-3'"},
    {MODEL "train:\n  epochs: 1000001\n", "r.yaml:6:11: train.epochs must be at most 1000000, not '1000001'"},
    {MODEL "train:\n  epochs: 99999999999999999999\n",
     "r.yaml:6:11: train.epochs must be at most 1000000, not '99999999999999999999'"},
    {MODEL "train:\n  batch_size: 1048577\n", "r.yaml:6:15: train.batch_size must be at most 1048576, not '1048577'"},
    {MODEL "train:\n  shuffle: yes\n", "r.yaml:6:12: train.shuffle must be true or false, not 'yes'"},
    {MODEL "train:\n  shuffle: 1\n", "r.yaml:6:12: train.shuffle must be true or false, not '1'"},
    {MODEL "train:\n  early_stopping: {}\n",
     "r.yaml:6:19: train.early_stopping needs 'patience': epochs without improvement before it stops"},
    {MODEL "train:\n  threads: 0\n", "r.yaml:6:12: train.threads must be a whole number ≥ 1, not '0'"},
    {"seed: -1\n" MODEL, "r.yaml:1:7: seed must be a whole number ≥ 0, not '-1'"},
    {"name: a/b\n" MODEL,
     "r.yaml:1:7: name must be up to 100 letters, digits, '.', '_' or '-', the first no '.' or '-' "
     "(it names folders), not 'a/b'"},
    {"name: ..\n" MODEL, "r.yaml:1:7: name must be up to 100 letters, digits, '.', '_' or '-', the first no '.' or '-' "
                         "(it names folders), not '..'"},
    {"name: [a]\n" MODEL, "r.yaml:1:7: name must be a text, not a list of 1"},
    /* words */
    {MODEL "train:\n  loss: mes\n", "r.yaml:6:9: unknown loss 'mes'; did you mean 'mse'?"},
    {MODEL "train:\n  loss: hinge\n",
     "r.yaml:6:9: unknown loss 'hinge'; there are: mse, mae, binary_crossentropy, huber"},
    {MODEL "train:\n  optimizer: adamm\n", "r.yaml:6:14: unknown optimizer 'adamm'; did you mean 'adam'?"},
    {MODEL "train:\n  optimizer: {lbfgs: {}}\n", "r.yaml:6:15: unknown optimizer 'lbfgs'; there are: sgd, adam, "
                                                 "rmsprop, adagrad, adadelta, adamw, nadam"},
    {MODEL "train:\n  optimizer: {}\n", "r.yaml:6:14: optimizer: one optimizer must stand here, not an empty map"},
    {MODEL "train:\n  optimizer: {sgd: {}, adam: {}}\n", "r.yaml:6:24: 'adam' beside 'sgd': name one optimizer"},
    {MODEL "train:\n  optimizer: {sgd: {nesterov: true}}\n",
     "r.yaml:6:14: nesterov: true needs a momentum above 0, 0.9 for one"},
    {MODEL "train:\n  optimizer: {adam: {learning_rate: 0}}\n",
     "r.yaml:6:37: train.optimizer.adam.learning_rate must be a number > 0 and ≤ 1000, not '0'"},
    {MODEL "train:\n  optimizer: {adam: {beta_1: 1}}\n",
     "r.yaml:6:30: train.optimizer.adam.beta_1 must be a number ≥ 0 and < 1, not '1'"},
    {MODEL "train:\n  optimizer: {adam: {beta_1: .nan}}\n",
     "r.yaml:6:30: train.optimizer.adam.beta_1 must be a number ≥ 0 and < 1, not '.nan'"},
    /* data */
    {MODEL "data: {validation: 1}\n",
     "r.yaml:5:20: data.validation must be a fraction between 0 and 1, or the name of a split, not '1'"},
    {MODEL "data: {validation: 0}\n",
     "r.yaml:5:20: data.validation must be a fraction between 0 and 1, or the name of a split, not '0'"},
    {MODEL "data: {validation: [0.1]}\n",
     "r.yaml:5:20: data.validation must be a fraction between 0 and 1, or the name of a split, not a list of 1"},
    {MODEL "data: {scale: log}\n", "r.yaml:5:15: unknown scale 'log'; there are: unit, none, minmax, standard"},
    {MODEL "data: {scale: {minmax: {offset: 1, factor: 0}}}\n",
     "r.yaml:5:44: data.scale.minmax.factor must be a number > 0, not '0'"},
    {MODEL "data: {corrupt: 0.2}\n",
     "r.yaml:5:17: data.corrupt must be a map of keys, as {gaussian: ...}, not a single value"},
    {MODEL "data: {corrupt: {clip: [0, 1]}}\n",
     "r.yaml:5:17: data.corrupt needs one of: gaussian, speckle, salt_pepper, "
     "mask, blocks, watermark"},
    {MODEL "data: {corrupt: {watermark: {opacity: 0.1}}}\n",
     "r.yaml:5:29: data.corrupt.watermark needs one: text or image"},
    {MODEL "data: {corrupt: {watermark: {text: a, image: b}}}\n",
     "r.yaml:5:29: data.corrupt.watermark needs one of both: text or image"},
    {MODEL "data: {corrupt: {watermark: {text: \xc3\xa4}}}\n",
     "r.yaml:5:29: data.corrupt.watermark.text can be drawn in ASCII alone; give an image for more"},
    {MODEL "data: {corrupt: {watermark: {text: a, opacity: 0}}}\n",
     "r.yaml:5:48: data.corrupt.watermark.opacity must be a number > 0 and ≤ 1, not '0'"},
    {MODEL "data: {corrupt: {blocks: {share: 0.5}}}\n",
     "r.yaml:5:26: data.corrupt.blocks needs 'size': of a block: n or [height, width]; of rows the width counts"},
    {MODEL "data: {corrupt: {speckle: -1}}\n",
     "r.yaml:5:27: data.corrupt.speckle must be a number ≥ 0 and ≤ 1000000, not '-1'"},
    {MODEL "data: {crop: [8]}\n",
     "r.yaml:5:14: data.crop must be a whole number, [height, width] or {top, left, height, width}, not a list of 1"},
    {MODEL "data: {crop: 0}\n", "r.yaml:5:14: data.crop must be a whole number ≥ 1, not '0'"},
    {MODEL "data: {crop: {top: 1, left: 2, height: 8}}\n", "r.yaml:5:14: data.crop needs 'width': its columns"},
    {MODEL "data: {channels: grey}\n", "r.yaml:5:18: unknown channels 'grey'; did you mean 'gray'?"},
    {MODEL "data: {channels: [64]}\n", "r.yaml:5:19: data.channels must be at most 63, not '64'"},
    {MODEL "data: {split: striped}\n",
     "r.yaml:5:15: unknown split 'striped'; there are: last, shuffled, stratified, shards"},
    {MODEL "data: {augment: {elastic: {alpha: 3}}}\n",
     "r.yaml:5:27: data.augment.elastic needs 'sigma': width of the Gaussian that smooths them, in pixels; "
     "4 for digits"},
    {MODEL "data: {augment: {contrast: 1}}\n",
     "r.yaml:5:28: data.augment.contrast must be a number ≥ 0 and < 1, not '1'"},
    {MODEL "data: {scale: {standard: {offset: 1}}}\n",
     "r.yaml:5:26: data.scale.standard needs 'factor' too, or neither: both are fitted then"},
    {MODEL "data: {scale: {minmax: {offset: [1], factor: [1]}}}\n",
     "r.yaml:5:46: data.scale.minmax: lists of numbers take per: feature"},
    {MODEL "data: {scale: {minmax: {per: feature, offset: [1], factor: [1, 2]}}}\n",
     "r.yaml:5:60: data.scale.minmax: offset and factor must be as many numbers"},
    {MODEL "data: {corrupt: {mask: 2}}\n", "r.yaml:5:24: data.corrupt.mask must be a number ≥ 0 and ≤ 1, not '2'"},
    {MODEL "data: {corrupt: {gaussian: 1, clip: [1, 0]}}\n",
     "r.yaml:5:37: data.corrupt.clip must be two numbers [low, high] with low < high"},
    {MODEL "data: {corrupt: {gaussian: 1, clip: true}}\n",
     "r.yaml:5:37: data.corrupt.clip must be [low, high], not 'true'"},
    {MODEL "data: {only: []}\n", "r.yaml:5:14: data.only must be a list of whole numbers like [0, 1], not a list of 0"},
    {MODEL "data: {only: [1, x]}\n", "r.yaml:5:18: data.only must be a whole number ≥ 0, not 'x'"},
    {MODEL "data: {limit: 0}\n", "r.yaml:5:15: data.limit must be a whole number ≥ 1, not '0'"},
    {MODEL "data: {source: \"a\\nb\"}\n",
     "r.yaml:5:16: data.source has a line break or another control character in it; "
     "write it as one line of plain text"},
    {MODEL "data: {source: \"\"}\n", "r.yaml:5:16: data.source is empty; write it as one line of plain text"},
    /* shapes */
    {"model: {input: 784}\n",
     "r.yaml:1:16: model.input must be a list like [height, width, channels] or [values], not '784'"},
    {"model: {input: [28, 28], encoder: [flatten], decoder: [flatten]}\n",
     "r.yaml:1:16: model.input must be [height, width, channels] or [features], not a list of 2"},
    {"model: {input: [28, 0, 1]}\n", "r.yaml:1:21: model.input must be a whole number ≥ 1, not '0'"},
    {"model: {input: [65536, 65536, 1]}\n", "r.yaml:1:16: model.input has more than 2147483648 values in one sample"},
    /* layers */
    {"model: {input: [4], encoder: []}\n",
     "r.yaml:1:30: model.encoder must be a list of layers, at least one, not a list of 0"},
    {"model: {input: [4], encoder: dense}\n",
     "r.yaml:1:30: model.encoder must be a list of layers, at least one, not 'dense'"},
    {"model: {input: [4], encoder: [dens]}\n", "r.yaml:1:31: unknown layer 'dens'; did you mean 'dense'?"},
    {"model: {input: [4], encoder: [{Conv2D: {filters: 3}}]}\n", "r.yaml:1:32: unknown layer 'Conv2D'; did you mean "
                                                                 "'conv2d'?"},
    {"model: {input: [4], encoder: [attention]}\n",
     "r.yaml:1:31: unknown layer 'attention'; there are: flatten, reshape, dense, conv2d, conv2d_transpose, "
     "activation, "
     "max_pool2d, avg_pool2d, upsample2d, batch_norm, layer_norm, dropout, gaussian_noise, crop2d, zero_pad2d, "
     "parallel, residual, gaussian"},
    {"model: {input: [4], encoder: [[dense]]}\n", "r.yaml:1:31: encoder: one layer must stand here, not a list"},
    {"model: {input: [4], encoder: [{flatten: 3}]}\n", "r.yaml:1:41: flatten has no settings: write 'flatten' alone"},
    {"model: {input: [4], encoder: [{dense: 64}]}\n",
     "r.yaml:1:39: dense must be a map of keys, as {units: ...}, not a single value"},
    {"model:\n  input: [4]\n  encoder:\n    - dense:\n      units: 2\n",
     "r.yaml:5:7: 'units' stands beside 'dense', not inside it: write {dense: {units: ...}}, or indent it further"},
    {"model:\n  input: [4]\n  encoder:\n    - dense:\n",
     "r.yaml:4:13: dense is empty: its settings must follow, indented or in {}"},
    {"model: {input: [4], encoder: [{dense: {units: 0}}]}\n",
     "r.yaml:1:47: dense.units must be a whole number ≥ 1, not '0'"},
    {"model: {input: [4], encoder: [{dense: {units: 16777217}}]}\n",
     "r.yaml:1:47: dense.units must be at most 16777216, not '16777217'"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: rleu}}]}\n",
     "r.yaml:1:62: unknown activation 'rleu'; did you mean 'relu'?"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: maxout}}]}\n",
     "r.yaml:1:62: unknown activation 'maxout'; there are: linear, relu, leaky_relu, sigmoid, tanh, elu, softmax, "
     "selu, "
     "softplus, gelu, swish"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: {leaky_relu: {slope: -0.1}}}}]}\n",
     "r.yaml:1:83: leaky_relu.slope must be a number ≥ 0 and ≤ 1000000, not '-0.1'"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: {relu: {slope: 1}}}}]}\n",
     "r.yaml:1:69: relu has no settings: write 'relu' alone"},
    {"model: {input: [4], encoder: [activation]}\n", "r.yaml:1:31: activation needs a value: the activation"},
    {"model: {input: [4], encoder: [{reshape: [2, -2]}]}\n",
     "r.yaml:1:45: reshape must be a whole number ≥ 1, not '-2'"},
    {"model: {input: [4], encoder: [{conv2d: {filters: 1, kernel_size: [3]}}]}\n",
     "r.yaml:1:66: conv2d.kernel_size must be a whole number or [height, width], not a list of 1"},
    {"model: {input: [4], encoder: [{conv2d: {filters: 1, strides: 0}}]}\n",
     "r.yaml:1:62: conv2d.strides must be a whole number ≥ 1, not '0'"},
    {"model: {input: [4], encoder: [{conv2d: {filters: 1, padding: full}}]}\n",
     "r.yaml:1:62: unknown padding 'full'; there are: same, valid"},
    /* losses, schedules, penalties, augmentation; layers inside layers; the gaussian latent */
    {MODEL "train: {loss: {mse: 0}}\n",
     "r.yaml:5:21: train.loss.mse.weight must be a number > 0 and ≤ 1000000000, not '0'"},
    {MODEL "train: {loss: {mse: x}}\n",
     "r.yaml:5:21: train.loss.mse.weight must be a number > 0 and ≤ 1000000000, not 'x'"},
    {MODEL "train: {loss: {}}\n",
     "r.yaml:5:15: train.loss must be a word, or a map of losses and their weights, not an empty map"},
    {MODEL "train: {loss: [mse]}\n",
     "r.yaml:5:15: train.loss must be a word, or a map of losses and their weights, not a list of 1"},
    {MODEL "train: {loss: {mes: 1}}\n", "r.yaml:5:16: unknown loss 'mes'; did you mean 'mse'?"},
    {MODEL "train: {loss: {huber: {dleta: 1}}}\n",
     "r.yaml:5:24: unknown key 'dleta' in train.loss.huber; did you mean 'delta'?"},
    {MODEL "train: {loss: {binary_crossentropy: {from_logits: true}, mse: 1}}\n",
     "r.yaml:5:16: binary_crossentropy from_logits stands alone: the other losses need the result after the sigmoid; "
     "leave from_logits out and give the last layer activation: sigmoid"},
    {"model: {input: [4], encoder: [flatten], decoder: [{dense: {units: 4, activation: sigmoid}}, {reshape: [2, "
     "2]}]}\ntrain: {loss: {binary_crossentropy: {from_logits: true}}}\n",
     "r.yaml:2:15: from_logits: true wants the decoder's last layer without an activation, but it has sigmoid; leave "
     "from_logits or the activation out (the model adds the sigmoid itself)"},
    {"model: {input: [4], encoder: [flatten], decoder: [{parallel: [{layers: [{dense: {units: 2}}]}, {layers: [{dense: "
     "{units: 2, activation: tanh}}]}]}]}\ntrain: {loss: {binary_crossentropy: {from_logits: true}}}\n",
     "r.yaml:2:15: from_logits: true wants the decoder's last layer without an activation, but it has tanh; leave "
     "from_logits or the activation out (the model adds the sigmoid itself)"},
    {MODEL "train: {schedule: cosin}\n", "r.yaml:5:19: unknown schedule 'cosin'; did you mean 'cosine'?"},
    {MODEL "train: {schedule: step}\n", "r.yaml:5:19: train.schedule.step needs 'every': epochs between two changes"},
    {MODEL "train: {schedule: {one_cycle: {}, warmup: 2}}\n",
     "r.yaml:5:35: one_cycle warms up by itself (for the share of steps in one_cycle.rise): leave warmup out"},
    {MODEL "train: {schedule: {step: {every: 2}, cosine: {}}}\n",
     "r.yaml:5:38: 'cosine' beside 'step': name one schedule"},
    {MODEL "train: {schedule: {step: , every: 2}}\n",
     "r.yaml:5:28: 'every' stands beside 'step', not inside it: write {step: {every: ...}}, or indent it further"},
    {MODEL "train: {schedule: {step: {every: 0}}}\n",
     "r.yaml:5:34: train.schedule.step.every must be a number > 0 and ≤ 1000000, not '0'"},
    {MODEL "train: {schedule: {warmup: -1}}\n",
     "r.yaml:5:28: train.schedule.warmup must be a number ≥ 0 and ≤ 1000000, not '-1'"},
    {MODEL "train: {schedule: [cosine]}\n",
     "r.yaml:5:19: train.schedule must be a word, or a map of a schedule and its settings, not a list of 1"},
    {MODEL "train: {schedule: {warmup: 3, stepp: {every: 1}}}\n",
     "r.yaml:5:31: unknown schedule 'stepp'; did you mean 'step'?"},
    {MODEL "train: {schedule: {}}\n", "r.yaml:5:19: schedule: one schedule must stand here, not an empty map"},
    {MODEL "train: {reduce_lr_on_plateau: {factor: 1}}\n",
     "r.yaml:5:40: train.reduce_lr_on_plateau.factor must be a number > 0 and < 1, not '1'"},
    {MODEL "train: {reduce_lr_on_plateau: {patience: 0}}\n",
     "r.yaml:5:42: train.reduce_lr_on_plateau.patience must be a whole number ≥ 1, not '0'"},
    {MODEL "train: {early_stopping: {patience: 0}}\n",
     "r.yaml:5:36: train.early_stopping.patience must be a whole number ≥ 1, not '0'"},
    {MODEL "train: {reduce_lr_on_plateau: {min_rate: 0}}\n",
     "r.yaml:5:32: unknown key 'min_rate' in train.reduce_lr_on_plateau; there are: factor, patience, min_delta, "
     "cooldown, min_lr"},
    {MODEL "train: {weight_decay: 0.1, optimizer: adamw}\n",
     "r.yaml:5:23: weight decay is given twice: adamw has its own, train.optimizer.adamw.weight_decay (0.004); leave "
     "train.weight_decay out"},
    {MODEL "train: {clip_norm: -1}\n", "r.yaml:5:20: train.clip_norm must be a number ≥ 0 and ≤ 1000000000, not '-1'"},
    {MODEL "train: {penalty: {latent: {l1: -1}}}\n",
     "r.yaml:5:32: train.penalty.latent.l1 must be a number ≥ 0 and ≤ 1000000, not '-1'"},
    {MODEL "train: {penalty: {latents: {l1: 1}}}\n",
     "r.yaml:5:19: unknown key 'latents' in train.penalty; did you mean 'latent'?"},
    {MODEL "train: {penalty: 0.1}\n",
     "r.yaml:5:18: train.penalty must be a map of keys, as {weights: ...}, not a single value"},
    {MODEL "watch: {reconstructions: -1}\n", "r.yaml:5:26: watch.reconstructions must be a whole number ≥ 0, not '-1'"},
    {MODEL "watch: 10\n", "r.yaml:5:8: watch must be a map of keys, as {reconstructions: ...}, not a single value"},
    {MODEL "data: {resize: 0}\n", "r.yaml:5:16: data.resize must be a whole number ≥ 1, not '0'"},
    {MODEL "data: {resize: [1, 2, 3]}\n",
     "r.yaml:5:16: data.resize must be a whole number or [height, width], not a list of 3"},
    {MODEL "data: {augment: {shift: 1}}\n", "r.yaml:5:25: data.augment.shift must be a number ≥ 0 and < 1, not '1'"},
    {MODEL "data: {augment: {shift: [0.1]}}\n",
     "r.yaml:5:25: data.augment.shift must be a number or [vertical, horizontal], not a list of 1"},
    {MODEL "data: {augment: {rotate: 200}}\n",
     "r.yaml:5:26: data.augment.rotate must be a number ≥ 0 and ≤ 180, not '200'"},
    {MODEL "data: {augment: {flip: horizontl}}\n", "r.yaml:5:24: unknown flip 'horizontl'; did you mean 'horizontal'?"},
    {"model: {input: [4], encoder: [{dropout: 1.5}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:41: dropout.rate must be a number ≥ 0 and < 1, not '1.5'"},
    {"model: {input: [4], encoder: [dropout], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: dropout needs 'rate': share of the values set to 0"},
    {"model: {input: [4], encoder: [{dropout: {rate: 1}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:48: dropout.rate must be a number ≥ 0 and < 1, not '1'"},
    {"model: {input: [4], encoder: [{dropout: [1]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:41: dropout.rate must be a number ≥ 0 and < 1, not a list of 1"},
    {"model: {input: [4], encoder: [{dropout: ~}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: dropout needs 'rate': share of the values set to 0"},
    {"model: {input: [4], encoder: [{gaussian_noise: 0}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:48: gaussian_noise.stddev must be a number > 0 and ≤ 1000000, not '0'"},
    {"model: {input: [4], encoder: [{max_pool2d: {size: 0}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:51: max_pool2d.size must be a whole number ≥ 1, not '0'"},
    {"model: {input: [4], encoder: [{max_pool2d: 2}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:44: max_pool2d must be a map of keys, as {size: ...}, not a single value"},
    {"model: {input: [4], encoder: [{upsample2d: {interpolation: cubic}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:60: unknown interpolation 'cubic'; there are: nearest, bilinear"},
    {"model: {input: [4], encoder: [{batch_norm: {momentum: 1}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:55: batch_norm.momentum must be a number ≥ 0 and < 1, not '1'"},
    {"model: {input: [4], encoder: [{layer_norm: {epsilon: 0}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:54: layer_norm.epsilon must be a number ≥ 1e-30 and ≤ 1000, not '0'"},
    /* 0 as a float */
    {"model: {input: [4], encoder: [{dense: {units: 2}}], decoder: [{dense: {units: 4}}]}\n"
     "train: {optimizer: {rmsprop: {epsilon: 1e-50}}}\n",
     "r.yaml:2:40: train.optimizer.rmsprop.epsilon must be a number ≥ 1e-30 and ≤ 1000, not '1e-50'"},
    {"model: {input: [4], encoder: [{crop2d: -1}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:40: crop2d must be a whole number ≥ 0, not '-1'"},
    {"model: {input: [4], encoder: [{crop2d: [1, 2, 3]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:40: crop2d must be n, [rows, columns] or [[top, bottom], [left, right]], not a list of 3"},
    {"model: {input: [4], encoder: [{zero_pad2d: [[1], 2]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:45: zero_pad2d must be n, [rows, columns] or [[top, bottom], [left, right]], not a list of 1"},
    {"model: {input: [4], encoder: [crop2d], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: crop2d needs a value: rows and columns to cut off: n, [rows, columns], or [[top, bottom], [left, "
     "right]]"},
    {"model: {input: [4], encoder: [{dense: {units: 2, initializer: he_norml}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:63: unknown initializer 'he_norml'; did you mean 'he_normal'?"},
    {"model: {input: [4], encoder: [{dense: {units: 2, initializer: {normal: {stddev: 0}}}}], decoder: [{dense: "
     "{units: 4}}]}\n",
     "r.yaml:1:81: normal.stddev must be a number > 0 and ≤ 1000, not '0'"},
    {"model: {input: [4], encoder: [{dense: {units: 2, initializer: {zeros: 1}}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:71: zeros has no settings: write 'zeros' alone"},
    {"model: {input: [4], initializer: xavier, encoder: [flatten], decoder: [flatten]}\n",
     "r.yaml:1:34: unknown initializer 'xavier'; there are: glorot_uniform, glorot_normal, he_uniform, he_normal, "
     "normal, zeros, ones, constant"},
    {"model: {input: [4], encoder: [{parallel: []}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:42: parallel must be a list of branches, at least one, not a list of 0"},
    {"model: {input: [4], encoder: [{parallel: [{layers: []}]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:52: parallel.layers must be a list of layers, at least one, not a list of 0"},
    {"model: {input: [4], encoder: [{parallel: [{slice: [0, 2]}]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:43: parallel needs 'layers': the branch's layers"},
    {"model: {input: [4], encoder: [{parallel: [{slice: [0, 2], layers: [flatten]}, {layers: [flatten]}]}], decoder: "
     "[{dense: {units: 4}}]}\n",
     "r.yaml:1:79: branch 1 of parallel has no 'slice', but branch 0 has: give one to each, or to none"},
    {"model: {input: [4], encoder: [{parallel: [{layers: [flatten]}, {slice: [0, 2], layers: [flatten]}]}], decoder: "
     "[{dense: {units: 4}}]}\n",
     "r.yaml:1:43: branch 0 of parallel has no 'slice', but branch 1 has: give one to each, or to none"},
    {"model: {input: [4], encoder: [{parallel: [{slice: [2, 2], layers: [flatten]}]}], decoder: [{dense: {units: "
     "4}}]}\n",
     "r.yaml:1:51: slice [2, 2] is empty: begin must be below end"},
    {"model: {input: [4], encoder: [{parallel: [{slice: 2, layers: [flatten]}]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:51: parallel.slice must be [begin, end], not '2'"},
    {"model: {input: [4], encoder: [{parallel: [[flatten]]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:43: parallel must be a map of keys, as {slice: ...}, not a list"},
    {"model: {input: [4], encoder: [{parallel: {layers: [flatten]}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:42: parallel must be a list of branches, at least one, not a map"},
    {"model: {input: [4], encoder: [{parallel: [{layer: [flatten]}]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:44: unknown key 'layer' in parallel; did you mean 'layers'?"},
    {"model: {input: [4], encoder: [parallel], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: parallel needs a value: branches, whose results are joined along the last axis"},
    {"model: {input: [4], encoder: [{residual: []}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:42: residual must be a list of layers, at least one, not a list of 0"},
    {"model: {input: [4], encoder: [{residual: [{residual: [{dens: {units: 1}}]}]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:56: unknown layer 'dens'; did you mean 'dense'?"},
    {"model: {input: [4], encoder: [{residual: {dense: {units: 4}}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:42: residual must be a list of layers, at least one, not a map"},
    {"model: {input: [4], encoder: [{gaussian: {}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: gaussian needs 'units': size of the latent (or the layers of mean and log_variance)"},
    {"model: {input: [4], encoder: [gaussian], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: gaussian needs 'units': size of the latent (or the layers of mean and log_variance)"},
    {"model: {input: [4], encoder: [{gaussian: {units: 2, beta: -1}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:59: gaussian.beta must be a number ≥ 0 and ≤ 1000000, not '-1'"},
    {"model: {input: [4], encoder: [{gaussian: {units: 2, kl: max}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:57: unknown kl 'max'; there are: sum, mean"},
    {"model: {input: [4], encoder: [{gaussian: {units: 2, warmup: -1}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:61: gaussian.warmup must be a number ≥ 0 and ≤ 1000000, not '-1'"},
    {"model: {input: [4], encoder: [{gaussian: {units: 2, mean: [flatten], log_variance: [flatten]}}], decoder: "
     "[{dense: {units: 4}}]}\n",
     "r.yaml:1:31: gaussian has both 'units' and 'mean': give units, or the layers of mean and log_variance"},
    {"model: {input: [4], encoder: [{gaussian: {mean: [flatten]}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: gaussian has 'mean' but not 'log_variance': it needs the layers of both"},
    {"model: {input: [4], encoder: [{gaussian: {log_variance: [flatten]}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: gaussian has 'log_variance' but not 'mean': it needs the layers of both"},
    {"model: {input: [4], encoder: [{gaussian: {mean: [], log_variance: []}}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:49: gaussian.mean must be a list of layers, at least one, not a list of 0"},
    {"model: {input: [4], encoder: [{gaussian: {units: 2}}, flatten], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:31: gaussian makes the latent: it must be the encoder's last layer, not followed by others"},
    {"model: {input: [4], encoder: [{residual: [{gaussian: {units: 4}}]}], decoder: [{dense: {units: 4}}]}\n",
     "r.yaml:1:43: gaussian makes the latent: it must be the encoder's last layer, not inside residual"},
    {"model: {input: [4], encoder: [{gaussian: {mean: [{gaussian: {units: 1}}], log_variance: [flatten]}}], decoder: "
     "[{dense: {units: 4}}]}\n",
     "r.yaml:1:50: gaussian makes the latent: it must be the encoder's last layer, not inside gaussian"},
    {"model: {input: [4], encoder: [flatten], decoder: [{gaussian: {units: 4}}]}\n",
     "r.yaml:1:51: gaussian makes the latent: it must be the encoder's last layer, not in the decoder"},
};

static void every_mistake_has_its_message(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        strait_recipe *recipe = (void *)1;
        strait_error err = {0};
        const strait_status status = strait_recipe_parse(&recipe, mistakes[i].yaml, "r.yaml", 0, NULL, &err);
        if (status != STRAIT_RECIPE || strcmp(err.message, mistakes[i].message) != 0)
            fail_msg("for\n%s\nstatus %d\nis:     %s\nwanted: %s", mistakes[i].yaml, (int)status, err.message,
                     mistakes[i].message);
        assert_int_equal(err.code, STRAIT_RECIPE);
        assert_null(recipe);
        assert_int_equal(strait_recipe_parse(&recipe, mistakes[i].yaml, "r.yaml", 0, NULL, NULL), STRAIT_RECIPE);
    }
}

/* Long texts are cut, whole characters remain, and the end of the message is still there. */
static void long_words_are_cut(void **state) {
    (void)state;
    st_text yaml = {0};
    char *text = NULL;
    st_text_add(&yaml, "%strain: {loss: a", MODEL);
    for (int i = 0; i < 500; i++)
        st_text_add(&yaml, "ü");
    st_text_add(&yaml, "}\n");
    assert_int_equal(st_text_take(&text, &yaml, NULL), STRAIT_OK);
    strait_recipe *recipe;
    strait_error err = {0};
    assert_int_equal(strait_recipe_parse(&recipe, text, "r.yaml", 0, NULL, &err), STRAIT_RECIPE);
    assert_string_equal(err.message,
                        "r.yaml:5:15: unknown loss 'aüüüüüüüüüüüüüüüüüüüüüüüüüüüüü…'; there are: mse, mae, "
                        "binary_crossentropy, huber");
    st_free(text);
}

/* A very long path keeps its end and leaves room for the message. */
static void long_paths_are_cut(void **state) {
    (void)state;
    char path[3000];
    memset(path, 'd', sizeof path);
    snprintf(path + sizeof path - 9, 9, "/xx.yaml");
    strait_recipe *recipe;
    strait_error err = {0};
    assert_int_equal(strait_recipe_parse(&recipe, "foo: 1\n", path, 0, NULL, &err), STRAIT_RECIPE);
    assert_non_null(strstr(
        err.message, "dd/xx.yaml:1:1: unknown key 'foo'; there are: name, seed, data, model, train, watch, sweep"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_has_its_message),
        cmocka_unit_test(long_words_are_cut),
        cmocka_unit_test(long_paths_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
