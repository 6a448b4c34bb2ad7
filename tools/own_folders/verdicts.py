"""What a study of two folders says, in words."""
from __future__ import annotations

from typing import Sequence

from studying.comparison import LEVEL, Comparison, compare
from studying.contrast import Contrast, contrast
from studying.plan import NULL
from studying.results import Setting, differences, find

from .choice import run_name

SOURCE_ONLY = 'source-only'
ONE_SEED = ('With one seed nothing can be told from chance. Give more, such '
            'as --seeds 0 1 2: finished runs are kept.')

HELPS = 'It helps by more than chance: {}.'
HARMS = 'It harms: {}.'
NO_NULL = ('than the plain method, but whether by more than chance is open, '
           'since there is no null control (add null to --harmonizers): {}.')
AS_NULL = ('than the plain method, but not than the null control, which '
           'differs from it by roundings alone, so that it may be chance: {}.')
BETTER_WITHOUT_NULL = f'Better {NO_NULL}'
BETTER_AS_NULL = f'Better {AS_NULL}'
WORSE_WITHOUT_NULL = f'Worse {NO_NULL}'
WORSE_AS_NULL = f'Worse {AS_NULL}'
# In this order.
ANSWERS = (HELPS, BETTER_WITHOUT_NULL, BETTER_AS_NULL, HARMS,
           WORSE_WITHOUT_NULL, WORSE_AS_NULL)


def harmonized(settings: Sequence[Setting]) -> list[Setting]:
    """Return what is compared with its plain method, but for the null."""
    return [setting for setting in settings
            if setting.harmonizer not in (setting.baseline, NULL)]


def name_of(setting: Setting) -> str:
    return run_name(*setting[1:3], setting.baseline)


def headline(settings: list[Setting]) -> str:
    """Answer in a sentence or two whether harmonization helps."""
    changes = {
        name_of(setting): contrast([setting], settings)
        for setting in harmonized(settings)
    }
    compared = {name: change for name, change in changes.items()
                if change.baseline}
    if not changes:
        return 'Nothing was harmonized.'
    if not compared:
        return ONE_SEED
    parts = _answers(compared)
    if min(len(setting.runs) for setting in settings) < 3:
        parts.append('Two seeds are few: an interval of two differences may '
                     'be narrow, or wide, by chance.')
    if len(compared) > 1:
        parts.append(f'Of {len(compared)} comparisons chance alone would let '
                     f'{LEVEL * len(compared):.1f} look like a change.')
    return ' '.join(parts)


def _answers(compared: dict[str, Contrast]) -> list[str]:
    """Say what the intervals allow: of a gain whether it stands out from the
    null control as well, or from nothing but the plain method."""
    unchanged = []
    groups: dict[str, list[str]] = {text: [] for text in ANSWERS}
    for name, change in compared.items():
        text = _answer(change)
        if text is None:
            unchanged.append(name)
        else:
            groups[text].append(f'{name}, {change.baseline} points')
    answers = [text.format('; '.join(names))
               for text, names in groups.items() if names]
    if unchanged and not groups[HELPS]:
        which = '' if len(unchanged) == len(compared) else (
            f": {', '.join(unchanged)}")
        found = [compared[name].baseline for name in unchanged]
        answers.append(f'Not beyond chance{which}. {_what_was_seen(found)}')
    return answers


def _answer(change: Contrast) -> str | None:
    if not change.baseline.excludes_zero:
        return None
    better = change.baseline.mean > 0
    if change.verdict.endswith('and than the null'):
        return HELPS if better else HARMS
    if change.null is None:
        return BETTER_WITHOUT_NULL if better else WORSE_WITHOUT_NULL
    return BETTER_AS_NULL if better else WORSE_AS_NULL


def _what_was_seen(found: list[Comparison]) -> str:
    if all(one.has_no_spread for one in found):
        return ('All seeds gave the same difference, which does not tell what '
                'chance would do; more images of the target would.')
    seen = max(one.detectable for one in found)
    return (f'A gain of {seen:.1f} points would most likely have been seen, a '
            'smaller one may have been missed: more seeds see more.')


def sentences(settings: list[Setting]) -> list[str]:
    """Compare each method with the source alone, and each harmonizer with
    its plain method."""
    notes = []
    for setting in settings:
        if setting.harmonizer == setting.baseline and (
                setting.method != SOURCE_ONLY):
            source = find(settings, setting.pair, SOURCE_ONLY,
                          setting.baseline)
            notes += _against(setting, source, settings)
    for setting in settings:
        plain = find(settings, *setting[:2], setting.baseline)
        notes += _against(setting, plain, settings)
    return notes


def _against(setting: Setting, other: Setting,
             settings: list[Setting]) -> list[str]:
    changes = differences(setting, other)
    if not changes:
        return []
    about = f'{name_of(setting)} against {name_of(other)}'
    if setting.harmonizer == NULL:
        about += ', which differ by roundings alone'
    found = compare([changes])
    if found is None:
        return [f'{about}: {changes[0]:+.1f} points with one seed, which '
                'tells nothing.']
    if setting.method == other.method:
        verdict = contrast([setting], settings).verdict
    else:
        verdict = _verdict(found)
    return [f'{about}: {verdict}: {found.mean:+.1f}, {found.interval} points.']


def _verdict(found: Comparison) -> str:
    if not found.excludes_zero:
        return 'no difference beyond chance'
    return 'better' if found.mean > 0 else 'worse'
