"""Metrics of requests and connections."""

from __future__ import annotations

from broker.metrics.metric import BrokerMetric, Rows
from broker.metrics.reading import Reading
from broker.protocol.api_keys import ApiKey, api_name
from broker.watch.request_log import error_name


def named(key: int) -> str:
    return api_name(ApiKey(key))


def requests(reading: Reading) -> Rows:
    for key, meter in reading.requests.apis.items():
        for version, count in meter.requests.items():
            yield (named(key), str(version)), count


def errors(reading: Reading) -> Rows:
    for (key, code), count in reading.requests.errors.items():
        yield (named(key), error_name(code)), count


def bytes_in(reading: Reading) -> Rows:
    return (((named(key),), meter.bytes_in) for key, meter in reading.requests.apis.items())


def bytes_fetched(reading: Reading) -> Rows:
    meter = reading.requests.apis.get(ApiKey.FETCH)
    yield (), 0 if meter is None else meter.bytes_out


REQUEST_METRICS = (
    BrokerMetric(
        name="kafka_network_requestmetrics_requests_total",
        kind="counter",
        unit="requests",
        labels=("request", "version"),
        help="Requests answered.",
        rows=requests,
    ),
    BrokerMetric(
        name="kafka_network_requestmetrics_errors_total",
        kind="counter",
        unit="errors",
        labels=("request", "error"),
        help="Error codes in answers, once for each place of an answer; successes are not counted.",
        rows=errors,
    ),
    BrokerMetric(
        name="kafka_network_requestmetrics_requestbytes_total",
        kind="counter",
        unit="bytes",
        labels=("request",),
        help="Size of the requests, header included.",
        rows=bytes_in,
    ),
    BrokerMetric(
        name="kafka_server_brokertopicmetrics_bytesout_total",
        kind="counter",
        unit="bytes",
        help="Size of the answers to fetches.",
        rows=bytes_fetched,
    ),
    BrokerMetric(
        name="kafka_server_socket_server_metrics_connection_count",
        kind="gauge",
        unit="connections",
        help="Open connections.",
        rows=lambda reading: [((), len(reading.server.connections))],
    ),
)
