"""Which errors a tool tells in one line, and which keep their traceback."""
from __future__ import annotations

from io import BytesIO
from urllib.error import HTTPError

import pytest
from torch.utils.data import DataLoader

from mmgh.input_error import InputError, InputTypeError


@pytest.fixture
def end_with(load_tool):
    """``end_with(error)`` ends a tool that expects InputError."""
    expected = load_tool('expected_errors')

    def end(error: Exception, **options) -> None:
        @expected.one_line_errors(InputError, **options)
        def main() -> None:
            raise error

        main()

    return end


@pytest.mark.parametrize('error, message', [
    (InputError('`a` should be 1, but is 2.'), '`a` should be 1, but is 2.'),
    (FileNotFoundError('There is no a.'), 'There is no a.'),
    (PermissionError(13, 'Denied', 'a'), 'a: Denied'),
    (InputError('No.', argument='cfg_options'), 'No. See --cfg-options.'),
])
def test_what_the_user_can_mend_is_one_line(end_with, error, message):
    with pytest.raises(SystemExit) as exit:
        end_with(error)
    assert exit.value.code == message and exit.value.__cause__ is error
    with pytest.raises(SystemExit, match='^dann: '):
        end_with(error, about='dann')


def fail(index: int) -> None:
    raise InputTypeError(f'`index` should be less, but is {index}.')


def test_an_error_of_a_loading_process_is_one_line(end_with):
    loader = DataLoader(range(3), num_workers=1, collate_fn=fail)
    with pytest.raises(InputTypeError) as found:
        next(iter(loader))
    with pytest.raises(SystemExit) as exit:
        end_with(found.value)
    assert exit.value.code == '`index` should be less, but is [0].'


def test_an_error_of_the_net_tells_its_reason(load_tool):
    error = HTTPError('http://host/a.pth', 404, 'Not Found', {}, BytesIO())
    assert load_tool('expected_errors').message_of(error) == (
        'HTTP Error 404: Not Found')


@pytest.mark.parametrize('kind', [
    ValueError, TypeError, KeyError, RuntimeError, AssertionError,
    ConnectionError
])
def test_bugs_keep_their_traceback(end_with, kind):
    with pytest.raises(kind):
        end_with(kind('shapes differ'))


@pytest.mark.parametrize('tool, more', [('train', []),
                                        ('test', ['checkpoint.pth'])])
def test_wrong_config_of_a_training_is_one_line(tools, tmp_path, tool, more):
    config = tmp_path / 'config.py'
    with pytest.raises(SystemExit, match='config.py should be a config that'):
        tools(tool, config, *more)
    config.write_text('model = dict(layers=[1])')
    with pytest.raises(SystemExit, match='should take the options .*layers'):
        tools(tool, config, *more, '--cfg-options', 'model.layers.3.x=1')


def test_who_stops_a_tool_sees_no_traceback(end_with, capsys):
    with pytest.raises(SystemExit) as exit:
        end_with(KeyboardInterrupt())
    assert exit.value.code == 130
    assert capsys.readouterr().err == 'Stopped.\n'
