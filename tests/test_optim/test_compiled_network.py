"""How many parts ``torch.compile`` makes of a network that is harmonized.

Each break within it is a part more, and a start of kernels from Python.
"""
from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn
from torch.fx import GraphModule
from torch.optim import SGD

from mmgh.optim import GHOptimWrapper

NUM_CLASSES = 3
DEPTH = 18


@pytest.fixture
def graphs():
    """Collects all that is compiled; of another test nothing is left."""
    torch.compiler.reset()
    yield []
    torch.compiler.reset()


def make_model(domain_forward: str) -> nn.Module:
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=dict(type='mmgh.DigitsLeNet'),
            head=dict(
                type='LinearClsHead', in_channels=800,
                num_classes=NUM_CLASSES),
            uda_head=dict(type='mmgh.DANNHead'),
            domain_forward=domain_forward)).train()


def make_batch() -> dict:
    source, target = torch.randn(2, 3, 3, 28, 28)
    samples = [DataSample().set_gt_label(i) for i in range(NUM_CLASSES)]
    return dict(
        source=dict(inputs=source, data_samples=samples),
        target=dict(inputs=target))


def train_compiled(model: nn.Module, wrapper: GHOptimWrapper,
                   graphs: list[GraphModule]) -> None:
    """Three steps as with ``compile=True`` of MMEngine's runner."""

    def collect(graph: GraphModule, inputs: list):
        graphs.append(graph)
        return graph

    # MMEngine's default target.
    model.forward = torch.compile(model.forward, backend=collect)
    wrapper.initialize_count_status(model, 0, 3)
    for _ in range(3):
        model.train_step(make_batch(), wrapper)


def convolutions(graph: GraphModule) -> int:
    return sum(
        node.target is torch.conv2d or node.op == 'call_module'
        and isinstance(graph.get_submodule(node.target), nn.Conv2d)
        for node in graph.graph.nodes)


@pytest.mark.parametrize('probe, domain_forward', [('parameters', 'separate'),
                                                   ('parameters', 'joint'),
                                                   ('features', 'separate')])
def test_network_is_compiled_in_one_part(probe, domain_forward, graphs,
                                         message_hub):
    """And stays so: no step compiles anything again."""
    if domain_forward == 'joint':
        # The compiler of torch 2.1 makes several.
        pytest.importorskip('torch', '2.6')
    model = make_model(domain_forward)
    wrapper = GHOptimWrapper(
        optimizer=SGD(model.parameters(), lr=0.01),
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        probe=probe)
    train_compiled(model, wrapper, graphs)
    graph, = graphs
    of_backbone = sum(
        isinstance(module, nn.Conv2d) for module in model.backbone.modules())
    passes = 2 if domain_forward == 'separate' else 1
    assert convolutions(graph) == passes * of_backbone
    assert message_hub.get_scalar('train/angle').current() > 0
