# Trains, exports and tracks on a PC, without a GPU.
#   docker build -f docker/x86.Dockerfile -t eatrack-edge:x86 .
FROM python:3.12.11-slim-bookworm AS wheel
RUN pip install --no-cache-dir hatchling==1.33.0
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY export export
COPY benchmarks benchmarks
COPY engines engines
COPY eatrack_edge eatrack_edge
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.12.11-slim-bookworm
# Another index here brings a CUDA build of torch: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130
ARG TORCH=2.13.0
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-cache-dir --index-url "${TORCH_INDEX}" "torch==${TORCH}"
RUN --mount=type=bind,source=docker/x86.txt,target=/requirements.txt \
    --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-deps --requirement /requirements.txt \
    && pip install --no-cache-dir --no-deps /wheels/*.whl
RUN useradd --uid 10001 --create-home eatrack \
    && install --directory --owner eatrack /data
USER 10001
WORKDIR /data
ENTRYPOINT ["eatrack-edge"]
CMD ["doctor"]
