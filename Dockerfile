# UCR in a container: a small image that runs as a user without rights. docs/operations.md says how it is used.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY actors actors
COPY ucr ucr
RUN python -m venv /opt/ucr
RUN /opt/ucr/bin/pip install --no-cache-dir --disable-pip-version-check ".[redis,vertex]"
RUN /opt/ucr/bin/pip uninstall --yes --quiet pip

FROM python:3.13-slim
COPY --from=build /opt/ucr /opt/ucr
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/ucr --shell /usr/sbin/nologin ucr
RUN install -d -o ucr -g ucr -m 0700 /var/lib/ucr && install -d -m 0755 /etc/ucr
ENV PATH=/opt/ucr/bin:$PATH HOME=/var/lib/ucr UCR_STATE_DIR=/var/lib/ucr UCR_HOST=0.0.0.0 UCR_PORT=3000
# A configuration that is mounted at /etc/ucr/ucr.toml is found, for it is ./ucr.toml; without one the environment decides.
WORKDIR /etc/ucr
USER 10001
VOLUME /var/lib/ucr
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"UCR_PORT\"]}/ready', timeout=4)"]
ENTRYPOINT ["ucr-trio"]
CMD ["serve"]
