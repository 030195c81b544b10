"""The API from Python: client.py GATEWAY CODE_OR_TOKEN PHOTO. Needs `httpx`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx


class Gateway:
    """One gateway, and the token that it gave this program."""

    def __init__(self, url: str, secret: str, name: str = "example") -> None:
        """Connect; `secret` is a token (`fer_...`), a pairing code, or empty on the gateway's own machine."""
        # For a gateway with `--lan`: httpx.Client(verify=ssl.create_default_context(cafile="ca.crt"), ...)
        self._client = httpx.Client(base_url=f"{url}/api/v1", timeout=60)
        token = self._pair(secret, name) if secret and not secret.startswith("fer_") else secret
        if token:
            self._client.headers["Authorization"] = f"Bearer {token}"

    def _pair(self, code: str, name: str) -> str:
        """Exchange a code for a token: once; keep the token where other users cannot read it."""
        return str(self._answer(self._client.post("/pair", json={"code": code, "name": name}))["token"])

    def analyze(self, photo: bytes, **options: str | int | float | bool) -> dict[str, Any]:
        """The faces in a JPEG, PNG or WebP file."""
        return self._answer(self._client.post("/analyze", content=photo, params=options))

    def batch(self, photos: dict[str, bytes]) -> list[dict[str, Any]]:
        """The analysis or problem of each of several files, in their order."""
        files = [("file", (name, photo)) for name, photo in photos.items()]
        results: list[dict[str, Any]] = self._answer(self._client.post("/analyze/batch", files=files))[
            "results"
        ]
        return results

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every result of the gateway as it comes, where it has `FER_EVENTS` set."""
        with self._client.stream("GET", "/events", timeout=httpx.Timeout(60, read=30)) as response:
            if response.is_error:
                response.read()
                self._answer(response)
            name = ""
            for line in response.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    yield name, json.loads(value)

    def _answer(self, response: httpx.Response) -> dict[str, Any]:
        """The JSON of an answer. A problem has a stable `code`, and in `detail` what to do."""
        answer: dict[str, Any] = response.json()
        if response.is_error:
            raise RuntimeError(f"{answer['code']}: {answer['detail']}")
        return answer


def main() -> None:
    """Show each of them."""
    url, secret, path = sys.argv[1:]
    gateway, photo = Gateway(url, secret), Path(path).read_bytes()
    print("analyze", gateway.analyze(photo, max_faces=1)["faces"][0]["label"])
    for result in gateway.batch({"photo.jpg": photo, "text.jpg": b"text"}):
        print("batch", result["name"], result["problem"]["code"] if result["problem"] else "ok")
    events = gateway.events()
    print("events", next(events)[0])
    gateway.analyze(photo)
    name, data = next(events)
    print("events", name, data["source"], data["faces"][0]["label"])
    try:
        gateway.analyze(b"text")
    except RuntimeError as error:
        print("problem", error)


if __name__ == "__main__":
    main()
