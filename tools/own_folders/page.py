"""The page that a study of two folders ends with."""
from __future__ import annotations

import shlex
from copy import copy
from pathlib import Path

from reporting import curves
from reporting.diagnosis import diagnosis
from reporting.page import Picture, Section, Table, write_page
from reporting.report_run import ReportRun
from studying.chosen import checkpoint_file
from studying.contrast import contrast
from studying.plan import NULL
from studying.results import Setting, metric_name

from mmgh.analysis.plots import COLOURS
from mmgh.analysis.tables import spread
from .beginning import read_images, read_settings
from .choice import Trained, best_choice, finished_runs
from .inputs import DIGESTS
from .verdicts import SOURCE_ONLY, headline, name_of, sentences

PAGE = 'page.html'
PICTURES = {
    'accuracies.png': 'Each run, and the mean of each method and harmonizer.',
    'differences.png': 'Differences to the plain method, 95 % intervals.',
}
# Of what stands beside each method; no colour of a harmonizer.
GREY = '#777777'
UNKNOWN = (
    'The target has no labels, so this page has no accuracy. Where one would '
    'be, there is a score of the predictions: their mutual information in '
    'percent of the most that it can be, which is high where single '
    'predictions are certain and all classes are predicted. A classifier that '
    'is certain and wrong has a high score, too, and where the classes of the '
    'target differ in size the best one has not. Look at some hundred images '
    'of the target, and at what `mmgh predict` says of them, before you rely '
    'on it.')
CHOSEN = (
    'Chosen without target labels, from all runs: the checkpoint with the '
    'highest mutual information of its predictions on the target. It expects '
    'classes of similar sizes.')
ORACLE = (
    ' "Last" is the end of the training, "chosen" what each run chose, and '
    '"oracle" the best by target labels, which nobody without them could '
    'choose.')

SEEDS = 'Thin lines are the {} seeds, thick ones their mean.'


def write_folders_page(out: Path, settings: list[Setting]) -> Path:
    """Write all that a study says on one page.

    Args:
        out (Path): Folder of the study.
        settings (list[Setting]): Its results; there are some.

    Returns:
        Path: The page.
    """
    images, pair = read_images(out), settings[0].pair
    trained = finished_runs(out, pair)
    labelled = images['has_target_labels']
    sections = [
        Section('Does harmonization help here?', headline(settings),
                notes=sentences(settings)),
        _choice(trained, labelled),
        _results(out, settings, labelled),
        *_curves(trained, settings),
        _images(images),
        _settings(out, settings, labelled),
    ]
    if not labelled:
        sections.insert(1, Section('What this page cannot know', UNKNOWN))
    path = out / PAGE
    write_page(path, pair, sections)
    return path


def _choice(trained: list[Trained], labelled: bool) -> Section:
    title = 'Which model to take'
    if not trained:
        return Section(title, 'No run has left a checkpoint that it chose.')
    best = best_choice(trained)
    result, file = best.result, checkpoint_file(best.work_dir, best.result)
    place = shlex.quote(str(file))
    notes = [f"{best.name}, seed {result['seed']}, iteration "
             f"{result['chosen_iteration']} of {result['iterations']}: {file}"]
    if labelled:
        oracle = max(trained, key=lambda run: run.result['oracle_accuracy'])
        notes.append(
            f"Its target accuracy is {result['chosen_accuracy']:.1f} %, that "
            f"of the last iteration of this run {result['accuracy']:.1f} %. "
            'Oracle, which nobody without target labels could choose: '
            f"{oracle.result['oracle_accuracy']:.1f} % of {oracle.name}, seed "
            f"{oracle.result['seed']}.")
    return Section(
        title, CHOSEN, notes=notes, commands='\n'.join([
            f'mmgh predict {place} IMAGES... --out predictions.csv',
            f'mmgh export {place} --out FOLDER    # for mmpretrain; --onnx',
            f'mmgh report {shlex.quote(str(best.work_dir))} --out report.html',
        ]))


def _results(out: Path, settings: list[Setting], labelled: bool) -> Section:
    name = metric_name(settings)
    header = ['', 'seeds', f'{name}, last', 'chosen', 'oracle', 'difference',
              '95 % interval', 'verdict', 'in conflict (%)',
              'angle (degrees)']
    rows = [_row(setting, settings) for setting in settings]
    if not labelled:
        header.pop(4)
        rows = [[*row[:4], *row[5:]] for row in rows]
    return Section(
        'Results', 'Mean and standard deviation over the seeds. Differences '
        'are in points, to the plain method with the same seeds; the null '
        'control differs from it by roundings alone.' +
        (ORACLE if labelled else ''), Table(header, rows),
        [Picture((out / file).read_bytes(), caption)
         for file, caption in PICTURES.items() if (out / file).exists()])


def _row(setting: Setting, settings: list[Setting]) -> list[str]:
    change = contrast([setting], settings)
    found = change.baseline
    return [
        name_of(setting),
        str(len(setting.runs)),
        *(spread(setting.values(name))
          for name in ('accuracy', 'chosen_accuracy', 'oracle_accuracy')),
        f'{found.mean:+.1f}' if found else '-',
        str(found.interval) if found else '-', change.verdict,
        spread([100 * value for value in setting.values('conflict')]),
        spread(setting.values('angle'))
    ]


def _curves(trained: list[Trained], settings: list[Setting]) -> list[Section]:
    """Show the conflict and the curves of the runs with all seeds: of each
    method by itself, beside the source alone, in the colours that the
    harmonizers have among the results."""
    if not trained:
        return []
    trained = _in_order(trained, settings)
    harmonizers = _names(settings, 'harmonizer')
    # Of one name whatever the seed, as which they are drawn together.
    runs = [
        ReportRun(run.name, run.work_dir, run.result['metric'],
                  _colour(run.result, harmonizers), None) for run in trained
    ]
    sections = [diagnosis(_with_seeds(_as_plain(runs, trained), runs,
                                      trained))]
    count = len({run.result['seed'] for run in trained})
    seeds = SEEDS.format(count) if count > 1 else ''
    methods = [name for name in _names(settings, 'method')
               if name != SOURCE_ONLY]
    for method in methods or [SOURCE_ONLY]:
        group = [run for run, one in zip(runs, trained)
                 if one.result['method'] in (method, SOURCE_ONLY)]
        for show in (curves.validation, curves.conflict, curves.losses):
            section = show(group)
            section.title += f' of {method}'
            section.text = ' '.join(filter(None, (section.text, seeds)))
            sections.append(section)
    return sections


def _in_order(trained: list[Trained],
              settings: list[Setting]) -> list[Trained]:
    """Sort as the results are, and by seed."""
    places = {name_of(setting): i for i, setting in enumerate(settings)}
    return sorted(trained, key=lambda run: (places.get(run.name, len(places)),
                                            run.result['seed']))


def _with_seeds(chosen: list[ReportRun], runs: list[ReportRun],
                trained: list[Trained]) -> list[ReportRun]:
    """Return copies of the chosen runs that are called by their seeds."""
    copies = []
    for run, one in zip(runs, trained):
        if run in chosen:
            copies.append(copy(run))
            copies[-1].name += f" (seed {one.result['seed']})"
    return copies


def _names(settings: list[Setting], axis: str) -> list[str]:
    """Return the methods or the harmonizers that there are, in order."""
    return list(dict.fromkeys(getattr(s, axis) for s in settings))


def _colour(result: dict, harmonizers: list[str]) -> str:
    if result['method'] == SOURCE_ONLY:
        return GREY
    number = harmonizers.index(result['harmonizer'])
    return COLOURS[number % len(COLOURS)]


def _as_plain(runs: list[ReportRun],
              trained: list[Trained]) -> list[ReportRun]:
    """Return the null controls, whose steps are those of the plain method,
    which does not measure them; all that have been measured without these."""
    measured = [run for run in runs if run.pairs]
    nulls = [run for run, one in zip(runs, trained)
             if one.result['harmonizer'] == NULL]
    return [run for run in measured if run in nulls] or measured


def _images(images: dict) -> Section:
    rows = [(name, str(source), '-' if target is None else str(target))
            for name, (source, target) in images['classes'].items()]
    total = 'all', str(images['source']), str(images['target'])
    return Section(
        'Images', notes=images['notes'] or ['Nothing is wrong with them.'],
        table=Table(('class', 'source', 'target'), [*rows, total]))


def _settings(out: Path, settings: list[Setting], labelled: bool) -> Section:
    # Not whether labels were wanted, but whether there are any.
    begun = {**read_settings(out), 'target_labels': labelled}
    rows = [(name.replace('_', ' '), str(value))
            for name, value in begun.items()
            if value is not None and name not in DIGESTS
            and not name.endswith('_images')]  # digests of earlier versions
    folder = out / 'configs'
    # Of what was left out nothing is trained.
    command = shlex.join([
        'mmgh', 'study', str(folder / 'study.py'), '--out', str(out),
        '--methods', *_names(settings, 'method'), '--harmonizers',
        *_names(settings, 'harmonizer')
    ])
    return Section(
        'Settings', 'The configs are a beginning for your own. More seeds '
        'narrow the intervals; finished runs are not done again.',
        Table(('setting', 'value'), rows),
        commands='\n'.join([
            f'{command} --seeds 0 1 2 3 4',
            f"mmgh train {shlex.quote(str(folder / 'dann.py'))} "
            '--harmonizer GHPlusPlus',
        ]))
