"""tools/benchmarks/gpu_check.py, as far as a CPU can run it."""
from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / 'tools/benchmarks/gpu_check.py'


def test_page_has_the_tests_and_the_costs():
    result = subprocess.run(
        [sys.executable, SCRIPT, '--device', 'cpu', '--tiny'],
        capture_output=True,
        text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    page = result.stdout
    assert page.startswith('# CPU, torch ')
    tests, cost = page.split('\n## ')[1:]
    assert tests.startswith('Tests\n') and ' passed' in tests
    # Of the harmonizers, TorchJD may be missing.
    assert ('skipped' in tests) == (find_spec('torchjd') is None)
    assert 'failed' not in tests
    assert '| stock | 1.00 |' in cost and '| parameters | ' in cost
    assert page.endswith('All passed.\n')
