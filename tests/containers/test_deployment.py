"""Compose and Kubernetes: least rights, limits, probes and drain; and names that fit image and gateway."""

import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.api.harness import serve

from fer_gateway.api.app import create_app
from fer_gateway.settings import Settings

from .caddy import caddy_before
from .dockerfile import read_stages

ROOT = Path(__file__).parent.parent.parent
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
MANIFESTS = list(yaml.safe_load_all((DOCKER / "kubernetes" / "gateway.yaml").read_text("utf-8")))
IMAGE = {step.name: step for step in read_stages(DOCKER / "Dockerfile")[-1].instructions}


def manifest(kind: str) -> dict[str, Any]:
    (found,) = [entry for entry in MANIFESTS if entry["kind"] == kind]
    return dict(found)


POD = manifest("Deployment")["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
VARIABLES = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}


def routes() -> set[str]:
    return {getattr(route, "path", "") for route in create_app(Settings()).routes} | set(
        create_app(Settings()).openapi()["paths"]
    )


@pytest.mark.parametrize("name", [*VARIABLES, *COMPOSE["services"]["gateway"]["environment"]])
def test_variables_are_settings(name: str) -> None:
    assert name.removeprefix("FER_").lower() in Settings.model_fields


def test_probes_ask_what_exists() -> None:
    asked = {
        CONTAINER[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert asked == {"/api/v1/ready", "/api/v1/health"}
    assert asked <= routes()
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/api/v1/health", "busy is not dead"
    assert "/api/v1/ready" in IMAGE["HEALTHCHECK"].text


def test_a_gateway_that_leaves_has_time_to() -> None:
    waits = re.search(r"sleep\((\d+)\)", CONTAINER["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert waits is not None
    assert POD["spec"]["terminationGracePeriodSeconds"] >= int(waits[1]) + 5 + 5, (
        "load balancers, requests, spare"
    )
    assert COMPOSE["services"]["gateway"]["stop_grace_period"] == "15s"


def test_kubernetes_grants_nothing() -> None:
    user, group = (int(number) for number in IMAGE["USER"].text.split(":"))
    pod, container = POD["spec"]["securityContext"], CONTAINER["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"], pod["runAsGroup"]) == (True, user, group)
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert set(CONTAINER["resources"]) == {"requests", "limits"}
    assert "latest" not in CONTAINER["image"]
    assert ":" in CONTAINER["image"]


def test_the_devices_are_a_file_that_the_gateway_accepts() -> None:
    """Root's, and readable for the group that the gateway is in, for nobody else."""
    (devices,) = [volume for volume in POD["spec"]["volumes"] if volume["name"] == "devices"]
    assert devices["secret"]["defaultMode"] == 0o440
    assert POD["spec"]["securityContext"]["fsGroup"] == POD["spec"]["securityContext"]["runAsGroup"]
    (mount,) = [mount for mount in CONTAINER["volumeMounts"] if mount["name"] == "devices"]
    assert mount["readOnly"] is True
    assert VARIABLES["FER_DEVICES"].startswith(mount["mountPath"])


def test_manifests_select_each_other() -> None:
    labels = POD["metadata"]["labels"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert manifest(kind)["spec"]["selector"]["matchLabels"] == labels
    service = manifest("Service")["spec"]
    assert service["selector"] == labels
    (port,) = CONTAINER["ports"]
    assert (port["name"], str(port["containerPort"])) == (
        service["ports"][0]["targetPort"],
        IMAGE["EXPOSE"].text,
    )


def test_compose_grants_nothing_and_hides_the_gateway() -> None:
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "mem_limit" in service
        assert not service["image"].endswith("latest")
    gateway, caddy = COMPOSE["services"]["gateway"], COMPOSE["services"]["caddy"]
    assert "ports" not in gateway
    assert caddy["cap_add"] == ["NET_BIND_SERVICE"]
    proxy = caddy["networks"]["inner"]["ipv4_address"]
    assert gateway["environment"]["FER_TRUSTED_PROXIES"] == proxy
    assert caddy["depends_on"] == {"gateway": {"condition": "service_healthy"}}


@pytest.fixture
def caddy(tmp_path: Path, tiny_model: Path) -> Iterator[str]:
    """Caddy with our Caddyfile in front of a gateway, on loopback; the address of the page."""
    settings = Settings(
        model=tiny_model,
        allowed_hosts=("localhost", "127.0.0.1"),
        trusted_proxies=("127.0.0.1",),
        data=tmp_path,
    )
    with serve(settings) as gateway, caddy_before([gateway.port], tmp_path) as url:
        yield url


def test_caddy_serves_the_gateway(caddy: str, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "root.crt"))
    with httpx.Client(verify=context, timeout=30) as client:
        deadline = time.monotonic() + 60
        while (answer := client.get(f"{caddy}/api/v1/ready")).status_code != 200:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)
        page = client.get(caddy)
        assert page.status_code == 200
        assert "content-security-policy" in page.headers
        refused = client.post(
            f"{caddy}/api/v1/analyze", content=b"", headers={"Origin": "https://evil.example"}
        )
        assert refused.status_code == 403
    assert b"Authorization" not in (tmp_path / "log").read_bytes()
