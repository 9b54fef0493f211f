# Reconciler as one process. Built in two stages; the second holds no compiler, no build tool and no pip.
#
#   docker build --build-arg REVISION=$(git rev-parse HEAD) --tag reconciler .
#   docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges \
#     --volume reconciler:/var/lib/reconciler reconciler validate --repo https://git.example/shop.git
#
# It needs nothing writable but its volume. Credentials come from the task's role or the environment at run time; none is
# in a layer. The base is pinned by tag: to pin it by digest as well, write the digest that your registry shows behind it.
FROM python:3.13-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

FROM base AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --quiet --require-hashes --requirement requirements-build.lock
RUN python -m venv /opt/reconciler \
    && /opt/reconciler/bin/pip install --quiet --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY examples ./examples
COPY schemas ./schemas
COPY reconciler ./reconciler
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/reconciler/bin/pip install --quiet --no-deps --no-index dist/*.whl \
    && /opt/reconciler/bin/pip check \
    && /opt/reconciler/bin/python -m compileall -q /opt/reconciler/lib \
    && /opt/reconciler/bin/pip uninstall --quiet --yes pip

FROM base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Reconciler" \
      org.opencontainers.image.description="GitOps for Amazon ECS: what git says is what runs." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# git reads the repositories; ssh is for those that are reached by it. Their newest security fixes are wanted, so that
# no version is pinned here.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 reconciler \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/reconciler --shell /usr/sbin/nologin reconciler \
    && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/reconciler
COPY --from=build /opt/reconciler /opt/reconciler
# The volume is the only writable place: mirrors, caches, history and temporary files. Losing it loses no control.
ENV PATH=/opt/reconciler/bin:$PATH \
    HOME=/var/lib/reconciler \
    RECONCILER_HOME=/var/lib/reconciler \
    TMPDIR=/var/lib/reconciler
WORKDIR /var/lib/reconciler
VOLUME ["/var/lib/reconciler"]
USER 10001:10001
# Proves that the program and all that it imports load, that git runs, and that the volume can be written. It does not
# prove that a command makes progress: each of them ends by itself, and its exit code says how it went.
HEALTHCHECK --interval=60s --timeout=20s --start-period=20s --retries=3 \
    CMD ["sh", "-c", "reconciler --version && git --version && test -w \"$RECONCILER_HOME\""]
ENTRYPOINT ["reconciler"]
CMD ["--help"]
