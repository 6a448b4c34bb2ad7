"""Two processes with half a batch each, against one with the whole batch."""
from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp
from mmengine.model import MMDistributedDataParallel
from torch.optim import SGD

from mmgh.optim import GHOptimWrapper
from .two_task_model import make_batch, make_model

STEPS = 6


def train(model, batches, rank: int, world_size: int, counts: int) -> dict:
    """Six iterations on this rank's share; parameters and logged angles."""
    wrapper = GHOptimWrapper(
        optimizer=SGD(
            model.parameters(), lr=0.05 if counts == 1 else 0.1, momentum=0.9),
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        accumulative_counts=counts)
    wrapper.initialize_count_status(model, 0, STEPS)
    for batch in batches:
        share = {k: v[rank::world_size] for k, v in batch.items()}
        model.train_step(share, wrapper)
    logged, _ = wrapper.message_hub.get_scalar('train/angle').data
    angles = logged[-(STEPS // counts):].tolist()
    module = getattr(model, 'module', model)
    return dict(state=module.state_dict(), angles=angles)


def make_batches() -> list[dict]:
    return [make_batch(12, seed=i) for i in range(STEPS)]


def work(rank: int, folder: str, counts: int) -> None:
    os.environ['GLOO_SOCKET_IFNAME'] = 'lo'
    torch.distributed.init_process_group(
        'gloo',
        init_method=f'file://{folder}/store',
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=60))
    torch.set_num_threads(1)
    model = MMDistributedDataParallel(make_model(conflict=True))
    result = train(model, make_batches(), rank, 2, counts)
    torch.save(result, f'{folder}/rank{rank}.pth')
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize('counts', [1, 2])
def test_ranks_harmonize_the_whole_batch(tmp_path: Path, counts):
    mp.spawn(work, (str(tmp_path), counts), nprocs=2)
    results = [torch.load(tmp_path / f'rank{rank}.pth') for rank in (0, 1)]
    single = train(make_model(conflict=True), make_batches(), 0, 1, counts)
    assert max(single['angles']) > 91
    for result in results:
        torch.testing.assert_close(
            result['state'], single['state'], rtol=1e-5, atol=1e-6)
        assert result['angles'] == pytest.approx(single['angles'], abs=1e-2)
