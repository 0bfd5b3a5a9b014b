"""The workloads of `strait bench` in Keras, with whatever backend it has. Usage: keras_peer.py THREADS; started by
bench/compare."""
import os
import sys
import time

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(THREADS))
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import keras  # noqa: E402
import numpy  # noqa: E402

import common  # noqa: E402

SETTINGS = ["plain", "jit"]


class Clip(keras.layers.Layer):
    """Values back into 0..1 after the noise."""

    def call(self, x):
        return keras.activations.relu(x, max_value=1.0)


def layer_of(kind, values):
    """One layer of a workload."""
    if kind == "flatten":
        return keras.layers.Flatten()
    if kind == "reshape":
        return keras.layers.Reshape(tuple(values[0]))
    if kind == "upsample":
        return keras.layers.UpSampling2D(values[0])
    if kind == "max_pool":
        return keras.layers.MaxPooling2D(values[0], padding="same")
    if kind == "avg_pool":
        return keras.layers.AveragePooling2D(values[0])
    *sizes, activation = values
    if activation == "leaky_relu":
        activation = keras.layers.LeakyReLU(common.SLOPE)
    if kind == "dense":
        return keras.layers.Dense(sizes[0], activation=activation)
    filters, kernel, stride = sizes
    layer = keras.layers.Conv2D if kind == "conv" else keras.layers.Conv2DTranspose
    return layer(filters, kernel, strides=stride, padding="same", activation=activation)


def build(workload):
    x = inputs = keras.Input(shape=tuple(workload.shape))
    if workload.noise:
        x = Clip()(keras.layers.GaussianNoise(workload.noise)(x))
    flat = common.is_dense(workload) and len(workload.shape) > 1
    if flat:
        x = keras.layers.Flatten()(x)
    for kind, *values in workload.layers:
        x = layer_of(kind, values)(x)
    if flat:
        x = keras.layers.Reshape(tuple(workload.shape))(x)
    return keras.Model(inputs, x)


class BestEpoch(keras.callbacks.Callback):
    """Times epochs, stops when the time is over, and keeps the fastest after the first."""

    def __init__(self, seconds, samples):
        super().__init__()
        self.seconds = seconds
        self.samples = samples
        self.rate = 0.0

    def on_train_begin(self, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        if epoch > 0:
            self.rate = max(self.rate, self.samples / (now - self.start))
            self.model.stop_training = now - self.begin >= self.seconds


def measure(workload, setting, seconds):
    keras.utils.set_random_seed(1)
    # Whole epochs are timed: where steps take long, of four batches.
    n = 4 * workload.batch if workload.heavy else common.samples_of(workload)
    data = numpy.random.default_rng(1).random((n, *workload.shape), dtype=numpy.float32)
    model = build(workload)
    optimizer = keras.optimizers.Adam(learning_rate=workload.learning_rate, epsilon=common.EPSILON)
    model.compile(optimizer=optimizer, loss=workload.loss, jit_compile=setting == "jit")
    timing = BestEpoch(seconds, n)
    model.fit(data, data, batch_size=workload.batch, epochs=1000000, shuffle=True, verbose=0, callbacks=[timing])
    return timing.rate


def main():
    backend = keras.backend.backend()
    hello = {"peer": "Keras", "version": "{} on {}".format(keras.__version__, backend), "threads": THREADS,
             "settings": {name: SETTINGS for name in common.WORKLOADS}}
    common.serve(hello, measure)


if __name__ == "__main__":
    main()
