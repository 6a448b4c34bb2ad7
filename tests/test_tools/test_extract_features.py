"""Features are extracted, trained on, and put behind their network again."""
from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmpretrain import get_model

from mmgh.analysis import load_trained
from mmgh.deployment import find_images, probabilities_of, run_onnx
from mmgh.feature_files import read_domain
from ..config_names import ROOT
from ..test_datasets.layouts import CLASSES, write_folders, write_image
from ..test_deployment.onnx_packages import skip_without_onnx

NETWORK = """
default_scope = 'mmpretrain'
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet', depth=18, num_stages=2, strides=(1, 2),
        dilations=(1, 1), out_indices=(1, ), base_channels=16,
        init_cfg=dict(type='Pretrained', checkpoint='nowhere.pth')),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=32, num_classes=9))
data_preprocessor = dict(mean=[10, 20, 30], std=[20, 20, 20], to_rgb=True)
test_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='ResizeEdge', scale=36),
            dict(type='CenterCrop', crop_size=(32, 32)),
            dict(type='PackInputs'),
        ]))
"""
CONFIG = ROOT / 'features/gvb_lite0_1xb32-0.6k_office31-amazon2webcam.py'
VIEWS = 3


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with images of two domains, and a network with weights."""
    place = tmp_path_factory.mktemp('features')
    for domain, count in (('art', 5), ('photo', 4)):
        write_folders(place / 'data' / domain, count)
        for i, path in enumerate(find_images([place / 'data' / domain])):
            write_texture(path, i)
    (place / 'network.py').write_text(NETWORK)
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    config = Config.fromfile(place / 'network.py')
    config.model.backbone.pop('init_cfg')
    model = MODELS.build(config.model)
    for name, value in model.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 1.5)
    torch.save(dict(state_dict=model.state_dict()), place / 'network.pth')
    return place


def write_texture(path: Path, seed: int) -> None:
    """An image with something to see, so that views differ."""
    from PIL import Image
    pixels = np.random.default_rng(seed).integers(
        0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((50, 40)).save(path)


@pytest.fixture(scope='module')
def extract(tools, place):
    """``extract(out, *data)`` of the network of these tests."""

    def run(out: Path, *data: str, **options) -> None:
        words = dict(checkpoint=place / 'network.pth', views=VIEWS)
        words = {**words, 'batch-size': 4, **options}
        flags = [
            word for name, value in words.items()
            for word in (f'--{name}', value)
        ]
        paths = [
            name if '=' in name else place / 'data' / name for name in data
        ]
        tools('extract_features', place / 'network.py', *paths, '--out', out,
              *flags)

    return run


@pytest.fixture(scope='module')
def features(extract, place) -> Path:
    extract(place / 'features', 'art', 'photo')
    return place / 'features'


@pytest.fixture(scope='module')
def run(train, features, place) -> Path:
    """A training on the features."""
    work_dir = place / 'run'
    pair = 'train_dataloader.dataset'
    loaders = [f'{name}_dataloader.dataset' for name in ('val', 'test')]
    train(
        CONFIG, work_dir, 'model.neck.in_channels=32',
        'model.head.num_classes=3', f'{pair}.source.domain=art',
        f'{pair}.target.domain=photo', *(
            f'{name}.data_root={features}'
            for name in (f'{pair}.source', f'{pair}.target', *loaders)),
        *(f'{name}.domain=photo' for name in loaders))
    return work_dir


def read(folder: Path, domain: str) -> np.ndarray:
    return np.load(folder / f'{domain}.npy')


def images_of(place: Path, domain: str) -> list[Path]:
    names = read_domain(place / 'features', domain).files
    return [place / 'data' / domain / name for name in names]


def through_network(place: Path, domain: str) -> torch.Tensor:
    """View 0, by mmpretrain alone."""
    model = get_model(
        str(place / 'network.py'), str(place / 'network.pth'))
    pipeline = Config.fromfile(
        place / 'network.py').test_dataloader.dataset.pipeline
    dataset = DATASETS.build(
        dict(
            type='CustomDataset',
            data_root=str(place / 'data' / domain),
            pipeline=pipeline))
    images = torch.stack([item['inputs'] for item in dataset])
    data = model.data_preprocessor(dict(inputs=images), False)
    with torch.no_grad():
        return model.extract_feat(data['inputs'])[-1]


def test_view_0_is_what_enters_the_head(features, place):
    for domain, count in (('art', 5), ('photo', 4)):
        values = read(features, domain)
        assert values.shape == (VIEWS, 3 * count, 32)
        assert values.dtype == np.float16 and values.std() > 0
        torch.testing.assert_close(
            torch.from_numpy(values[0]).float(),
            through_network(place, domain),
            atol=1e-3,
            rtol=2e-3)


def test_other_views_are_augmented(features):
    values = read(features, 'art').astype(float)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        different = abs(values[first] - values[second]).max(axis=1) > 1e-2
        assert different.mean() > 0.9


def test_what_is_known_of_the_images(features):
    found = read_domain(features, 'photo')
    assert found.classes == list(CLASSES)
    assert found.labels == [0] * 4 + [1] * 4 + [2] * 4
    assert [name.split('/')[0] for name in found.files] == [
        CLASSES[label] for label in found.labels
    ]
    assert found.broken is None
    assert {path.name for path in features.iterdir()} == {
        'art.json', 'art.npy', 'photo.json', 'photo.npy', 'network.json',
        'network.pth'
    }


def test_nothing_of_this_machine_is_kept(features, place):
    for path in features.glob('*.json'):
        assert str(place) not in path.read_text()


@pytest.mark.parametrize('stop', [1, 3])
def test_it_goes_on_where_it_stopped(extract, features, tmp_path, load_tool,
                                     monkeypatch, stop):
    load_tool('extract_features')  # so that its parts are found
    from feature_extraction import extraction
    seen = []

    def count(model, images):
        if len(seen) == stop * VIEWS:
            raise KeyboardInterrupt
        seen.append(len(images))
        return features_of_images(model, images)

    features_of_images = extraction.features_of_images
    with monkeypatch.context() as patch:
        patch.setattr(extraction, 'features_of_images', count)
        with pytest.raises(SystemExit, match='130'):
            extract(tmp_path / 'out', 'art')
    assert not (tmp_path / 'out/art.json').exists()
    seen.clear()
    stop = 10**9
    monkeypatch.setattr(extraction, 'features_of_images', count)
    extract(tmp_path / 'out', 'art')
    assert sum(seen) < VIEWS * 15
    for name in ('art.npy', 'art.json'):
        assert (tmp_path / f'out/{name}').read_bytes() == (
            features / name).read_bytes()


def test_what_is_complete_is_not_done_again(extract, features, capsys,
                                            place):
    before = (features / 'art.npy').stat().st_mtime_ns
    extract(features, f"again={place / 'data/photo'}", 'art')
    assert 'art: all 15 images are there already' in capsys.readouterr().out
    assert (features / 'art.npy').stat().st_mtime_ns == before
    assert np.array_equal(read(features, 'again'), read(features, 'photo'))
    for path in features.glob('again.*'):
        path.unlink()


@pytest.mark.parametrize('options', [dict(views=2), dict(seed=1)])
def test_features_of_another_network_are_refused(extract, features, options):
    with pytest.raises(SystemExit, match='of one network.* See --out'):
        extract(features, 'art', **options)


def test_other_weights_are_another_network(extract, features, place,
                                           tmp_path):
    weights = torch.load(place / 'network.pth')['state_dict']
    weights['backbone.conv1.weight'] *= 1.01
    torch.save(weights, tmp_path / 'other.pth')
    with pytest.raises(SystemExit, match='weights, config, views or seed'):
        extract(features, 'art', checkpoint=tmp_path / 'other.pth')


def test_broken_images_are_named_and_left_out(extract, features, place,
                                              tmp_path, capsys):
    data = tmp_path / 'art'
    data.symlink_to(place / 'data/art')
    bad = place / 'data/art' / CLASSES[1] / 'broken.jpg'
    bad.write_text('no image')
    try:
        with pytest.raises(SystemExit, match='1 images cannot be read'):
            extract(tmp_path / 'out', f'art={data}')
        assert 'broken.jpg is left out' in capsys.readouterr().out
        with pytest.raises(SystemExit, match='1 images cannot be read'):
            extract(tmp_path / 'out', f'art={data}')  # it still is
        told = capsys.readouterr().out
        assert 'broken.jpg is left out' in told
        assert 'all 15 images are there already' in told
    finally:
        bad.unlink()
    assert np.array_equal(read(tmp_path / 'out', 'art'), read(features, 'art'))
    found = read_domain(tmp_path / 'out', 'art')
    assert list(found.broken) == [f'{CLASSES[1]}/broken.jpg']
    assert found._replace(broken=None) == read_domain(features, 'art')


@pytest.fixture
def copied(features, place, tmp_path, load_tool, monkeypatch):
    """Features in a folder of their own, the images they are of, and a list
    of how many images the network sees from now on."""
    shutil.copytree(place / 'data/photo', tmp_path / 'photo')
    (tmp_path / 'out').mkdir()
    for path in features.glob('*'):
        if path.stem in ('photo', 'network'):
            shutil.copy(path, tmp_path / 'out')
    load_tool('extract_features')  # so that its parts are found
    from feature_extraction import extraction
    seen = []
    original = extraction.features_of_images
    monkeypatch.setattr(
        extraction, 'features_of_images',
        lambda model, images: seen.append(len(images)) or original(
            model, images))
    return tmp_path / 'out', tmp_path / 'photo', seen


def change(photo: Path, kind: str) -> None:
    """Change one image of twelve, or none."""
    path = photo / CLASSES[1] / 'frame_0001.jpg'
    if kind == 'replaced':
        write_texture(path, 99)
    elif kind == 'of the same size':
        path.write_bytes((photo / CLASSES[2] / path.name).read_bytes())
    elif kind == 'added':
        write_texture(path.with_name('another.jpg'), 99)
    elif kind == 'removed':
        path.unlink()
    elif kind == 'touched':
        os.utime(path, (0, 0))
    elif kind == 'another class':
        (photo / 'a').mkdir()


@pytest.mark.parametrize('kind, number', [
    ('replaced', 1), ('of the same size', 1), ('added', 1), ('removed', 0),
    ('touched', 0), ('another class', 0)])
def test_what_has_changed_is_extracted_again(extract, copied, capsys, tmp_path,
                                             kind, number):
    out, photo, seen = copied
    change(photo, kind)
    extract(out, f'photo={photo}')
    assert sum(seen) == number * VIEWS
    told = capsys.readouterr().out
    assert ('1 images are others than before, such as laptop computer/frame'
            '_0001.jpg' in told) == (kind in ('replaced', 'of the same size'))
    assert ('are there already' in told) == (kind == 'touched')
    extract(tmp_path / 'anew', f'photo={photo}')
    assert read_domain(out, 'photo') == read_domain(tmp_path / 'anew', 'photo')
    np.testing.assert_array_equal(
        read(out, 'photo'), read(tmp_path / 'anew', 'photo'))


def test_a_repaired_image_gets_features(extract, copied, features):
    out, photo, seen = copied
    path = photo / CLASSES[1] / 'frame_0001.jpg'
    whole = path.read_bytes()
    path.write_text('no image')
    for _ in range(2):
        with pytest.raises(SystemExit, match='1 images cannot be read'):
            extract(out, f'photo={photo}')
    assert len(read_domain(out, 'photo').files) == 11 and not seen
    path.write_bytes(whole)
    extract(out, f'photo={photo}')
    assert sum(seen) == VIEWS
    assert read_domain(out, 'photo') == read_domain(features, 'photo')
    np.testing.assert_array_equal(
        read(out, 'photo'), read(features, 'photo'))


def test_features_without_digests_are_those_of_the_names(extract, copied,
                                                         capsys):
    """As they were written once."""
    out, photo, seen = copied
    found = json.loads((out / 'photo.json').read_text())
    del found['digests']
    found['broken'] = {found['files'].pop(): 'no image'}
    found['labels'].pop()
    (out / 'photo.json').write_text(json.dumps(found))
    np.save(out / 'photo.npy', read(out, 'photo')[:, :-1])
    change(photo, 'replaced')
    extract(out, f'photo={photo}')
    assert sum(seen) == VIEWS  # the one that could not be read
    assert 'are still the same images was not' in capsys.readouterr().out
    *others, last = read_domain(out, 'photo').digests
    assert last and not any(others)
    extract(out, f'photo={photo}')
    told = capsys.readouterr().out
    assert 'all 12 images are there already' in told
    assert 'are still the same images was not' in told


def test_images_without_classes_have_no_labels(extract, tmp_path):
    for i in range(3):
        write_image(tmp_path / f'flat/{i}.png', i)
    extract(tmp_path / 'out', f"flat={tmp_path / 'flat'}")
    found = read_domain(tmp_path / 'out', 'flat')
    assert (found.classes, found.labels) == (None, None)
    assert found.files == ['0.png', '1.png', '2.png']


def test_hidden_folders_are_no_classes(extract, tmp_path):
    """As in training; one beside images alone does not make them classes."""
    for folder in ('flat', 'labelled/ant'):
        write_image(tmp_path / folder / '0.png', 0)
    for folder in ('flat', 'labelled', 'deep/ant'):
        write_image(tmp_path / folder / '.ipynb_checkpoints/1.png', 1)
    write_image(tmp_path / 'deep/ant/0.png', 0)
    extract(tmp_path / 'out', *(
        f'{name}={tmp_path / name}' for name in ('flat', 'deep')))
    assert read_domain(tmp_path / 'out', 'flat').labels is None
    assert read_domain(tmp_path / 'out', 'flat').files == ['0.png']
    assert read_domain(tmp_path / 'out', 'deep').files == ['ant/0.png']
    with pytest.raises(SystemExit, match='ipynb_checkpoints.*hidden'):
        extract(tmp_path / 'out', f"labelled={tmp_path / 'labelled'}")


@pytest.mark.parametrize('data, options, message', [
    (['art', 'art'], {}, 'different names'),
    (['missing'], {}, 'missing should be a folder'),
    (['art'], dict(checkpoint='nothing.pth'), 'should be a checkpoint'),
    (['art'], {'cfg-options': 'model.neck=None'}, 'one vector an image'),
])
def test_wrong_input_is_told_in_a_line(extract, tmp_path, data, options,
                                       message):
    with pytest.raises(SystemExit, match=message):
        extract(tmp_path / 'out', *data, **options)
    assert not (tmp_path / 'out').exists()


def test_weights_have_to_come_from_somewhere(tools, place, tmp_path):
    path = tmp_path / 'network.py'
    path.write_text(NETWORK.replace('Pretrained', 'Kaiming').replace(
        "checkpoint='nowhere.pth'", "layer='Conv2d'"))
    with pytest.raises(SystemExit, match='weights.* See --checkpoint'):
        tools('extract_features', path, place / 'data/art', '--out',
              tmp_path / 'out')


def test_checkpoint_may_be_of_the_backbone_alone(extract, features, place,
                                                 tmp_path):
    weights = torch.load(place / 'network.pth')['state_dict']
    torch.save({
        name.replace('backbone.', ''): value
        for name, value in weights.items() if name.startswith('backbone.')
    }, tmp_path / 'backbone.pth')
    extract(features, 'art', checkpoint=tmp_path / 'backbone.pth')


def test_a_run_is_a_network_with_weights(tools, features, place, tmp_path,
                                         capsys):
    cfg = Config.fromfile(place / 'network.py')
    weights = torch.load(place / 'network.pth')['state_dict']
    path = tmp_path / 'run.pth'
    torch.save(dict(state_dict=weights, meta=dict(cfg=cfg.pretty_text)), path)
    tools('extract_features', path, place / 'data/art', '--out', features,
          '--views', VIEWS)
    assert 'are there already' in capsys.readouterr().out


def test_exported_classifier_predicts_images_as_the_run_predicts_features(
        run, tools, place):
    expected = of_features(run)
    folder = place / 'exported'
    tools('export', run, '--out', folder)
    model = get_model(str(folder / 'config.py'),
                      str(folder / 'classifier.pth'))
    assert 'mmgh' not in (folder / 'config.py').read_text()
    assert type(model).__name__ == 'ImageClassifier'
    found = probabilities_of(model, target_images(folder, place))
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)


def test_exported_onnx_predicts_images_as_the_run_predicts_features(
        run, tools, place):
    skip_without_onnx()
    tools('export', run, '--out', place / 'plain')
    tools('export', run, '--out', place / 'onnx', '--onnx')
    images = target_images(place / 'plain', place).flip(1)  # BGR to RGB
    found = run_onnx(place / 'onnx/classifier.onnx', images)
    torch.testing.assert_close(found, of_features(run), atol=2e-3, rtol=0)


def test_predict_takes_images(run, tools, place, tmp_path):
    out = tmp_path / 'predictions.csv'
    tools('predict', run, *images_of(place, 'photo'), '--out', out)
    rows = out.read_text().splitlines()[1:]
    names = [row.split(',')[1] for row in rows]
    assert names == [CLASSES[i] for i in of_features(run).argmax(1)]


def of_features(run: Path) -> torch.Tensor:
    """What the run says of view 0 of the target."""
    trained = load_trained(run)
    dataset = DATASETS.build(trained.cfg.test_dataloader.dataset)
    inputs = torch.stack([item['inputs'] for item in dataset])
    return probabilities_of(trained.build_model(), inputs)


def target_images(folder: Path, place: Path) -> torch.Tensor:
    """Those of the target, as the exported pipeline gives them."""
    data = Config.fromfile(folder / 'config.py').test_dataloader.dataset
    data.update(data_root=str(place / 'data/photo'))
    return torch.stack([item['inputs'] for item in DATASETS.build(data)])


def test_folder_of_another_network_is_not_exported(run, tools, features,
                                                   tmp_path):
    path = features / 'network.json'
    text = path.read_text()
    content = json.loads(text)
    content['config'] = content['config'].replace('(32, 32)', '(30, 30)')
    try:
        path.write_text(json.dumps(content))
        with pytest.raises(SystemExit, match='should have the network'):
            tools('export', run, '--out', tmp_path / 'exported')
    finally:
        path.write_text(text)


def test_readme_has_a_config_for_features_of_ones_own(
        train, extract, place, tmp_path, monkeypatch):
    readme = (CONFIG.parent / 'README.md').read_text()
    code = readme.split('```python\n')[1].split('```')[0]
    monkeypatch.chdir(tmp_path)
    extract(Path('data/features/mine'), *(
        f'{name}={place}/data/{domain}'
        for name, domain in (('source', 'art'), ('target', 'photo'))))
    config = tmp_path / 'mine.py'
    config.write_text(code.replace("'dann_", f"'{CONFIG.parent}/dann_"))
    checkpoint = train(config, tmp_path / 'run', 'model.head.num_classes=3',
                       'model.neck.in_channels=32')
    assert checkpoint['meta']['dataset_meta']['classes'] == CLASSES


def test_report_shows_what_there_is_without_images(run, tools, place):
    tools('report', run, '--out', place / 'report.html')
    text = (place / 'report.html').read_text()
    assert 'run is not shown: There should be images to show' in text
    assert text.count('is not shown') == 1


def test_there_are_no_images_to_browse(run, tools, tmp_path):
    with pytest.raises(SystemExit, match='images to show, but .* features'):
        tools('analysis/browse', run, '--out', tmp_path / 'images.png')
