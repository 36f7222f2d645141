# Two images from one file: `--target api` (no machine learning packages) and `--target worker`
# (no torch). Both run as a user without rights on a read-only root; only /tmp must be writable.
#
#   docker build --target api    -t stancewire-api .
#   docker build --target worker -t stancewire-worker .
#
# BASE is any Debian-like image with Python 3.11 or later and its venv module.
ARG BASE=docker.io/library/python:3.13-slim-trixie

FROM ${BASE} AS build
WORKDIR /build
RUN python3 -m venv /opt/stancewire
COPY requirements/service.lock requirements/worker.lock requirements/

FROM build AS build-api
RUN /opt/stancewire/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements/service.lock \
    && /opt/stancewire/bin/python -m pip uninstall --yes --quiet pip

FROM build AS build-worker
RUN /opt/stancewire/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements/worker.lock \
    && /opt/stancewire/bin/python -m pip uninstall --yes --quiet pip

FROM ${BASE} AS run
# No user name is looked up anywhere, so a number is enough and needs no change to the base.
USER 10001:10001
WORKDIR /app
ENV PATH=/opt/stancewire/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TOKENIZERS_PARALLELISM=false \
    ORT_DISABLE_TELEMETRY=1
STOPSIGNAL SIGTERM

FROM run AS api
COPY --from=build-api /opt/stancewire /opt/stancewire
COPY service /app/service
# Inside a container loopback reaches nobody: what is published decides who gets in, until there
# is an API key.
ENV STANCEWIRE_BIND=0.0.0.0:8080 \
    STANCEWIRE_ALLOW_KEYLESS_BIND=true
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python3", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
# gunicorn's heartbeat files on a disk can stall its workers; /dev/shm is memory.
CMD ["gunicorn", "-c", "python:service.gunicorn_conf", "--worker-tmp-dir", "/dev/shm", "service.wsgi"]

FROM run AS worker
COPY --from=build-worker /opt/stancewire /opt/stancewire
COPY service /app/service
COPY workers /app/workers
CMD ["python3", "-m", "workers"]
