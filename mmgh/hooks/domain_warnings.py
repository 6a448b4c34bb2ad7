"""Domains of a training that are hardly meant to be the same."""
from __future__ import annotations

from typing import Any, Iterator, Mapping

# What tells a domain of a data set; a split of it has others.
_OF_DOMAIN = ('type', 'data_root', 'data_prefix', 'domain')
_OF_DATA = ('ann_file', 'split', 'indices', *_OF_DOMAIN)


def warnings_of_domains(cfg: Mapping) -> Iterator[str]:
    """Yield a sentence on each, by the config of a training."""
    pair = _dataset(cfg, 'train_dataloader')
    source, target = pair.get('source'), pair.get('target')
    if not isinstance(source, Mapping) or not isinstance(target, Mapping):
        return
    if _parts(source, _OF_DATA) == _parts(target, _OF_DATA):
        yield ('`train_dataloader.dataset.target` should be of another domain '
               'than `source`, but has the same images: there is nothing to '
               'adapt to.')
        return
    for name in ('val_dataloader', 'test_dataloader'):
        domain = _parts(_dataset(cfg, name), _OF_DOMAIN)
        if domain == _parts(source, _OF_DOMAIN) != _parts(target, _OF_DOMAIN):
            yield (f'`{name}.dataset` should be of the target, but is of the '
                   'source: so is the accuracy.')


def _dataset(cfg: Mapping, loader: str) -> Mapping:
    dataset = (cfg.get(loader) or {}).get('dataset')
    return dataset if isinstance(dataset, Mapping) else {}


def _parts(dataset: Mapping, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: dataset[name] for name in names if dataset.get(name)}
