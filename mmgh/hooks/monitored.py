"""Who waits for a metric."""
from __future__ import annotations

from typing import Iterator, NamedTuple

from mmengine.hooks import CheckpointHook, EarlyStoppingHook

from .runner_parts import schedulers_of

AUTO = 'auto'


class Monitored(NamedTuple):
    """A metric that a hook or a schedule waits for."""

    owner: str
    """Type of who waits."""
    setting: str
    """Its setting that names the metric."""
    name: str
    """Of the metric; of a checkpoint hook also ``'auto'``, the first one."""
    rule: str | None
    """Whether the better value is the ``'greater'`` or the ``'less'``; None
    if that is inferred from the name of the first metric."""

    @property
    def who(self) -> str:
        """The setting, with its owner."""
        return f'`{self.setting}` of {self.owner}'


def monitored(runner) -> Iterator[Monitored]:
    """Yield all that is waited for."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook):
            for name, rule in zip(hook.save_best or (),
                                  getattr(hook, 'rules', ())):
                yield Monitored('CheckpointHook', 'save_best', name, rule)
        elif isinstance(hook, EarlyStoppingHook):
            yield Monitored('EarlyStoppingHook', 'monitor', hook.monitor,
                            hook.rule)
    for scheduler in schedulers_of(runner):
        if hasattr(scheduler, 'monitor'):
            yield Monitored(
                type(scheduler).__name__, 'monitor', scheduler.monitor,
                getattr(scheduler, 'rule', None))


def can_infer_rule(runner, name: str) -> bool:
    """Tell whether the checkpoint hooks infer the rule of a metric from its
    name, as they do after the first validation."""
    return all(
        any(key.lower() in name.lower()
            for key in (*hook.greater_keys, *hook.less_keys))
        for hook in runner.hooks if isinstance(hook, CheckpointHook))
