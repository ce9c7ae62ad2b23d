#!/usr/bin/env bash
# Trains a network for some minutes of a GPU, and leaves its weights in parts that are small enough to carry home.
#   export/recipes/burst.sh 12 data
#   export/recipes/burst.sh 0.1 data eatrack_tiny runs/rehearsal    # a rehearsal on a CPU, in seconds
# DATA holds the folders that the recipe names by their last names: train, train2.
# PYTHON is the interpreter, PART the size of a part (15M), GPUS the number of processes (as many as there are GPUs).
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 4 ]; then
  echo "usage: export/recipes/burst.sh MINUTES DATA [RECIPE] [OUTPUT]" >&2
  exit 2
fi
minutes=$1
data=$(realpath "$2")
recipe=${3:-eatrack_s_burst}
output=$(realpath -m "${4:-runs/burst}")
python=${PYTHON:-python3}
cd "$(dirname "$0")/../.." # recipes name the weights that they start from by their place in the checkout

gpus=${GPUS:-$("$python" -c 'import torch; print(torch.cuda.device_count())')}
train=("$python" -m)
if [ "$gpus" -gt 1 ]; then
  train+=(torch.distributed.run "--nproc_per_node=$gpus" -m)
fi
echo "burst: $recipe for $minutes min on $gpus GPU(s)" >&2
"${train[@]}" eatrack_edge train "$recipe" --minutes "$minutes" --data "$data" -o "$output"

carry=$output/carry
rm -rf "$carry"
mkdir "$carry"
cd "$output"
for weights in *.safetensors; do
  sha256sum "$weights" >"carry/$weights.sha256"
  split --bytes="${PART:-15M}" --numeric-suffixes "$weights" "carry/$weights.part-"
done
for file in log.csv curve.svg calibration.json; do
  if [ -f "$file" ]; then cp "$file" carry; fi
done
ls -l carry
echo "to join: cat $weights.part-* >$weights && sha256sum -c $weights.sha256"
