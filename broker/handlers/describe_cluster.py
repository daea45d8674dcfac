"""DescribeCluster (key 60), versions 0-2 (KIP-700).

v1 endpoint type (KIP-919): brokers (1); controllers (2) cannot be asked of a broker: UNSUPPORTED_ENDPOINT_TYPE ·
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

BROKERS = 1


@api(ApiKey.DESCRIBE_CLUSTER, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    broker = ctx.broker
    refused = getattr(request, "endpoint_type", BROKERS) != BROKERS
    here = {
        "broker_id": broker.node_id,
        "host": broker.advertised_host,
        "port": broker.advertised_port,
        "rack": None,
        "is_fenced": False,
    }
    return response(
        request,
        error_code=ErrorCode.unsupported_endpoint_type if refused else ErrorCode.none,
        error_message="Controllers cannot be asked of a broker." if refused else None,
        endpoint_type=BROKERS,
        cluster_id=broker.cluster_id,
        controller_id=broker.node_id,
        brokers=[] if refused else [here],
        cluster_authorized_operations=cluster_operations(ctx)
        if request.include_cluster_authorized_operations
        else NOT_ASKED,
    )
