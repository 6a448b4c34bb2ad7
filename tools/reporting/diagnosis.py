"""Whether there was anything to harmonize, and what to try."""
from __future__ import annotations

from mmgh.analysis.conflict import PairHistory
from mmgh.analysis.diagnosis import Diagnosis, diagnose, thirds
from .page import Section, Table
from .report_run import ReportRun

TITLE = 'Is there anything to harmonize?'
TEXT = (
    'At 90 degrees gradients have nothing to do with each other, above they '
    'conflict; the interval of an angle (95 %) is by ten parts of the '
    'training. "Opposed" are steps of the plain sum that let the loss of a '
    'task grow. The last columns are what each harmonizer would have done to '
    'these steps: by how much it changes them, early, in the middle and late, '
    'in percent of their length. A run with '
    '--harmonizer Observe shows what is there without harmonization.')
HEADER = ('run', 'tasks', 'angle (degrees)', 'early, middle, late',
          'in conflict (%)', 'opposed (%)', 'mean weights', 'GH changes (%)',
          'GH++ changes (%)', 'RelativeClip changes (%)')
MIN_COMPARISONS = 30


def diagnosis(runs: list[ReportRun]) -> Section:
    rows: list[tuple] = []
    told: dict[str, list[str]] = {}  # of whom, by what

    def tell(name: str, note: str) -> None:
        told.setdefault(note, []).append(name)

    for run in runs:
        if not run.pairs:
            tell(run.name,
                 'no gradients were compared. Trained with --harmonizer '
                 'Observe they are, and nothing else changes.')
        for pair in run.pairs:
            name = run.name
            if len(run.pairs) > 1:
                name += f" ({', '.join(pair.tasks)})"
            if len(pair.angles) < MIN_COMPARISONS:
                tell(name, f'{len(pair.angles)} comparisons of gradients are '
                     'too few to tell.')
                continue
            found = diagnose(pair)
            rows.append(_row(run, pair, found))
            for note in verdicts(found):
                tell(name, note)
    notes = [f"{', '.join(names)}: {note}" for note, names in told.items()]
    if not rows:
        return Section(TITLE, notes=notes)
    return Section(TITLE, TEXT, Table(HEADER, rows), notes=notes)


def verdicts(found: Diagnosis) -> list[str]:
    """Say in words what there is, and what to try."""
    notes = []
    if found.is_too_strong:
        notes.append(
            'the gradient of the alignment is long beside what the '
            'classification began with: the alignment may be too strong. Try '
            '--harmonizer RelativeClip, or less of it (loss_weight, or '
            'max_coefficient of the reversal). GH and GH++ do not protect '
            'from that.')
    if found.has_conflict:
        first = ', once the alignment is not too strong'
        notes.append(
            'the gradients conflict. Try --harmonizer GH and GHPlusPlus'
            f"{first if found.is_too_strong else ''}, over five seeds or more "
            'and beside the null control (`mmgh study`): a single run tells '
            'nothing below two or three points.')
    elif found.angle[0] < 90:
        notes.append('the tasks agree on the whole: there is hardly anything '
                     'to harmonize.')
    else:
        notes.append(
            'the gradients are nearly orthogonal: there is hardly anything '
            'to harmonize. Weights stay near 1, or act as constants would.')
    return notes


def _row(run: ReportRun, pair: PairHistory, found: Diagnosis) -> tuple:
    angle = '{:.1f} ({:.1f} to {:.1f})'.format(*found.angle)
    changes = [
        _three(100 * share for share in thirds(found.effects[name].changes))
        if name in found.effects else '-'
        for name in ('GH', 'GH++', 'RelativeClip')
    ]
    opposed = 100 * found.opposed_rate
    weights = ', '.join(f'{pair.weights[task].mean():.2f}'
                        for task in pair.tasks)
    return (run.name, ', '.join(pair.tasks), angle, _three(found.angles),
            f'{100 * found.conflict_rate:.0f}',
            '-' if opposed != opposed else f'{opposed:.0f}', weights,
            *changes)


def _three(values) -> str:
    return ', '.join(f'{value:.1f}' for value in values)
