"""DescribeCluster (key 60), versions 0-2 (KIP-700).

v1 endpoint type (KIP-919): brokers (1); controllers (2) cannot be asked of a broker: MISMATCHED_ENDPOINT_TYPE ·
v2 fenced brokers (KIP-1073): there are none.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.authorized_operations import NOT_ASKED, cluster_operations
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

BROKERS, CONTROLLERS = 1, 2


@api(ApiKey.DESCRIBE_CLUSTER, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    broker = ctx.broker
    kind = getattr(request, "endpoint_type", BROKERS)
    if kind != BROKERS:
        return refused(request, kind)
    here = {
        "broker_id": broker.node_id,
        "host": ctx.endpoint.host,
        "port": ctx.endpoint.port,
        "rack": None,
        "is_fenced": False,
    }
    return response(
        request,
        error_code=ErrorCode.none,
        error_message=None,
        endpoint_type=BROKERS,
        cluster_id=broker.cluster_id,
        controller_id=broker.node_id,
        brokers=[here],
        cluster_authorized_operations=cluster_operations(ctx)
        if request.include_cluster_authorized_operations
        else NOT_ASKED,
    )


def refused(request: Any, kind: int) -> Any:
    """The answer to one who takes this for an endpoint of another type."""
    if kind == CONTROLLERS:
        code = ErrorCode.mismatched_endpoint_type
        message = "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
    else:
        code, message = ErrorCode.unsupported_endpoint_type, f"Unsupported endpoint type {kind}"
    return response(
        request,
        error_code=code,
        error_message=message,
        endpoint_type=BROKERS,
        cluster_id="",
        controller_id=-1,
        brokers=(),
        cluster_authorized_operations=NOT_ASKED,
    )
