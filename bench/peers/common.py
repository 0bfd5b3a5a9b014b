"""What every peer shares: the workloads of `strait bench`, and the protocol bench/compare speaks with a peer.

A peer is a process that reads one JSON object a line, {"workload", "setting", "seconds"}, and answers each with one
line, {"samples_per_second"} or {"error"}. Its first line, before any request, says what it is: {"peer", "version",
"threads", "settings": {workload: [...]}}. The first setting is the plain one: what everybody writes, without tuning.
"""
import json
import os
import sys
import time
from collections import namedtuple

EPSILON = 1e-7  # of Adam, as Keras has it
SLOPE = 0.3  # of leaky_relu, as Keras has it

# shape: of one sample, [height, width, channels] or [values].
# layers: ("dense", units, activation), ("conv" or "transpose", filters, kernel, stride, activation) with padding "same",
#     ("max_pool" or "avg_pool", size), ("upsample", size) by repeating pixels, ("flatten",), ("reshape", shape).
# noise: the standard deviation of fresh noise on every batch, the result clipped to 0..1; 0: none.
# learning_rate: of Adam.
# heavy: a step takes long, so that only few settings are tried.
Workload = namedtuple("Workload", "batch loss shape layers noise learning_rate heavy", defaults=[0, 1e-3, False])


def dense(units, activation="linear"):
    return ("dense", units, activation)


def conv(filters, activation="relu", kernel=3, stride=1):
    return ("conv", filters, kernel, stride, activation)


def transpose(filters):
    return ("transpose", filters, 3, 2, "relu")


def conv_pairs(filters):
    """Two convolutions with each number of filters, and the mean of 2 x 2 pixels."""
    return [layer for n in filters for layer in (conv(n), conv(n), ("avg_pool", 2))]


def transpose_pairs(filters):
    """Twice the size and another convolution, with each number of filters."""
    return [layer for n in filters for layer in (transpose(n), conv(n))]


def pooled(widths, activation):
    """A convolution of each (filters, kernel) and the largest of 2 x 2 pixels."""
    return [layer for n, kernel in widths for layer in (conv(n, activation, kernel), ("max_pool", 2))]


def upsampled(widths, activation):
    """A convolution of each (filters, kernel), and twice the size."""
    return [layer for n, kernel in widths for layer in (conv(n, activation, kernel), ("upsample", 2))]


WORKLOADS = {
    "fashion-basic": Workload(32, "mse", [28, 28, 1], [dense(64, "relu"), dense(784, "sigmoid")]),
    "mnist-dense": Workload(
        128, "mse", [28, 28, 1], [dense(units, "relu") for units in (392, 10, 392)] + [dense(784, "sigmoid")]
    ),
    "ecg-anomaly": Workload(
        512, "mae", [140], [dense(units, "relu") for units in (32, 16, 8, 16, 32)] + [dense(140, "sigmoid")]
    ),
    "mnist-conv": Workload(
        32,
        "mse",
        [28, 28, 1],
        [conv(16), ("avg_pool", 2), conv(32), ("avg_pool", 2), ("flatten",), dense(64)]
        + [dense(1568), ("reshape", [7, 7, 32]), transpose(32), transpose(16), conv(1, "sigmoid")],
        learning_rate=3e-4,
    ),
    "cells-6": Workload(
        48,
        "binary_crossentropy",
        [96, 96, 1],
        pooled([(16, 3), (8, 3), (8, 3)], "relu") + upsampled([(8, 3), (8, 3), (16, 3)], "relu") + [conv(1, "sigmoid")],
        heavy=True,
    ),
    "cells-7": Workload(
        48,
        "binary_crossentropy",
        [96, 96, 1],
        pooled([(64, 5), (32, 5), (16, 2)], "leaky_relu")
        + upsampled([(16, 2), (32, 5), (64, 5)], "leaky_relu")
        + [conv(1, "sigmoid")],
        heavy=True,
    ),
    "nuclei": Workload(
        32,
        "mse",
        [256, 256, 1],
        conv_pairs([16, 32, 64, 128])
        + [("flatten",), dense(512), dense(32768), ("reshape", [16, 16, 128])]
        + transpose_pairs([128, 64, 32, 16])
        + [conv(1, "sigmoid")],
        learning_rate=3e-4,
        heavy=True,
    ),
    "fashion-denoise-conv": Workload(
        32,
        "mse",
        [28, 28, 1],
        [conv(16, stride=2), conv(8, stride=2), transpose(8), transpose(16), conv(1, "sigmoid")],
        noise=0.2,
    ),
}


def is_dense(workload):
    """Whether a sample is one row of values for the network."""
    return workload.layers[0][0] == "dense"


def samples_of(workload):
    """How many samples there are, as in `strait bench`: 12,000, or what is 64 MB, or a batch; the last batch of an
    epoch may be smaller."""
    values = 1
    for size in workload.shape:
        values *= size
    return max(min((64 << 20) // (4 * values), 12000), workload.batch)


def best_rate(epochs, seconds):
    """Samples a second in the fastest stretch of about `seconds` of training, measured as `strait bench` does: in
    stretches of 30 ms or a step, the first of them for warming up. epochs() yields the number of samples after
    each step, without end."""
    stretch = min(seconds / 20, 0.03)
    steps = epochs()
    begin = time.perf_counter()
    best = 0.0
    warm = False
    while best == 0 or time.perf_counter() - begin < seconds:
        samples = 0
        start = time.perf_counter()
        while time.perf_counter() - start < stretch:
            samples += next(steps)
        if warm:
            best = max(best, samples / (time.perf_counter() - start))
        warm = True
    return best


def serve(hello, measure):
    """Answers requests until the end of input. measure(workload, setting, seconds) gives samples a second."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a framework prints must not mix with the answers
    print(json.dumps(hello), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            rate = measure(WORKLOADS[request["workload"]], request["setting"], request["seconds"])
            answer = {"samples_per_second": rate}
        except Exception as error:  # a setting that does not work in this version; the others go on
            answer = {"error": "{}: {}".format(type(error).__name__, (str(error).splitlines() or [""])[0])}
        print(json.dumps(answer), file=answers)
