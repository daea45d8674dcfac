"""What can be switched on around requests: faults, a log of them, their metrics. Off, it costs one look per request."""

from broker.watch.request_log import RequestLog as RequestLog
from broker.watch.request_meter import RequestMeter as RequestMeter
from broker.watch.watch import Watch as Watch
