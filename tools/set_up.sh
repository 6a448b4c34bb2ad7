#!/usr/bin/env bash
# Make .venv with all that the tools and tests need; nothing to do when it is
# there. Another build of torch is kept if it is in .venv already.
# Options: PYTHON=python3.11 (any Python from 3.9 on that has torch wheels).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=.venv/bin/python
wanted=$(cat setup.py requirements/*.txt)
if [ "$(cat .venv/installed 2>/dev/null)" == "$wanted" ]; then
    exit 0
fi
echo "Setting up .venv; this downloads packages and takes a few minutes."
[ -x $python ] || "${PYTHON:-python3}" -m venv .venv
pip="$python -m pip --disable-pip-version-check"
requirements=(requirements/{runtime,openmmlab,optional,tests}.txt)
$python -c 'import torch' 2>/dev/null || requirements+=(requirements/torch.txt)
$pip install wheel "${requirements[@]/#/--requirement=}"
$pip install --no-deps --no-build-isolation --editable .
echo "$wanted" >.venv/installed
