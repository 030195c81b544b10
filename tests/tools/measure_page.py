"""Measures the page in Chromium against a real gateway, its camera a clip of a public photo; prints Markdown.

Run `python -m tests.tools.measure_page --minutes 10`; its figures are in `web/MEASURED.md`.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright
from tests.e2e.chromium import QUIET, fake_camera, find_chromium, open_context
from tests.e2e.gateway_process import GatewayProcess
from tests.tools.render_screenshots import write_clip

WEB = Path(__file__).resolve().parents[2] / "web"
LOADS = 7
STREAMED_S = 60
LONG_MS = 50
SETTLED_S = 90
"""The last minute of each face fills up first."""
SAMPLED_EVERY_S = 10
WITHIN_MS = 120_000

WATCH = """
    const watch = () => {
        const waits = document.querySelector("body > [inert]");
        const notice = document.querySelector("#consent")?.open;
        if (document.body && document.readyState !== "loading" && (notice || !waits)) {
            window.interactiveMs = performance.now();
        } else requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
"""
"""Notes when the page first answers: its notice is open, or no part of it is inert any more."""


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="of streaming for the memory")
    arguments = parser.parse_args()
    scripts = [path for path in WEB.rglob("*.js") if path.is_file()]
    size = sum(path.stat().st_size for path in scripts)
    _row("what", "measured")
    _row("---", "---")
    _row("machine", f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    _row("script, comments included", f"{size / 1024:.1f} KiB in {len(scripts)} files")
    gateway = GatewayProcess().start()
    try:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            clip = write_clip(Path(folder) / "camera.mjpeg")
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=[*QUIET, *fake_camera(clip)]
            )
            _row("browser", f"Chromium {browser.version}, headless")
            _measure_first_view(browser, gateway.url)
            _measure_stream(browser, gateway.url, arguments.minutes)
            browser.close()
    finally:
        gateway.stop()


def _measure_first_view(browser: Browser, url: str) -> None:
    """Each load in a context of its own: nothing is cached, no service worker is there."""
    for name, opened in (("the notice at the first start", False), ("the live view", True)):
        times_ms = []
        for _ in range(LOADS):
            context = open_context(browser) if opened else browser.new_context()
            with context:
                context.add_init_script(WATCH)
                page = context.new_page()
                page.goto(url)
                page.wait_for_function("() => window.interactiveMs !== undefined", timeout=WITHIN_MS)
                times_ms.append(page.evaluate("window.interactiveMs"))
        _row(f"first view, cold cache: {name}", _spread(times_ms))


def _measure_stream(browser: Browser, url: str, minutes: float) -> None:
    with open_context(browser) as context:
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(url)
        page.get_by_role("button", name="Start camera").click()
        expect(page.locator(".face").first).to_be_visible(timeout=WITHIN_MS)
        page.get_by_test_id("gateway").click()  # the panel of the connection has the page's own figures
        page.wait_for_timeout(5_000)
        browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
        page.wait_for_timeout(1000 * STREAMED_S)
        tasks = _main_thread_tasks(browser.stop_tracing())
        for name, times_ms in (
            ("of processor time", [cpu_ms for _, cpu_ms in tasks]),
            ("by the clock, in which others had the processor too", [wall_ms for wall_ms, _ in tasks]),
        ):
            over = sum(time_ms > LONG_MS for time_ms in times_ms)
            _row(
                f"main-thread tasks over {LONG_MS} ms {name}, {STREAMED_S} s of streaming",
                f"{over} of {len(tasks)}, the longest {max(times_ms):.0f} ms",
            )
        figures = {name: _figure(page, name) for name in ("median", "percentile-95", "rate", "lost")}
        _row("camera to result on localhost, last minute: median", figures["median"])
        _row("camera to result, 95th percentile", figures["percentile-95"])
        _row("results per second; frames dropped since the start", f"{figures['rate']}; {figures['lost']}")
        page.keyboard.press("Escape")
        _measure_memory(page, context.new_cdp_session(page), minutes)


def _main_thread_tasks(trace: bytes) -> list[tuple[float, float]]:
    """Wall and processor time in ms of each task of the page's main thread: the busiest of that name."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks: dict[tuple[int, int], list[tuple[float, float]]] = {main: [] for main in mains}
    for event in events:
        thread = event["pid"], event["tid"]
        if thread in mains and event["ph"] == "X" and event["name"].endswith("RunTask") and "tdur" in event:
            tasks[thread].append((event["dur"] / 1000, event["tdur"] / 1000))
    return max(tasks.values(), key=len)


def _measure_memory(page: Page, session: CDPSession, minutes: float) -> None:
    page.wait_for_timeout(1000 * max(0, SETTLED_S - STREAMED_S))
    session.send("Performance.enable")
    samples = [_heap(session)]
    for _ in range(round(60 * minutes / SAMPLED_EVERY_S)):
        page.wait_for_timeout(1000 * SAMPLED_EVERY_S)
        samples.append(_heap(session))
    third = max(1, len(samples) // 3)
    first, last = (
        statistics.median(size for size, _ in part) for part in (samples[:third], samples[-third:])
    )
    nodes = [count for _, count in samples]
    _row(
        f"JavaScript heap after collection, {minutes:g} min of streaming",
        f"median of the first third {first:.2f} MB, of the last {last:.2f} MB",
    )
    _row("DOM nodes, begin and end of these minutes", f"{nodes[0]:.0f}, {nodes[-1]:.0f}")


def _heap(session: CDPSession) -> tuple[float, float]:
    """Used heap in MB without garbage, and the number of nodes."""
    session.send("HeapProfiler.collectGarbage")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    return metrics["JSHeapUsedSize"] / 1e6, metrics["Nodes"]


def _figure(page: Page, name: str) -> str:
    return page.locator(f"#status [data-value='{name}']").inner_text()


def _spread(times_ms: list[float]) -> str:
    return f"median {statistics.median(times_ms):.0f} ms, longest of {len(times_ms)} {max(times_ms):.0f} ms"


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
