"""tools/list_configs.py and the list in configs/README.md."""
from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from mmgh.models import DANNHead
from ..config_names import CONFIGS, HARMONIZED, ROOT, SEGMENTATION
from ..registered_classes import PACKAGE

DANN = ROOT / 'dann/dann_lenet_1xb32-1k_digits-digits2digitsm.py'


@pytest.fixture
def tool(load_tool):
    return load_tool('list_configs')


@pytest.fixture(scope='module')
def listed(load_tool) -> str:
    return load_tool('list_configs').make_list(ROOT)


def write(path: Path, text: str = '') -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{text}\n_base_ = '{DANN}'\n")


def test_list_in_the_readme_is_up_to_date(tool, listed):
    text = (ROOT / 'README.md').read_text()
    if tool.replace_list(text, listed) != text:
        pytest.fail('The list in configs/README.md should be that of the '
                    'configs: run `python tools/list_configs.py --write`.')


def test_every_config_is_listed_once(listed):
    links = Counter(re.findall(r'\(([^()]*\.py)\)', listed))
    every = CONFIGS + SEGMENTATION
    assert links == Counter(str(p.relative_to(ROOT)) for p in every)
    counts = re.findall(r'\| (\d+) \| (\d+) \|$', listed, re.MULTILINE)
    assert sum(int(configs) for configs, _ in counts) == len(every)
    # Those for folders of one's own have other names.
    assert sum(int(twins) for _, twins in counts) == len(HARMONIZED) + 4


def test_new_method_describes_itself(tool, tmp_path):
    names = [f'mine/mine{twin}_lenet_1xb8-2k_a2b.py' for twin in ('', '-gh')]
    for name in names:
        write(tmp_path / name)
    plain, harmonized = names
    line = DANNHead.__doc__.splitlines()[0]
    text = tool.make_list(tmp_path)
    assert text.startswith('2 configs, 1 of them harmonized.\n')
    assert f'| {line} | [mine](mine) | 2 | 1 |\n' in text
    assert (f'| mine | a2b | lenet | 8 | 2k | [plain]({plain}), '
            f'[GH]({harmonized}) |\n') in text
    write(tmp_path / plain, '"""Other words.\n\nAnd more of them."""')
    assert '| Other words. | [mine]' in tool.make_list(tmp_path)


def test_what_is_no_config_is_not_listed(tool, tmp_path):
    for folder in ('_base_', 'studies'):
        write(tmp_path / folder / 'dann_lenet_a2b.py')
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine/my_own_model.py').write_text('import torch\n')
    assert tool.make_list(tmp_path).startswith('0 configs, 0 of them')


def test_config_without_a_proper_name_is_refused(tool, tmp_path):
    write(tmp_path / 'mine/dann.py')
    with pytest.raises(SystemExit, match='dann.py should have a name such'):
        tool.make_list(tmp_path)


def test_list_is_printed_or_written(tool, monkeypatch, capsys, tmp_path):
    write(tmp_path / 'mine/dann_lenet_1xb8-2k_a2b.py')
    readme = tmp_path / 'README.md'
    text = f'Before.\n{tool.START}old\n{tool.END}After.\n'
    readme.write_text(text)
    monkeypatch.setattr(tool, 'ROOT', tmp_path)
    monkeypatch.setattr(sys, 'argv', ['list_configs.py'])
    tool.main()
    printed = capsys.readouterr().out
    assert readme.read_text() == text and 'mine' in printed
    monkeypatch.setattr(sys, 'argv', ['list_configs.py', '--write'])
    tool.main()
    assert readme.read_text() == text.replace('old\n', printed)


def test_index_is_up_to_date(tool):
    if (ROOT / tool.INDEX).read_text() != tool.make_index(ROOT):
        pytest.fail('configs/metafile.yml should list the configs: run '
                    '`python tools/list_configs.py --write`.')


def test_openmim_finds_every_config_once():
    """By the reader that it uses itself."""
    load = pytest.importorskip('modelindex').load_model_index.load
    folder = PACKAGE / '.mim'
    index = load(str(folder / 'model-index.yml'))
    configs = Counter((folder / model.config).resolve()
                      for model in index.models)
    assert configs == Counter(CONFIGS + SEGMENTATION)
    readmes = {collection.name: collection.readme
               for collection in index.collections}
    assert {model.in_collection for model in index.models} == set(readmes)
    assert readmes['cdan-e'] == 'configs/cdan/README.md'
    assert readmes['gvb'] == 'configs/gvb/README.md'
    assert all((folder / path).is_file() for path in readmes.values() if path)
    assert all(Path(model.config).stem == model.name and
               model.metadata.data['Training Data']
               for model in index.models)
