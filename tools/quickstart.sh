#!/usr/bin/env bash
# Train source-only, DANN, DANN+GH and DANN+GH++ on the embedded digits, and
# DANN with ten times the alignment, plain and clipped; compare them in a table
# and a plot. Nothing but packages is downloaded.
# What is finished is not done again; what was stopped is resumed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/set_up.sh
# Several threads are slower than one where another program runs, too.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

runs=work_dirs/quickstart
suffix=lenet_1xb32-1k_digits-digits2digitsm
mkdir -p $runs

# train NAME CONFIG [OPTIONS]
train() {
    if [ -e "$runs/$1/finished" ]; then
        echo "$1: finished before, in $runs/$1"
        return
    fi
    echo "$1: training; the whole log is $runs/$1.log"
    if ! .venv/bin/python tools/train.py "configs/$2_$suffix.py" "${@:3}" \
        --work-dir "$runs/$1" --resume 2>&1 | tee -a "$runs/$1.log" |
        sed -nu '/Iter(\(train\|val\))/s/.*INFO - //p'; then
        tail -n 20 "$runs/$1.log"
        exit 1
    fi
    touch "$runs/$1/finished"
}

strong=(--cfg-options model.uda_head.reversal.max_coefficient=10)
train source-only source_only/source-only
train dann dann/dann
train dann-gh dann/dann-gh
train dann-ghpp dann/dann-ghpp
train dann-x10 dann/dann "${strong[@]}"
train dann-x10-clip dann/dann --harmonizer RelativeClip "${strong[@]}"
.venv/bin/python tools/analysis/compare_runs.py \
    $runs/{source-only,dann,dann-gh,dann-ghpp,dann-x10,dann-x10-clip} \
    --out $runs/comparison.png
