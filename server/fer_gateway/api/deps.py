"""What routes ask for by their parameters."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from fer_gateway.api.gateway import Gateway


def get_gateway(connection: HTTPConnection) -> Gateway:
    """The gateway of the application that this request or stream came to."""
    gateway: Gateway = connection.app.state.gateway
    return gateway


GatewayDependency = Annotated[Gateway, Depends(get_gateway)]
