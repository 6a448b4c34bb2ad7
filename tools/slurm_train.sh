#!/usr/bin/env bash
# Train under Slurm:
#   bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options]
# GPUS, GPUS_PER_NODE, CPUS_PER_TASK and SRUN_ARGS in the environment; with
# GPUS_PER_NODE=0 as many processes as GPUS says train on CPUs.
set -euo pipefail
if [ $# -lt 4 ]; then
    echo "usage: bash $0 PARTITION JOB_NAME CONFIG WORK_DIR [options]" >&2
    exit 2
fi
per_node=${GPUS_PER_NODE:-8}
on_gpus=(--gres=gpu:"$per_node" --ntasks-per-node="$per_node")
[ "$per_node" != 0 ] || on_gpus=()
tools=$(dirname "${BASH_SOURCE[0]}")
# SRUN_ARGS is several words on purpose.
# shellcheck disable=SC2086
PYTHONPATH="$tools/..:${PYTHONPATH:-}" srun \
    --partition="$1" \
    --job-name="$2" \
    "${on_gpus[@]}" \
    --ntasks="${GPUS:-8}" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 \
    ${SRUN_ARGS:-} \
    python -u "$tools/train.py" "$3" --work-dir "$4" --launcher slurm \
    "${@:5}"
