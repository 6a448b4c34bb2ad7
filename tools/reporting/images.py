"""What the models make of the images: features, classes, mistakes."""
from __future__ import annotations

import textwrap
from typing import NamedTuple, Sequence

import numpy as np
from expected_errors import message_of
from mmengine.dataset import default_collate
from progress import track, working
from torch.utils.data import Dataset

from mmgh.analysis import Outputs, outputs_of_domains
from mmgh.analysis.images import visible
from mmgh.analysis.per_class import class_accuracies, confusion
from mmgh.analysis.plots import names_as_they_are, subplots
from mmgh.analysis.plots.bars import per_class_figure
from mmgh.analysis.plots.confusion import confusion_figure
from mmgh.analysis.plots.embedding import tsne_figure
from mmgh.analysis.tsne import embed
from mmgh.config_data import pipeline_of, target_test_data
from mmgh.input_error import InputError
from .page import Picture, Section, picture_of
from .report_run import ReportRun
from .run_data import datasets_of

COLUMNS = 8
LINES = 3
# Letters that fit over an image.
NAME_WIDTH = 18


class Seen(NamedTuple):
    """What a run makes of its images, by domain."""

    run: ReportRun
    datasets: dict[str, Dataset]
    outputs: dict[str, Outputs]

    @property
    def target(self) -> Outputs:
        return self.outputs['target']


def image_sections(runs: list[ReportRun], max_images: int,
                   device: str) -> list[Section]:
    """Show each run on its own images; say what cannot be shown."""
    seen, problems = [], []
    for run in runs:
        try:
            datasets = datasets_of(run, runs)
            seen.append(
                Seen(
                    run, datasets,
                    outputs_of_domains(
                        run.shown, datasets, max_images, device=device,
                        track=track)))
        except InputError as error:
            problems.append(f'{run.name} is not shown: {message_of(error)}')
    labelled = [one for one in seen if one.target.labels is not None]
    problems_of_labels = problems + [
        f'{one.run.name} has no labels of the target.' for one in seen
        if one.target.labels is None
    ]
    return [
        features(seen, problems),
        classes(labelled, problems_of_labels),
        confusions(labelled, problems_of_labels),
        mistakes(labelled, problems_of_labels)
    ]


def features(seen: list[Seen], problems: list[str]) -> Section:
    problems = problems + [
        f'{one.run.name} names no source.'
        for one in seen if 'source' not in one.outputs
    ]
    pictures = []
    for one in seen:
        if 'source' in one.outputs:
            with working(f't-SNE of {one.run.name}'):
                embedding = embed(one.outputs, _perplexity(one.outputs))
            figure = tsne_figure({one.run.name: embedding}, one.run.classes)
            pictures.append(picture_of(
                figure, f'Features of both domains, {one.run.name}, by '
                f'{one.run.shown.path.name}. Target labels only colour the '
                'points.'))
    return Section('Features', ' '.join(problems), pictures=pictures)


def classes(seen: list[Seen], problems: list[str]) -> Section:
    """Show runs with the same test images in one picture."""
    groups: dict[tuple, list[Seen]] = {}
    for one in seen:
        key = (*one.run.classes, one.target.labels.numpy().tobytes())
        groups.setdefault(key, []).append(one)
    pictures = [_accuracies_of(group) for group in groups.values()]
    return Section('Classes', ' '.join(problems), pictures=pictures)


def confusions(seen: list[Seen], problems: list[str]) -> Section:
    """Show which classes are taken for which."""
    return Section('Confusion', ' '.join(problems),
                   pictures=list(map(_confusion_of, seen)))


def mistakes(seen: list[Seen], problems: list[str]) -> Section:
    pictures, problems = [], list(problems)
    for one in seen:
        try:
            pictures.append(_mistakes_of(one))
        except InputError as error:  # features have no images
            problems.append(f'{one.run.name} is not shown: {error}')
    text = ' '.join(['The most confident ones come first.', *problems])
    return Section('Mistakes', text, pictures=pictures)


def _accuracies_of(group: list[Seen]) -> Picture:
    names = group[0].run.classes
    labels = group[0].target.labels.numpy()
    accuracies = [
        class_accuracies(one.run.name,
                         one.target.probabilities.argmax(1).numpy(), labels,
                         len(names)) for one in group
    ]
    figure = per_class_figure(accuracies, names,
                              np.bincount(labels, minlength=len(names)),
                              [one.run.colour for one in group])
    return picture_of(
        figure, f'Accuracy of each class on {len(labels)} test images of the '
        'target.')


def _confusion_of(one: Seen) -> Picture:
    names = one.run.classes
    matrix = confusion(one.target.probabilities.argmax(1).numpy(),
                       one.target.labels.numpy(), len(names))
    return picture_of(
        confusion_figure({one.run.name: matrix}, names),
        f'{one.run.name}: which classes the test images of the target are '
        'taken for.')


@names_as_they_are()
def _mistakes_of(one: Seen) -> Picture:
    confidences, predictions = one.target.probabilities.max(1)
    labels = one.target.labels
    wrong = (predictions != labels).nonzero().flatten()
    shown = wrong[confidences[wrong].argsort(descending=True)]
    shown = shown[:COLUMNS * LINES].tolist()
    lines = max(1, -(-len(shown) // COLUMNS))
    figure, panels = subplots(
        lines, COLUMNS, squeeze=False, figsize=(12, 0.3 + 2.1 * lines))
    for axes in panels.flat:
        axes.set_axis_off()
    names = one.run.classes
    for axes, i, image in zip(panels.flat, shown, _images(one, shown)):
        axes.imshow(image)
        title = (f'is {names[labels[i]]}', f'predicted {names[predictions[i]]}'
                 f' ({100 * confidences[i]:.0f} %)')
        axes.set_title(
            '\n'.join(textwrap.fill(line, NAME_WIDTH) for line in title),
            fontsize=8)
    return picture_of(
        figure, f'{one.run.name}: {len(wrong)} of {len(predictions)} test '
        'images of the target are misclassified.')


def _images(one: Seen, shown: list[int]) -> Sequence[np.ndarray]:
    """Return images as the network of a run gets them."""
    if not shown:
        return []
    dataset = one.datasets['target']
    items = [dataset[one.target.indices[i]] for i in shown]
    preprocessor = one.run.shown.build_model().data_preprocessor
    inputs = preprocessor(default_collate(items), False)['inputs']
    preprocessor = getattr(preprocessor, 'preprocessor', preprocessor)
    return visible(inputs, preprocessor,
                   pipeline_of(target_test_data(one.run.cfg)))


def _perplexity(domains: dict[str, Outputs]) -> float:
    """Choose one below the number of images, however few there are."""
    count = sum(len(output.features) for output in domains.values())
    return min(30, (count - 1) / 3)
