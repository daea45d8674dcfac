# headrace in a container: the command, for brokers and workers.
#
#   docker build -t headrace .
#   docker run -p 9092:9092 -v log:/var/lib/headrace headrace broker --host 0.0.0.0 --data /var/lib/headrace/broker
#   docker run -v ./app.py:/app/app.py -v state:/var/lib/headrace -e HEADRACE_BOOTSTRAP_SERVERS=kafka:9092 \
#       headrace worker app.py:app
#
# For an application of your own, begin with `FROM headrace` and copy it to /app.

FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/headrace \
    && /opt/headrace/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
COPY --from=build /opt/headrace /opt/headrace
# Not root; the folder of log and state belongs to the user, so that a new volume does, too.
RUN useradd --uid 10001 --create-home --home-dir /app headrace \
    && mkdir -p /var/lib/headrace && chown headrace /var/lib/headrace
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HEADRACE_STATE_DIR=/var/lib/headrace/state
USER headrace
WORKDIR /app
VOLUME /var/lib/headrace
EXPOSE 9092
# SIGTERM commits and leaves the group in order.
STOPSIGNAL SIGTERM
ENTRYPOINT ["headrace"]
CMD ["--help"]
