#!/usr/bin/env bash
# Train source-only, DANN, DANN+GH and DANN+GH++ on the embedded digits, and
# compare them in a table and a plot. Nothing but packages is downloaded.
# What is finished is not done again; what was stopped is resumed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/set_up.sh
# Several threads are slower than one where another program runs, too.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

runs=work_dirs/quickstart
suffix=lenet_1xb32-1k_digits-digits2digitsm
mkdir -p $runs
for config in source_only/source-only dann/dann dann/dann-gh dann/dann-ghpp; do
    name=$(basename $config)
    if [ -e $runs/$name/finished ]; then
        echo "$name: finished before, in $runs/$name"
        continue
    fi
    echo "$name: training; the whole log is $runs/$name.log"
    if ! .venv/bin/python tools/train.py "configs/${config}_$suffix.py" \
        --work-dir "$runs/$name" --resume 2>&1 | tee -a "$runs/$name.log" |
        sed -nu '/Iter(\(train\|val\))/s/.*INFO - //p'; then
        tail -n 20 "$runs/$name.log"
        exit 1
    fi
    touch "$runs/$name/finished"
done
.venv/bin/python tools/analysis/compare_runs.py \
    $runs/{source-only,dann,dann-gh,dann-ghpp} --out $runs/comparison.png
