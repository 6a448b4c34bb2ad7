"""Configs for two folders of images."""
from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mmgh.analysis import load_trained, read_accuracies, target_dataset
from mmgh.checkpoints import chosen_checkpoints
from mmgh.registry import MODELS
from ..test_datasets.layouts import folders, write_folders, write_image

ROOT = Path(__file__).parents[2]
FOLDERS = ROOT / 'configs/folders'
CONFIG = FOLDERS / 'dann-ghpp_resnet18_folders.py'
# The one that says which folders.
PLAIN = FOLDERS / 'dann_resnet18_folders.py'
METHODS = {
    'source-only': None, 'dann': 'mmgh.DANNHead', 'cdan-e': 'mmgh.CDANHead'}
HARMONIZERS = {'': None, '-gh': 'mmgh.GH', '-ghpp': 'mmgh.GHPlusPlus'}
SMALL = ['model.backbone.init_cfg=None', 'model.head.num_classes=3'] + [
    f'{loader}_dataloader.{option}' for loader in ('train', 'val', 'test')
    for option in ('num_workers=0', 'persistent_workers=False')
] + [
    f'train_dataloader.dataset.{domain}.pipeline.2.scale=32'
    for domain in ('source', 'target')
] + [
    f'{loader}_dataloader.dataset.pipeline.2.crop_size=32'
    for loader in ('val', 'test')
]
NO_LABELS = [
    'train_dataloader.dataset.target.data_root=data/mine/flat',
    'train_dataloader.dataset.target.with_label=False',
]
NO_VALIDATION = ['val_dataloader=None', 'val_cfg=None', 'val_evaluator=None']


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The user's folders: three classes, and a flat one without labels."""
    monkeypatch.chdir(tmp_path)
    folders(tmp_path / 'data')
    for i in range(5):
        write_image(tmp_path / f'data/mine/flat/{i}.png', 0)
    return tmp_path / 'data/mine'


def test_config_is_short():
    assert len(PLAIN.read_text().splitlines()) < 30


def test_each_config_is_what_its_name_says():
    """And all else is that of the plain one."""
    there = {path.stem.split('_')[0] for path in FOLDERS.glob('*.py')}
    assert there == {'source-only'} | {
        f'{method}{suffix}' for method in ('dann', 'cdan-e')
        for suffix in HARMONIZERS}
    plain = Config.fromfile(PLAIN)
    for name in there:
        config = Config.fromfile(FOLDERS / f'{name}_resnet18_folders.py')
        method = name.replace('-ghpp', '').replace('-gh', '')
        head, harmonizer = (config.model.pop('uda_head', {}),
                            config.optim_wrapper.pop('harmonizer', {}))
        assert head.get('type') == METHODS[method]
        assert harmonizer.get('type') == HARMONIZERS[name[len(method):]]
        assert config.optim_wrapper.optimizer == plain.optim_wrapper.optimizer
        assert config.model.backbone == plain.model.backbone
        assert config.model.head == plain.model.head
        assert config.test_dataloader == plain.test_dataloader
        assert config.train_cfg == plain.train_cfg
        if head:
            # A longer one would be a fraction of it at the end.
            assert head.reversal.warmup_iters == plain.train_cfg.max_iters
            assert config.train_dataloader == plain.train_dataloader


def test_source_only_sees_no_target(data, train, tmp_path):
    shutil.rmtree(data / 'target/mug')
    options = [option.replace('dataset.source.', 'dataset.')
               for option in SMALL if '.target.' not in option]
    checkpoint = train(FOLDERS / 'source-only_resnet18_folders.py',
                       tmp_path / 'work', *options, *NO_VALIDATION)
    assert checkpoint['meta']['iter'] == 6


def test_two_folders_become_an_evaluated_model(data, train, tools, tmp_path):
    work = tmp_path / 'work'
    checkpoint = train(CONFIG, work, *SMALL)
    assert checkpoint['meta']['dataset_meta']['classes'] == (
        'bike', 'laptop computer', 'mug')
    logged = checkpoint['message_hub']['log_scalars']
    assert len(logged['train/angle'].data[0]) == 6
    tools('test', CONFIG, work / 'iter_6.pth', '--work-dir', tmp_path / 'test',
          '--cfg-options', *SMALL)
    result, = (tmp_path / 'test').glob('*/*.json')
    tested = json.loads(result.read_text())['accuracy/top1']
    scalars, = work.glob('*/vis_data/scalars.json')
    validated = json.loads(scalars.read_text().splitlines()[-1])
    assert tested == validated['accuracy/top1']


def test_target_may_have_no_labels(data, train, tools, tmp_path):
    work = tmp_path / 'work'
    checkpoint = train(CONFIG, work, *SMALL, *NO_LABELS, *NO_VALIDATION)
    assert checkpoint['meta']['iter'] == 6
    write_folders(data / 'other', 1, ['bike', 'mug', 'shoe'])
    other = 'test_dataloader.dataset.data_root=data/mine/other'
    with pytest.raises(SystemExit, match=r"test data alone has \['shoe'\]"):
        tools('test', CONFIG, work / 'iter_6.pth', '--work-dir',
              tmp_path / 'test', '--cfg-options', *SMALL, other)


def config_in(readme: str, heading: str) -> str:
    """The first one in a section."""
    text = (ROOT / readme).read_text()
    code = text.split(f'\n## {heading}\n')[1].split('```python\n')[1]
    return code.split('```')[0]


def test_target_without_labels_chooses_a_checkpoint(data, train, tools,
                                                    tmp_path):
    path = tmp_path / 'copy.py'
    path.write_text(config_in('configs/_base_/evaluation/README.md',
                              'A target without labels'))
    shutil.rmtree(data / 'target')
    (data / 'flat').rename(data / 'target')
    work = tmp_path / 'work'
    train(path, work, *SMALL)
    assert [found.name for found in work.glob('best_*')] == [
        'best_unsupervised_mutual_information_iter_6.pth'
    ]
    # What the run saved is enough to show and to test the target.
    assert len(target_dataset(load_trained(work).cfg, None)) == 5
    tools('test', path, work / 'iter_6.pth', '--work-dir', tmp_path / 'test',
          '--cfg-options', *SMALL)
    result, = (tmp_path / 'test').glob('*/*.json')
    assert set(json.loads(result.read_text())) >= {
        f'unsupervised/{item}'
        for item in ('entropy', 'mutual_information', 'nuclear_norm', 'snd')
    }


def test_wrong_number_of_classes_is_refused_before_training(
        data, train, tmp_path):
    with pytest.raises(SystemExit, match='`model.head.num_classes`.* be 3'):
        train(CONFIG, tmp_path / 'work', *SMALL, 'model.head.num_classes=10')
    assert not list((tmp_path / 'work').glob('*.pth'))


def test_config_names_all_folders(tmp_path):
    """What it tells to edit is all there is."""
    path = tmp_path / 'copy.py'
    text = PLAIN.read_text().replace("'../", f"'{PLAIN.parents[1]}/")
    path.write_text(text.replace('data/mine/', 'photos/'))
    assert 'data/mine' not in Config.fromfile(path).pretty_text


def test_config_in_the_readme_trains_as_it_is_written(tmp_path, tools,
                                                      monkeypatch):
    """On ten classes, for two iterations; of the settings only what needs a
    connection is changed."""
    monkeypatch.chdir(tmp_path)
    names = [f'class {i}' for i in range(10)]
    write_folders(tmp_path / 'data/mine/source', 1, names)
    write_folders(tmp_path / 'data/mine/target', 1, names)
    path = tmp_path / 'mine.py'
    path.write_text(config_in('README.md', 'Turn it on in your config'))
    tools('train', path, '--cfg-options', 'model.backbone.init_cfg=None',
          'train_cfg.max_iters=2', 'train_cfg.val_interval=2',
          'train_dataloader.batch_size=2')
    work = tmp_path / 'work_dirs/mine'
    assert read_accuracies(work, 'oracle/accuracy/top1').keys() == {2}
    chosen, = chosen_checkpoints(work)
    assert load_trained(work).path == chosen
    history = load_trained(work).history
    assert len(history['train/angle']) == 2
    config = Config.fromfile(path)
    assert config.model.backbone.init_cfg.type == 'Pretrained'
    assert config.model.uda_head.reversal.warmup_iters == (
        config.train_cfg.max_iters) == 2000
    rates = config.optim_wrapper
    assert rates.optimizer.lr == 0.01
    assert rates.paramwise_cfg.custom_keys == dict(backbone=dict(lr_mult=0.1))


@pytest.fixture
def without_mean_head(monkeypatch):
    """Leaves nothing of it to other tests, which look at all heads."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    yield
    del MODELS.module_dict['MeanHead'], sys.modules['mean_head']


@pytest.mark.usefixtures('data', 'without_mean_head')
def test_head_in_the_readme_trains_as_it_is_written(tools, tmp_path):
    text = (ROOT / 'README.md').read_text().split('**A UDA head of your own**')
    head, config = (part.split('```')[0]
                    for part in text[1].split('```python\n')[1:3])
    (tmp_path / 'mean_head.py').write_text(head)
    path = tmp_path / 'mine.py'
    path.write_text(config)
    tools('train', path, '--cfg-options', *SMALL, 'train_cfg.max_iters=2',
          'train_cfg.val_interval=2', 'train_dataloader.batch_size=2')
    history = load_trained(tmp_path / 'work_dirs/mine').history
    assert len(history['train/loss_mean']) == 2
