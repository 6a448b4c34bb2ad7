#!/usr/bin/env bash
# Set up .venv and run the tests, in two processes. Options go to pytest, such
# as: -m zoo, -m slurm, or -n 0 for one process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/set_up.sh
export OMP_NUM_THREADS=1
.venv/bin/python -m pytest -n 2 --dist loadfile "$@"
