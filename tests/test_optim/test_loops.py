"""The loops without configs in mmgh/optim/README.md, as they are written."""
from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import SGD
from torch.utils.data import DataLoader, SequentialSampler

import mmgh
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import attach_task_losses
from .two_task_model import make_batch, make_model

SECTION = (Path(mmgh.__file__).parent / 'optim/README.md').read_text().split(
    '\n## Without configs\n')[1].split('\n## ')[0]
# By the words in front of them.
SNIPPETS = dict(
    zip(('plain', 'lightning', 'accelerate', 'transformers', 'precision',
         'accumulation'),
        re.findall('```python\n(.*?)```', SECTION, re.DOTALL)))
LR = 0.01


class Losses(nn.Module):
    """A model that returns a dict of losses, whose gradients conflict."""

    def __init__(self) -> None:
        super().__init__()
        self.model = make_model(conflict=True)

    def forward(self, inputs, labels) -> dict:
        losses = self.model(inputs, labels)
        return {
            task: losses[f'loss_{task}'] for task in ('alignment', 'cls')
        }


class LossesOfBatch(Losses):

    def forward(self, batch: dict) -> dict:
        return super().forward(**batch)


def batches(count: int = 4) -> list[dict]:
    return [make_batch(seed=seed) for seed in range(count)]


def data_loader() -> DataLoader:
    return DataLoader(batches(), batch_size=None)


def trained_by_the_wrapper(loader: list[dict], **kwargs) -> dict:
    """Parameters after a step of GHOptimWrapper with each batch."""
    net = Losses()
    wrapper = GHOptimWrapper(
        optimizer=SGD(net.parameters(), lr=LR),
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        **kwargs)
    for batch in loader:
        losses = net(**batch)
        wrapper.update_params(
            attach_task_losses(sum(losses.values()), losses))
    return dict(net.named_parameters())


def run(snippet: str, **names) -> dict:
    names['mmgh'] = mmgh
    exec(SNIPPETS[snippet], names)
    return names


def assert_equal(net: nn.Module, expected: dict) -> None:
    assert not torch.equal(net.model.trunk[0].weight,
                           Losses().model.trunk[0].weight)
    found = dict(net.named_parameters())
    assert found.keys() == expected.keys()
    for name, parameter in found.items():
        assert torch.equal(parameter, expected[name]), name


def test_each_snippet_is_short():
    assert len(SNIPPETS) == SECTION.count('```python')
    for name in ('plain', 'lightning', 'accelerate', 'transformers'):
        assert SNIPPETS[name].count('\n') <= 6, name


def test_plain_loop():
    net = LossesOfBatch()
    run('plain', loader=batches(), model=net,
        optimizer=SGD(net.parameters(), lr=LR))
    assert_equal(net, trained_by_the_wrapper(batches()))


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_mixed_precision(dtype):
    """In float32, to which torch does not cast on a CPU, the scale, a power of
    2, cancels out."""
    pytest.importorskip('torch', '2.3')  # Before, it scales on GPUs alone.
    net = LossesOfBatch()
    with pytest.warns() if dtype is torch.float32 else nullcontext():
        run('precision', loader=batches(), model=net, torch=torch,
            device='cpu', dtype=dtype, scaler=torch.amp.GradScaler('cpu'),
            optimizer=SGD(net.parameters(), lr=LR))
    expected = trained_by_the_wrapper(batches())
    if dtype is torch.float32:
        assert_equal(net, expected)
    else:
        torch.testing.assert_close(
            dict(net.named_parameters()), expected, rtol=0.05, atol=0.05)


def test_accumulation():
    """Of the means over equal parts of a batch: as of the whole batch."""
    net, parts = LossesOfBatch(), batches(8)
    run('accumulation', loader=parts, model=net,
        optimizer=SGD(net.parameters(), lr=LR))
    wholes = [{
        name: torch.cat([part[name] for part in parts[i:i + 4]])
        for name in parts[0]
    } for i in (0, 4)]
    torch.testing.assert_close(
        dict(net.named_parameters()), trained_by_the_wrapper(wholes))
    assert_equal(net, trained_by_the_wrapper(parts, accumulative_counts=4))


@pytest.mark.filterwarnings('ignore')
def test_lightning():
    lightning = pytest.importorskip('lightning')

    class Module(lightning.LightningModule):
        training_step = run('lightning')['training_step']

        def __init__(self):
            super().__init__()
            self.automatic_optimization = False
            self.net = LossesOfBatch()

        def forward(self, batch):
            return self.net(batch)

        def configure_optimizers(self):
            return SGD(self.parameters(), lr=LR)

    module = Module()
    trainer = lightning.Trainer(
        accelerator='cpu', max_epochs=1, logger=False,
        enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False)
    trainer.fit(module, data_loader())
    assert_equal(module.net, trained_by_the_wrapper(batches()))
    assert 90 < trainer.logged_metrics['angle'] <= 180


@pytest.fixture
def accelerate():
    """The package, which has one state a process, and begins anew here."""
    accelerate = pytest.importorskip('accelerate')
    yield accelerate
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
    accelerate.state.GradientState._reset_state()


@pytest.mark.parametrize('precision', ['no', 'bf16'])
def test_accelerate(accelerate, precision):
    net = LossesOfBatch()
    accelerator = accelerate.Accelerator(cpu=True, mixed_precision=precision)
    model, optimizer, loader = accelerator.prepare(
        net, SGD(net.parameters(), lr=LR),
        data_loader())
    run('accelerate', accelerator=accelerator, loader=loader, model=model,
        optimizer=optimizer)
    expected = trained_by_the_wrapper(batches())
    if precision == 'no':
        assert_equal(net, expected)
    else:
        torch.testing.assert_close(
            dict(net.named_parameters()), expected, rtol=0.05, atol=0.05)


@pytest.mark.filterwarnings('ignore')
def test_trainer_of_transformers(accelerate, tmp_path):
    transformers = pytest.importorskip('transformers')
    net, loader = Losses(), batches()
    items = [{name: values[i] for name, values in batch.items()}
             for batch in loader for i in range(len(batch['labels']))]
    kind = run('transformers', Trainer=transformers.Trainer)[
        'HarmonizingTrainer']

    class InOrder(kind):

        def _get_train_sampler(self, *args):
            return SequentialSampler(self.train_dataset)

    trainer = InOrder(
        net,
        transformers.TrainingArguments(
            str(tmp_path), per_device_train_batch_size=12, max_steps=4,
            max_grad_norm=0, lr_scheduler_type='constant', report_to='none',
            save_strategy='no', use_cpu=True, disable_tqdm=True),
        train_dataset=items,
        optimizers=(SGD(net.parameters(), lr=LR), None))
    trainer.train()
    assert_equal(net, trained_by_the_wrapper(loader))
