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

SAMPLES = 12000  # as in `strait bench`; the last batch of an epoch may be smaller
EPSILON = 1e-7  # of Adam, as Keras has it
LEARNING_RATE = 1e-3

# shape: of one sample, [height, width, channels] or [values].
# layers: ("dense", units, activation), ("conv" or "transpose", filters, stride, activation); kernels are 3 x 3, "same".
# noise: the standard deviation of fresh noise on every batch, the result clipped to 0..1; 0: none.
Workload = namedtuple("Workload", "batch loss shape layers noise")

WORKLOADS = {
    "fashion-basic": Workload(32, "mse", [28, 28, 1], [("dense", 64, "relu"), ("dense", 784, "sigmoid")], 0),
    "mnist-dense": Workload(
        128,
        "mse",
        [28, 28, 1],
        [("dense", 392, "relu"), ("dense", 10, "relu"), ("dense", 392, "relu"), ("dense", 784, "sigmoid")],
        0,
    ),
    "ecg-anomaly": Workload(
        512,
        "mae",
        [140],
        [("dense", units, "relu") for units in (32, 16, 8, 16, 32)] + [("dense", 140, "sigmoid")],
        0,
    ),
    "fashion-denoise-conv": Workload(
        32,
        "mse",
        [28, 28, 1],
        [
            ("conv", 16, 2, "relu"),
            ("conv", 8, 2, "relu"),
            ("transpose", 8, 2, "relu"),
            ("transpose", 16, 2, "relu"),
            ("conv", 1, 1, "sigmoid"),
        ],
        0.2,
    ),
}


def best_rate(epochs, seconds):
    """Samples a second in the fastest stretch of about `seconds` of training, measured as `strait bench` does: in
    stretches of a twentieth of the time, the first of them for warming up. epochs() yields the number of samples after
    each step, without end."""
    stretch = max(seconds / 20, 0.05)
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
