# One image for the four services and the console; the command says which. The target `development` adds the SMS centre.
# The dependencies are the hashed lock's, as on a developer's machine.

ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm@sha256:9c6f90801e6b68e772b7c0ca74260cbf7af9f320acec894e26fccdaccfbe3b47

FROM $PYTHON_IMAGE AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.txt requirements-otlp.txt ./
RUN /opt/venv/bin/pip install --require-hashes --no-deps -r requirements.txt -r requirements-otlp.txt
COPY deploy/docker/dondoc deploy/docker/is-ready /opt/venv/bin/

FROM $PYTHON_IMAGE AS application
LABEL org.opencontainers.image.title="dondoc" org.opencontainers.image.licenses="Apache-2.0"
# Unbuffered: a log line is out before the process can die. Any address: the container's own network is the boundary.
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DONDOC_HOST=0.0.0.0 DONDOC_PORT=8000
RUN useradd --system --uid 10001 --home-dir /var/lib/dondoc --create-home dondoc \
    && install --directory --owner dondoc /var/lib/dondoc-links /var/lib/dondoc-attachments /var/lib/dondoc-reporting-key
COPY --from=build /opt/venv /opt/venv
# The project file names the version, for the code is not installed as a package.
COPY LICENSE pyproject.toml /app/
COPY schemas /app/schemas
COPY services /app/services
COPY deploy/__init__.py deploy/home.py /app/deploy/
COPY deploy/plans /app/deploy/plans
COPY docs /app/docs
# The commit that `dondoc --version` names: docker build --build-arg DONDOC_COMMIT="$(git rev-parse --short HEAD)" .
# Declared after the copies, so that another commit leaves their layers in the cache.
ARG DONDOC_COMMIT=""
LABEL org.opencontainers.image.revision="$DONDOC_COMMIT"
ENV DONDOC_COMMIT=$DONDOC_COMMIT
# What a service keeps on disk (keys, spool) lies below its working folder: mount a volume there. None is declared, for
# the services that keep nothing would get a new one at every start, which nobody removes.
WORKDIR /var/lib/dondoc
USER 10001
# The ports open at once; what a service waits for stands on /readyz.
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=3 CMD ["is-ready"]
CMD ["dondoc", "--help"]

# The SMS centre of the compose file, which shows what would have been sent. No image for production holds it.
FROM application AS development
COPY deploy/local /app/deploy/local

FROM application
