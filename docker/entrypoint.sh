#!/bin/sh
# Has the model's engines built, at the first start and whenever those in the volume no longer fit; then runs
# eatrack-edge. Engines that fit are left as they are.
set -eu

case ${1:-} in
  track | bench)
    eatrack-edge build "${EATRACK_MODEL:-eatrack_s}" --device auto --precision "${EATRACK_PRECISION:-fp16}" >&2
    ;;
esac
exec eatrack-edge "$@"
