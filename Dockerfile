# The collector in a container: one process, which is not root, on a disk that it can't write to but for its journal.
# It is built from the pins of requirements.txt alone, each by its hash. To pin the base, too:
#   docker build --build-arg PYTHON=python:3.11-slim-bookworm@sha256:… .
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /src
# Two environments: what installs stays here, with its cache; what runs has no pip.
RUN python3 -m venv /build && python3 -m venv --without-pip /opt/exposure-collector
COPY requirements.txt ./
# hadolint ignore=DL3042
RUN /build/bin/pip --python /opt/exposure-collector/bin/python3 install --disable-pip-version-check \
    --no-deps --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md ./
COPY collector collector
# hadolint ignore=DL3042
RUN /build/bin/pip --python /opt/exposure-collector/bin/python3 install --disable-pip-version-check \
    --no-deps --no-build-isolation .

FROM ${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="exposure-collector" \
      org.opencontainers.image.description="Keeps the history of a Microsoft Defender exposure score" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/exposure-collector /opt/exposure-collector
RUN install -d -o 10001 -g 10001 -m 700 /var/lib/exposure-collector
# Settings come from /etc/exposure-collector/collector.toml, or from variables alone. These two stand over such a file: the
# journal belongs on the volume, and a container's own loopback is nobody's. What is for whom, its engine says.
ENV PATH=/opt/exposure-collector/bin:$PATH \
    COLLECTOR__JOURNAL__PATH=/var/lib/exposure-collector/journal.db \
    COLLECTOR__WEB__LISTEN=0.0.0.0:9470
USER 10001:10001
WORKDIR /var/lib/exposure-collector
VOLUME /var/lib/exposure-collector
EXPOSE 9470
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["exposure-collector", "health"]
ENTRYPOINT ["exposure-collector"]
CMD ["run"]
