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


def build(workload):
    x = inputs = keras.Input(shape=tuple(workload.shape))
    if workload.noise:
        x = Clip()(keras.layers.GaussianNoise(workload.noise)(x))
    dense = workload.layers[0][0] == "dense"
    if dense and len(workload.shape) > 1:
        x = keras.layers.Flatten()(x)
    for kind, units, *stride, activation in workload.layers:
        if kind == "dense":
            x = keras.layers.Dense(units, activation=activation)(x)
        else:
            layer = keras.layers.Conv2D if kind == "conv" else keras.layers.Conv2DTranspose
            x = layer(units, 3, strides=stride[0], padding="same", activation=activation)(x)
    if dense and len(workload.shape) > 1:
        x = keras.layers.Reshape(tuple(workload.shape))(x)
    return keras.Model(inputs, x)


class BestEpoch(keras.callbacks.Callback):
    """Times epochs, stops when the time is over, and keeps the fastest after the first."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.rate = 0.0

    def on_train_begin(self, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        if epoch > 0:
            self.rate = max(self.rate, common.SAMPLES / (now - self.start))
            self.model.stop_training = now - self.begin >= self.seconds


def measure(workload, setting, seconds):
    keras.utils.set_random_seed(1)
    data = numpy.random.default_rng(1).random((common.SAMPLES, *workload.shape), dtype=numpy.float32)
    model = build(workload)
    optimizer = keras.optimizers.Adam(learning_rate=common.LEARNING_RATE, epsilon=common.EPSILON)
    model.compile(optimizer=optimizer, loss=workload.loss, jit_compile=setting == "jit")
    timing = BestEpoch(seconds)
    model.fit(data, data, batch_size=workload.batch, epochs=1000000, shuffle=True, verbose=0, callbacks=[timing])
    return timing.rate


def main():
    backend = keras.backend.backend()
    hello = {"peer": "Keras", "version": "{} on {}".format(keras.__version__, backend), "threads": THREADS,
             "settings": {name: SETTINGS for name in common.WORKLOADS}}
    common.serve(hello, measure)


if __name__ == "__main__":
    main()
