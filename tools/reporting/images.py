"""What the models make of the images: features, classes, mistakes."""
from __future__ import annotations

from typing import Sequence

import numpy as np
from mmengine.dataset import default_collate
from mmgh.analysis import (Outputs, domain_datasets, has_domain_pair,
                           outputs_of_domains, target_dataset)
from mmgh.analysis.images import visible
from mmgh.analysis.per_class import class_accuracies
from mmgh.analysis.plots import pyplot
from mmgh.analysis.plots.bars import per_class_figure
from mmgh.analysis.plots.embedding import tsne_figure
from mmgh.analysis.tsne import embed
from mmgh.image_pipeline import target_test_data
from torch.utils.data import Dataset

from .page import Picture, Section, picture_of
from .report_run import ReportRun

COLUMNS = 8
LINES = 3


def image_sections(runs: list[ReportRun], max_images: int,
                   device: str) -> list[Section]:
    """All runs see the images of the first one that names both domains."""
    paired = [run for run in runs if has_domain_pair(run.cfg)]
    datasets = (
        domain_datasets(paired[0].cfg)
        if paired else dict(target=target_dataset(runs[0].cfg)))
    outputs = {
        run.name: outputs_of_domains(
            run.trained, datasets, max_images, device=device)
        for run in runs
    }
    sections = [features(runs, outputs)]
    if any(output['target'].labels is None for output in outputs.values()):
        text = 'The test images of the target have no labels.'
        return sections + [Section('Mistakes', text)]
    return sections + [
        classes(runs, outputs),
        mistakes(runs, outputs, datasets['target'])
    ]


def features(runs: list[ReportRun], outputs: dict) -> Section:
    if any('source' not in domains for domains in outputs.values()):
        return Section('Features', 'No run names both domains.')
    pictures = []
    for run in runs:
        embedding = embed(outputs[run.name], _perplexity(outputs[run.name]))
        figure = tsne_figure({run.name: embedding}, run.trained.classes)
        pictures.append(picture_of(
            figure, f'Features of both domains, {run.name}. Target labels '
            'only colour the points.'))
    return Section('Features', pictures=pictures)


def classes(runs: list[ReportRun], outputs: dict) -> Section:
    names = runs[0].trained.classes
    targets = {name: domains['target'] for name, domains in outputs.items()}
    labels = targets[runs[0].name].labels.numpy()
    accuracies = [
        class_accuracies(name, output.probabilities.argmax(1).numpy(), labels,
                         len(names)) for name, output in targets.items()
    ]
    counts = np.bincount(labels, minlength=len(names))
    figure = per_class_figure(accuracies, names, counts)
    return Section('Classes', pictures=[
        picture_of(figure, f'Accuracy of each class on {len(labels)} test '
                   'images of the target.')
    ])


def mistakes(runs: list[ReportRun], outputs: dict,
             dataset: Dataset) -> Section:
    return Section('Mistakes', 'The most confident ones come first.',
                   pictures=[
                       _mistakes_of(run, outputs[run.name]['target'], dataset)
                       for run in runs
                   ])


def _mistakes_of(run: ReportRun, output: Outputs, dataset: Dataset) -> Picture:
    confidences, predictions = output.probabilities.max(1)
    wrong = (predictions != output.labels).nonzero().flatten()
    shown = wrong[confidences[wrong].argsort(descending=True)]
    shown = shown[:COLUMNS * LINES].tolist()
    lines = max(1, -(-len(shown) // COLUMNS))
    figure, panels = pyplot.subplots(
        lines, COLUMNS, squeeze=False, figsize=(12, 0.3 + 1.9 * lines),
        layout='constrained')
    names = run.trained.classes
    for axes in panels.flat:
        axes.set_axis_off()
    items = [dataset[output.indices[i]] for i in shown]
    for axes, i, image in zip(panels.flat, shown, _images(run, items)):
        axes.imshow(image)
        axes.set_title(
            f'{names[output.labels[i]]}\nnot {names[predictions[i]]} '
            f'({100 * confidences[i]:.0f} %)', fontsize=8)
    return picture_of(
        figure, f'{run.name}: {len(wrong)} of {len(predictions)} test images '
        'of the target are misclassified.')


def _images(run: ReportRun, items: list[dict]) -> Sequence[np.ndarray]:
    """As the network of a run gets them."""
    if not items:
        return []
    preprocessor = run.trained.build_model().data_preprocessor
    inputs = preprocessor(default_collate(items), False)['inputs']
    preprocessor = getattr(preprocessor, 'preprocessor', preprocessor)
    pipeline = target_test_data(run.cfg).pipeline
    return visible(inputs, preprocessor, pipeline)


def _perplexity(domains: dict[str, Outputs]) -> float:
    """Below the number of images, however few there are."""
    count = sum(len(output.features) for output in domains.values())
    return min(30, (count - 1) / 3)
