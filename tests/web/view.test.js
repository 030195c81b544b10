/** Geometry of the overlay, numbers, and the words for every state. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { sizeToSend } from "../../web/camera/capture.js";
import { cameraAdvice, cameraProblem } from "../../web/camera/problems.js";
import { certaintyOf, emotionOf, milliseconds, NOTHING, percent, perSecond } from "../../web/view/format.js";
import { fitPicture, placeBox } from "../../web/view/geometry.js";
import { gatewayLine, noticeFor } from "../../web/view/notice.js";

/** @typedef {import("../../web/live/live.js").CameraState} CameraState */
/** @typedef {import("../../web/live/live.js").GatewayState} GatewayState */

describe("fitPicture", () => {
  const wide = { width: 640, height: 480 };
  const tall = { width: 480, height: 640 };
  /** @type {[string, import("../../web/view/geometry.js").Size, "cover" | "contain" | "fill", number[]][]} */
  const table = [
    ["contain leaves bars at the sides", wide, "contain", [50, 0, 400, 300]],
    ["cover reaches over top and bottom", wide, "cover", [0, -37.5, 500, 375]],
    ["contain of a tall picture", tall, "contain", [137.5, 0, 225, 300]],
    ["fill takes the stage", tall, "fill", [0, 0, 500, 300]],
  ];
  for (const [name, picture, fit, expected] of table) {
    test(name, () => {
      const { left, top, width, height } = fitPicture(picture, { width: 500, height: 300 }, fit);
      assert.deepEqual([left, top, width, height], expected);
    });
  }
});

describe("placeBox", () => {
  const picture = { left: 50, top: 0, width: 400, height: 300 };
  const box = { x: 0.125, y: 0.25, width: 0.25, height: 0.5 };

  test("as the camera sees it", () => {
    assert.deepEqual(placeBox(box, picture, false), { left: 100, top: 75, width: 100, height: 150 });
  });

  test("as a mirror shows it", () => {
    assert.deepEqual(placeBox(box, picture, true), { left: 300, top: 75, width: 100, height: 150 });
  });

  test("mirroring keeps a centred box in place", () => {
    const centred = { x: 0.375, y: 0, width: 0.25, height: 1 };
    assert.deepEqual(placeBox(centred, picture, true), placeBox(centred, picture, false));
  });
});

test("frames are sent at most 480 px wide and never enlarged", () => {
  assert.deepEqual(sizeToSend(640, 480), { width: 480, height: 360 });
  assert.deepEqual(sizeToSend(1920, 1080), { width: 480, height: 270 });
  assert.deepEqual(sizeToSend(480, 640), { width: 480, height: 640 });
  assert.deepEqual(sizeToSend(320, 240), { width: 320, height: 240 });
});

test("numbers as people read them", () => {
  assert.deepEqual([percent(0), percent(0.974), percent(1)], ["0%", "97%", "100%"]);
  assert.deepEqual([milliseconds(null), milliseconds(38.4)], [NOTHING, "38 ms"]);
  assert.deepEqual([perSecond(0), perSecond(9.94), perSecond(9.96), perSecond(29.7)], ["0.0", "9.9", "10", "30"]);
});

describe("answers as people read them", () => {
  /** @type {[string, boolean, string[], string][]} */
  const table = [
    ["a sure one", false, [], "neutral 41%"],
    ["one that is not probable enough", true, ["low_confidence"], "neutral? 41%, not sure"],
    ["one with a cause to see", true, ["too_dark"], "neutral? 41%, too dark"],
    ["the cause says more than the confidence", true, ["low_confidence", "cut_off", "blurred"], "neutral? 41%, cut off"],
  ];
  for (const [name, uncertain, reasons, words] of table) {
    test(name, () => {
      const face = { label: "neutral", confidence: 0.41, uncertain, reasons };
      assert.equal(`${emotionOf(face)} ${certaintyOf(face)}`, words);
    });
  }
});

describe("camera problems", () => {
  const location = { protocol: "http:", port: "8000" };
  /** @type {[string, string, RegExp][]} */
  const table = [
    ["NotAllowedError", "denied", /site settings/],
    ["NotFoundError", "missing", /Connect a camera/],
    ["NotReadableError", "busy", /Another app/],
    ["OverconstrainedError", "missing", /Connect a camera/],
    ["TypeError", "unknown", /reload/],
  ];
  for (const [name, kind, advice] of table) {
    test(`${name} is \`${kind}\``, () => {
      const problem = cameraProblem(Object.assign(new Error(), { name }));
      assert.equal(problem.kind, kind);
      assert.match(cameraAdvice(problem.kind, location).advice, advice);
    });
  }

  test("an insecure address names the one that works", () => {
    assert.match(cameraAdvice("insecure", location).advice, /http:\/\/localhost:8000\. .*HTTPS/);
    assert.match(cameraAdvice("insecure", { protocol: "http:", port: "" }).advice, /http:\/\/localhost\. /);
  });
});

describe("notices", () => {
  const location = { protocol: "http:", port: "8000" };
  /** @type {[CameraState, GatewayState, RegExp | null][]} */
  const table = [
    [{ phase: "off" }, { phase: "unknown" }, /See what a face expresses/],
    [{ phase: "off" }, { phase: "unreachable" }, /can't be reached/],
    [{ phase: "failed", kind: "denied" }, { phase: "found" }, /not allowed/],
    [{ phase: "failed", kind: "insecure" }, { phase: "unreachable" }, /cannot use the camera/],
    [{ phase: "starting" }, { phase: "found" }, /Starting the camera/],
    [{ phase: "on" }, { phase: "connecting" }, null],
    [{ phase: "on" }, { phase: "ready" }, null],
    [{ phase: "on" }, { phase: "waiting", reason: "lost" }, /connection broke/],
    [{ phase: "on" }, { phase: "waiting", reason: "busy" }, /busy/],
    [{ phase: "on" }, { phase: "waiting", reason: "restarting" }, /restarts/],
    [{ phase: "on" }, { phase: "waiting", reason: "unreachable" }, /can't be reached/],
    [{ phase: "on" }, { phase: "refused", detail: "No `hello` came." }, /refused/],
  ];
  for (const [camera, gateway, title] of table) {
    test(`camera ${camera.phase}, gateway ${gateway.phase}${title ? `: ${title.source}` : ""}`, () => {
      const state = { camera, gateway, card: null };
      const notice = noticeFor(state, location);
      if (title) assert.match(notice?.title ?? "", title);
      else assert.equal(notice, null);
      assert.notEqual(gatewayLine(state).words, "");
    });
  }

  test("a refusal says why", () => {
    /** @type {GatewayState} */
    const gateway = { phase: "refused", detail: "No `hello` came." };
    const notice = noticeFor({ camera: { phase: "on" }, gateway, card: null }, location);
    assert.match(notice?.advice ?? "", /^No `hello` came\. Stop/);
  });
});
