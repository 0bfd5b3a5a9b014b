"""The workloads of `strait bench` in PyTorch. Usage: torch_peer.py THREADS; started by bench/compare.

Convolutions are padded as TensorFlow's "same" would be in a mirror: PyTorch's padding=1 with stride 2 puts the extra row
and column at the other side. Flip the images and the kernels, and it is the same network, with no copy for padding. Only
kernels of an even size need one.
"""
import itertools
import math
import sys

import torch
from torch import nn
from torch.nn import functional

import common

ACTIVATIONS = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(common.SLOPE),
    "sigmoid": nn.Sigmoid,
}
LOSSES = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "binary_crossentropy": functional.binary_cross_entropy,
}


class OnednnLinear(nn.Linear):
    """A dense layer through oneDNN. Without MKL, PyTorch's own dense layer goes to whatever BLAS is installed."""

    def forward(self, x):
        return torch._C._nn.mkldnn_linear(x.to_mkldnn(), self.weight, self.bias).to_dense()


class Flatten(nn.Module):
    """Images to rows, without a copy: the values in the order in which they lie in memory."""

    def __init__(self, channels_last):
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x):
        return (x.permute(0, 2, 3, 1) if self.channels_last else x).flatten(1)


class Images(nn.Module):
    """The way back from Flatten."""

    def __init__(self, shape, channels_last):
        super().__init__()
        self.shape = shape
        self.channels_last = channels_last

    def forward(self, x):
        height, width, channels = self.shape
        if self.channels_last:
            return x.view(-1, height, width, channels).permute(0, 3, 1, 2)
        return x.view(-1, channels, height, width)


def convolution(kind, width, filters, kernel, stride):
    """The layers of one convolution; of even kernels the padding is a layer by itself."""
    half = kernel // 2
    if kind == "transpose":
        return [nn.ConvTranspose2d(width, filters, kernel, stride, padding=half, output_padding=stride - 1)]
    if kernel % 2:
        return [nn.Conv2d(width, filters, kernel, stride, padding=half)]
    return [nn.ZeroPad2d((half, half - 1, half, half - 1)), nn.Conv2d(width, filters, kernel, stride)]


def build(workload, linear, channels_last=False):
    layers = []
    shape = [math.prod(workload.shape)] if common.is_dense(workload) else workload.shape
    for kind, *values in workload.layers:
        if kind == "flatten":
            layers.append(Flatten(channels_last))
            shape = [math.prod(shape)]
        elif kind == "reshape":
            shape = values[0]
            layers.append(Images(shape, channels_last))
        elif kind in ("max_pool", "avg_pool"):
            layers.append((nn.MaxPool2d if kind == "max_pool" else nn.AvgPool2d)(values[0]))
            shape = [shape[0] // values[0], shape[1] // values[0], shape[2]]
        elif kind == "upsample":
            layers.append(nn.Upsample(scale_factor=values[0], mode="nearest"))
            shape = [shape[0] * values[0], shape[1] * values[0], shape[2]]
        elif kind == "dense":
            layers += [linear(shape[0], values[0]), ACTIVATIONS[values[1]]()]
            shape = [values[0]]
        else:
            filters, kernel, stride, activation = values
            layers += convolution(kind, shape[2], filters, kernel, stride) + [ACTIVATIONS[activation]()]
            height, width = (size * stride if kind == "transpose" else -(-size // stride) for size in shape[:2])
            shape = [height, width, filters]
    return nn.Sequential(*layers)


def make_data(workload, channels_last):
    """All samples as one tensor in memory: rows for dense networks, [n, channels, height, width] for others."""
    n = common.samples_of(workload)
    values = torch.rand(n, *workload.shape)
    if common.is_dense(workload):
        return values.reshape(n, -1)
    values = values.permute(0, 3, 1, 2).contiguous()
    return values.to(memory_format=torch.channels_last) if channels_last else values


def settings_of(workload):
    """The ways of training that this version of PyTorch has and that may matter here; options joined by "+"."""
    adam = [""]  # over each parameter by itself
    for option in () if workload.heavy else ("foreach", "fused"):  # over all of them at once
        try:
            torch.optim.Adam([nn.Parameter(torch.zeros(1))], **{option: True})
            adam.append(option)
        except (TypeError, RuntimeError):
            pass
    network = ["", "jit"]
    if hasattr(torch, "compile"):
        network.append("compile")
    if not common.is_dense(workload):
        network.append("channels_last")  # images stored as TensorFlow stores them
    elif not torch.backends.mkl.is_available():
        network.append("onednn")
    return ["+".join(filter(None, options)) or "plain" for options in itertools.product(network, adam)]


def measure(workload, setting, seconds):
    options = setting.split("+")
    torch.manual_seed(1)
    data = make_data(workload, "channels_last" in options)
    model = build(workload, OnednnLinear if "onednn" in options else nn.Linear, "channels_last" in options)
    if "channels_last" in options:
        model = model.to(memory_format=torch.channels_last)
    adam = {option: True for option in ("foreach", "fused") if option in options}
    optimizer = torch.optim.Adam(model.parameters(), lr=workload.learning_rate, eps=common.EPSILON, **adam)
    if "jit" in options:
        model = torch.jit.trace(model, data[: workload.batch])
    if "compile" in options:
        model = torch.compile(model)
    loss_of = LOSSES[workload.loss]

    def epochs():
        while True:
            for index in torch.randperm(len(data)).split(workload.batch):
                target = data.index_select(0, index)
                batch = target
                if workload.noise:
                    batch = torch.randn_like(target).mul_(workload.noise).add_(target).clamp_(0, 1)
                optimizer.zero_grad(set_to_none=True)
                loss_of(model(batch), target).backward()
                optimizer.step()
                yield len(index)

    return common.best_rate(epochs, seconds)


def main():
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    settings = {name: settings_of(workload) for name, workload in common.WORKLOADS.items()}
    hello = {"peer": "PyTorch", "version": torch.__version__, "threads": threads, "settings": settings}
    common.serve(hello, measure)


if __name__ == "__main__":
    main()
