/** Geometry of the overlay, numbers, and the words for every state. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { cameraAdvice, cameraProblem } from "../../web/camera/camera.js";
import { sizeToSend } from "../../web/camera/encoder.js";
import { certaintyOf, emotionOf, gatewayLine, milliseconds, NOTHING, noticeFor, perSecond, reasonsOf } from "../../web/view/format.js";
import { fitPicture, placeBox } from "../../web/view/overlay.js";
import { english } from "./english.js";

const words = await english();

describe("fitPicture", () => {
  const wide = { width: 640, height: 480 };
  const tall = { width: 480, height: 640 };
  /** @type {[string, Size, "cover" | "contain" | "fill", number[]][]} */
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

test("frames are sent no wider than asked for and never enlarged", () => {
  assert.deepEqual(sizeToSend(640, 480, 480), { width: 480, height: 360 });
  assert.deepEqual(sizeToSend(1920, 1080, 320), { width: 320, height: 180 });
  assert.deepEqual(sizeToSend(480, 640, 480), { width: 480, height: 640 });
  assert.deepEqual(sizeToSend(320, 240, 480), { width: 320, height: 240 });
});

test("numbers as people read them", () => {
  assert.deepEqual([words.percent(0), words.percent(0.974), words.percent(1)], ["0%", "97%", "100%"]);
  assert.deepEqual([milliseconds(null), milliseconds(38.4)], [NOTHING, "38 ms"]);
  assert.deepEqual([0, 9.94, 9.96, 29.7].map((value) => perSecond(words, value)), ["0.0", "9.9", "10", "30"]);
});

describe("answers as people read them", () => {
  /** @type {[string, boolean, string[], string][]} */
  const table = [
    ["a sure one", false, [], "neutral 41%"],
    ["one that is not probable enough", true, ["low_confidence"], "neutral? 41%, not sure"],
    ["one with a cause to see", true, ["too_dark"], "neutral? 41%, too dark"],
    ["the cause says more than the confidence", true, ["low_confidence", "cut_off", "blurred"], "neutral? 41%, cut off"],
  ];
  for (const [name, uncertain, reasons, read] of table) {
    test(name, () => {
      const face = { label: "neutral", confidence: 0.41, uncertain, reasons };
      assert.equal(`${emotionOf(words, face)} ${certaintyOf(words, face)}`, read);
    });
  }

  /** @type {[string, boolean, string[], string][]} */
  const whole = [
    ["sure", false, [], "41%"],
    ["not probable enough", true, ["low_confidence"], "41%, not sure"],
    ["several causes", true, ["low_confidence", "cut_off", "turned_away"], "41%, cut off, turned away"],
    ["a cause that a newer gateway names", true, ["wears_a_mask"], "41%, wears a mask"],
  ];
  for (const [name, uncertain, reasons, read] of whole) {
    test(`the face that is shown: ${name}`, () => {
      assert.equal(reasonsOf(words, { confidence: 0.41, uncertain, reasons }), read);
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
      assert.match(cameraAdvice(words, problem.kind, location).advice, advice);
    });
  }

  test("an insecure address names the one that works", () => {
    assert.match(cameraAdvice(words, "insecure", location).advice, /http:\/\/localhost:8000\. .*HTTPS/);
    assert.match(cameraAdvice(words, "insecure", { protocol: "http:", port: "" }).advice, /http:\/\/localhost\. /);
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
    [{ phase: "starting", again: false }, { phase: "found" }, /Starting the camera/],
    [{ phase: "starting", again: true }, { phase: "ready" }, /gives no picture/],
    [{ phase: "failed", kind: "busy" }, { phase: "found" }, /in use/],
    [{ phase: "failed", kind: "lost" }, { phase: "found" }, /went away/],
    [{ phase: "on" }, { phase: "connecting", again: null }, null],
    [{ phase: "on" }, { phase: "connecting", again: "lost" }, /connection broke/],
    [{ phase: "on" }, { phase: "connecting", again: "busy" }, /busy/],
    [{ phase: "on" }, { phase: "ready" }, null],
    [{ phase: "on" }, { phase: "waiting", reason: "lost" }, /connection broke/],
    [{ phase: "on" }, { phase: "waiting", reason: "busy" }, /busy/],
    [{ phase: "on" }, { phase: "waiting", reason: "restarting" }, /restarts/],
    [{ phase: "on" }, { phase: "waiting", reason: "unreachable" }, /can't be reached/],
    [{ phase: "on" }, { phase: "refused", detail: "No `hello` came.", code: "protocol_violation" }, /refused/],
    [{ phase: "off" }, { phase: "refused", detail: "Pair.", code: "token_required" }, /not paired/],
    [{ phase: "on" }, { phase: "refused", detail: "Pair.", code: "token_invalid" }, /not paired/],
    [{ phase: "on" }, { phase: "refused", detail: "Pair.", code: "token_expired" }, /not paired/],
    [{ phase: "on" }, { phase: "refused", detail: "Pair.", code: "scope_missing" }, /not paired/],
  ];
  for (const [camera, gateway, title] of table) {
    test(`camera ${camera.phase}, gateway ${gateway.phase}${title ? `: ${title.source}` : ""}`, () => {
      const state = { camera, gateway, card: null };
      const notice = noticeFor(words, state, location);
      if (title) assert.match(notice?.title ?? "", title);
      else assert.equal(notice, null);
      assert.notEqual(words.say(gatewayLine(state).key), "");
    });
  }

  test("nothing flickers between two attempts", () => {
    for (const reason of /** @type {const} */ (["lost", "busy", "restarting", "unreachable", "malformed"])) {
      /** @type {GatewayState[]} */
      const attempts = [{ phase: "waiting", reason }, { phase: "connecting", again: reason }];
      const [waiting, connecting] = attempts.map((gateway) => {
        const state = { camera: /** @type {CameraState} */ ({ phase: "on" }), gateway, card: null };
        return [noticeFor(words, state, location), gatewayLine(state)];
      });
      assert.deepEqual(connecting, waiting);
    }
  });

  test("a refusal says why", () => {
    /** @type {GatewayState} */
    const gateway = { phase: "refused", detail: "No `hello` came.", code: "protocol_violation" };
    const notice = noticeFor(words, { camera: { phase: "on" }, gateway, card: null }, location);
    assert.match(notice?.advice ?? "", /^No `hello` came\. Stop/);
  });
});
