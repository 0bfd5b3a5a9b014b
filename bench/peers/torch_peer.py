"""The workloads of `strait bench` in PyTorch. Usage: torch_peer.py THREADS; started by bench/compare.

Convolutions are padded as TensorFlow's "same" would be in a mirror: PyTorch's padding=1 with stride 2 puts the extra row
and column at the other side. Flip the images and the kernels, and it is the same network, with no copy for padding.
"""
import itertools
import sys

import torch
from torch import nn
from torch.nn import functional

import common

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
LOSSES = {"mse": functional.mse_loss, "mae": functional.l1_loss}


class OnednnLinear(nn.Linear):
    """A dense layer through oneDNN. Without MKL, PyTorch's own dense layer goes to whatever BLAS is installed."""

    def forward(self, x):
        return torch._C._nn.mkldnn_linear(x.to_mkldnn(), self.weight, self.bias).to_dense()


def build(workload, linear):
    layers = []
    if workload.layers[0][0] == "dense":
        width = 1
        for size in workload.shape:
            width *= size
    else:
        width = workload.shape[-1]
    for kind, units, *stride, activation in workload.layers:
        if kind == "dense":
            layers.append(linear(width, units))
        elif kind == "conv":
            layers.append(nn.Conv2d(width, units, 3, stride=stride[0], padding=1))
        else:
            layers.append(nn.ConvTranspose2d(width, units, 3, stride=stride[0], padding=1, output_padding=1))
        layers.append(ACTIVATIONS[activation]())
        width = units
    return nn.Sequential(*layers)


def make_data(workload, channels_last):
    """All samples as one tensor in memory: rows for dense networks, [n, channels, height, width] for others."""
    values = torch.rand(common.SAMPLES, *workload.shape)
    if workload.layers[0][0] == "dense":
        return values.reshape(common.SAMPLES, -1)
    values = values.permute(0, 3, 1, 2).contiguous()
    return values.to(memory_format=torch.channels_last) if channels_last else values


def settings_of(workload):
    """The ways of training that this version of PyTorch has and that may matter here; options joined by "+"."""
    adam = [""]  # over each parameter by itself
    for option in ("foreach", "fused"):  # over all of them at once
        try:
            torch.optim.Adam([nn.Parameter(torch.zeros(1))], **{option: True})
            adam.append(option)
        except (TypeError, RuntimeError):
            pass
    network = ["", "jit"]
    if hasattr(torch, "compile"):
        network.append("compile")
    if workload.layers[0][0] != "dense":
        network.append("channels_last")  # images stored as TensorFlow stores them
    elif not torch.backends.mkl.is_available():
        network.append("onednn")
    return ["+".join(filter(None, options)) or "plain" for options in itertools.product(network, adam)]


def measure(workload, setting, seconds):
    options = setting.split("+")
    torch.manual_seed(1)
    data = make_data(workload, "channels_last" in options)
    model = build(workload, OnednnLinear if "onednn" in options else nn.Linear)
    if "channels_last" in options:
        model = model.to(memory_format=torch.channels_last)
    adam = {option: True for option in ("foreach", "fused") if option in options}
    optimizer = torch.optim.Adam(model.parameters(), lr=common.LEARNING_RATE, eps=common.EPSILON, **adam)
    if "jit" in options:
        model = torch.jit.trace(model, data[: workload.batch])
    if "compile" in options:
        model = torch.compile(model)
    loss_of = LOSSES[workload.loss]

    def epochs():
        while True:
            for index in torch.randperm(common.SAMPLES).split(workload.batch):
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
