# Builds engines and tracks on a Jetson Orin with JetPack 6: Ubuntu 22.04, Python 3.10, CUDA 12.6.
#   docker build -f docker/jetson_jp6.Dockerfile -t eatrack-edge:jp6 .
FROM ubuntu:22.04 AS system
ARG L4T=r36.4
ARG DEBIAN_FRONTEND=noninteractive
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# NVIDIA's repository for this L4T holds JetPack's own TensorRT.
# hadolint ignore=DL3008 # neither repository keeps older versions; the L4T release is what pins them
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && curl --fail --silent --show-error https://repo.download.nvidia.com/jetson/jetson-ota-public.asc \
        --output /usr/share/keyrings/nvidia-jetson.asc \
    && for part in common t234; do \
        echo "deb [signed-by=/usr/share/keyrings/nvidia-jetson.asc] https://repo.download.nvidia.com/jetson/${part} ${L4T} main"; \
    done > /etc/apt/sources.list.d/nvidia-jetson.list \
    && apt-get update \
    && apt-get install --yes --no-install-recommends \
        cuda-nvrtc-12-6 \
        gir1.2-gstreamer-1.0 \
        gstreamer1.0-plugins-bad \
        gstreamer1.0-plugins-base \
        gstreamer1.0-plugins-good \
        libcudla-12-6 \
        python3-gi \
        python3-libnvinfer \
        python3-opencv \
        python3-venv \
    && apt-get purge --yes --auto-remove curl \
    && rm -rf /var/lib/apt/lists/*

FROM system AS wheel
RUN python3 -m venv /build && /build/bin/pip install --no-cache-dir hatchling==1.33.0
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY export export
COPY benchmarks benchmarks
COPY engines engines
COPY eatrack_edge eatrack_edge
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM system
# The system's TensorRT, OpenCV and GStreamer are visible in this environment.
RUN --mount=type=bind,source=docker/jetson_jp6.txt,target=/requirements.txt \
    --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    python3 -m venv --system-site-packages /usr/local/eatrack \
    && /usr/local/eatrack/bin/pip install --no-cache-dir --no-deps --requirement /requirements.txt \
    && /usr/local/eatrack/bin/pip install --no-cache-dir --no-deps /wheels/*.whl
RUN useradd --uid 10001 --create-home --groups video eatrack \
    && install --directory --owner eatrack /data /var/lib/eatrack
COPY --chmod=755 docker/entrypoint.sh /usr/local/bin/entrypoint.sh
ENV PATH=/usr/local/eatrack/bin:$PATH \
    LD_LIBRARY_PATH=/usr/local/cuda-12.6/targets/aarch64-linux/lib \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=all \
    EATRACK_HOME=/var/lib/eatrack \
    EATRACK_DEVICE_TREE=/run/device-tree
USER 10001
WORKDIR /data
# Engines are built for the board that runs them, at the first start, and kept here.
VOLUME ["/var/lib/eatrack"]
ENTRYPOINT ["entrypoint.sh"]
CMD ["doctor"]
