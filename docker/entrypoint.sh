#!/bin/sh
# Builds the model's engines where the volume has none for it yet, then runs eatrack-edge.
set -eu

model=${EATRACK_MODEL:-eatrack_s}
precision=${EATRACK_PRECISION:-fp16}
stem=$model
[ "$precision" = fp32 ] || stem=$model.$precision

case ${1:-} in
  track | bench)
    if [ ! -f "$EATRACK_HOME/engines/$stem.track.engine" ]; then
      echo "first start: building $model in $precision for this board" >&2
      eatrack-edge build "$model" --device auto --precision "$precision"
    fi
    ;;
esac
exec eatrack-edge "$@"
