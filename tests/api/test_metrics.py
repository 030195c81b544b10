"""`/metrics`: what happened, and only that; each application counts for itself."""

import re
from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fer_gateway.api.protocol import Frame

from .harness import Running, Start
from .test_stream import greeted, read

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def fresh(start: Start) -> Running:
    """A gateway that nobody else has asked anything."""
    return start()


def samples(gateway: Running) -> Samples:
    response = httpx.get(f"{gateway.url}/metrics", timeout=30)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def look_up(found: Samples) -> Callable[..., float]:
    def value(name: str, **labels: str) -> float:
        return found.get((name, frozenset(labels.items())), 0.0)

    return value


def test_pictures_stages_faces_and_problems(fresh: Running, hopper_jpg: bytes, gradient_jpg: bytes) -> None:
    with httpx.Client(base_url=fresh.url, timeout=30) as client:
        for body in (hopper_jpg, gradient_jpg, b"text", b""):
            client.post("/api/v1/analyze", content=body)
        files = [("file", ("x", hopper_jpg)), ("file", ("x", b"text"))]
        client.post("/api/v1/analyze/batch", files=files)
        client.get("/nothing", headers={"Host": "evil.example"})
        client.get(f"/{'x' * 100}")
    value = look_up(samples(fresh))
    assert value("fer_analyzed_total", source="picture") == 3
    faces = [value("fer_faces_total", source="picture", uncertain=u) for u in ("true", "false")]
    assert sum(faces) == 2
    for stage in ("decode", "detect", "landmarks", "crop", "infer", "judge", "total"):
        assert value("fer_stage_seconds_count", source="picture", stage=stage) == 3, stage
    assert value("fer_stage_seconds_sum", source="picture", stage="total") > 0
    assert value("fer_turn_wait_seconds_count") >= 5
    codes = {"unsupported_image": 2, "empty_image": 1, "host_not_allowed": 1, "not_found": 1}
    assert {code: value("fer_problems_total", code=code) for code in codes} == codes
    answered = {
        ("/api/v1/analyze", "200"): 2,
        ("/api/v1/analyze", "415"): 1,
        ("/api/v1/analyze/batch", "200"): 1,
        ("none", "421"): 1,
        ("none", "404"): 1,
    }
    for (route, status), count in answered.items():
        method = "GET" if route == "none" else "POST"
        assert value("fer_request_seconds_count", method=method, route=route, status=status) == count, route


def test_streams_and_their_frames(fresh: Running, hopper_jpg: bytes) -> None:
    with greeted(fresh) as socket:
        for sequence, image in enumerate((hopper_jpg, b"text")):
            socket.send(Frame(sequence, 0.0, image).pack())
            read(socket)
        value = look_up(samples(fresh))
        assert value("fer_streams") == 1
        for sequence in range(9):  # one more than the window; those without a credit are dropped
            socket.send(Frame(2 + sequence, 0.0, hopper_jpg).pack())
        answered = dropped = 0
        while answered + dropped < 9:
            message = read(socket)
            answered += message["type"] == "result"
            dropped = max(dropped, message["dropped"])
    value = look_up(samples(fresh))
    assert value("fer_frames_received_total") == 11
    assert value("fer_frames_failed_total") == 1
    assert value("fer_analyzed_total", source="stream") == 1 + answered
    assert value("fer_frames_dropped_total") == dropped
    assert value("fer_problems_total", code="unsupported_image") == 1


def test_the_model_the_version_and_the_process(fresh: Running) -> None:
    found = samples(fresh)
    assert found[
        "fer_model_info", frozenset({("name", "tiny"), ("version", "0.0.1"), ("precision", "float32")})
    ]
    assert any(name == "fer_build_info" for name, _ in found)
    assert look_up(found)("process_resident_memory_bytes") > 1e6


def test_two_gateways_count_apart(fresh: Running, start: Start, gradient_jpg: bytes) -> None:
    other = start()
    httpx.post(f"{fresh.url}/api/v1/analyze", content=gradient_jpg, timeout=30)
    assert look_up(samples(fresh))("fer_analyzed_total", source="picture") == 1
    assert look_up(samples(other))("fer_analyzed_total", source="picture") == 0


def test_probes_by_another_name_are_counted_with_the_others(fresh: Running) -> None:
    probe = httpx.get(f"{fresh.url}/api/v1/health", headers={"Host": "probe.example"}, timeout=30)
    assert probe.status_code == 200
    counted = [labels for name, labels in samples(fresh) if name == "fer_request_seconds_count"]
    routes = {value for labels in counted for key, value in labels if key == "route"}
    assert "/api/v1/health" in routes
    assert "none" not in routes


def test_no_client_can_make_them_grow(fresh: Running) -> None:
    before = len(samples(fresh))
    with httpx.Client(base_url=fresh.url, timeout=30) as client:
        for number in range(5):
            client.get(f"/path-{number}")
            client.request(f"METHOD{number}", "/api/v1/health")
    new = samples(fresh).keys()
    assert len(new) < before + 100
    assert not [labels for _, labels in new if re.search(r"path-\d|METHOD", str(labels))]
