#!/usr/bin/env bash
# Test on several GPUs:
#   bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options]
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT in the environment.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: bash $0 CONFIG CHECKPOINT GPUS [options]" >&2
    exit 2
fi
tools=$(dirname "${BASH_SOURCE[0]}")
PYTHONPATH="$tools/..:${PYTHONPATH:-}" torchrun \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$3" \
    "$tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"
