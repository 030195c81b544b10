/** Which camera is asked for, which one is the same again, and one that gives no picture. */

import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";

import { cameraInto, cameraWishes, findCamera } from "../../web/camera/camera.js";

const FRONT = { deviceId: "f", label: "Front" };
const BACK = { deviceId: "b", label: "Back" };
const UNNAMED = { deviceId: "", label: "" };

describe("camera wishes", () => {
  /** @type {Map<string, string>} */
  let kept;
  /** @type {CameraWishes} */
  let wishes;

  beforeEach(() => {
    kept = new Map();
    wishes = cameraWishes({
      get: (name) => kept.get(name) ?? null,
      set: (name, value) => void (value === null ? kept.delete(name) : kept.set(name, value)),
    });
  });

  const asked = () => [wishes.constraints.facingMode, wishes.constraints.deviceId];

  test("without a choice, the camera that looks at the person", () => {
    assert.deepEqual(asked(), ["user", undefined]);
    assert.equal(wishes.among([FRONT, BACK]), undefined);
  });

  test("a chosen camera is a wish, so that another opens while it is away", () => {
    wishes.choose(BACK);
    assert.deepEqual(asked(), [undefined, { ideal: "b" }]);
    assert.equal(wishes.among([FRONT, BACK]), BACK);
    assert.equal(wishes.among([FRONT]), undefined);
  });

  test("a side takes the place of a chosen camera", () => {
    wishes.choose(FRONT);
    wishes.face("environment");
    assert.deepEqual(asked(), ["environment", undefined]);
    assert.equal(wishes.among([FRONT, BACK]), undefined);
  });

  test("people see themselves as in a mirror, and may change it for each side", () => {
    assert.deepEqual([wishes.mirrors("user"), wishes.mirrors("environment")], [true, false]);
    wishes.setMirrored("user", false);
    wishes.setMirrored("environment", true);
    assert.deepEqual([wishes.mirrors("user"), wishes.mirrors("environment")], [false, true]);
  });
});

describe("findCamera", () => {
  /** @type {[string, typeof FRONT[], typeof FRONT, typeof FRONT | undefined][]} */
  const table = [
    ["by its id", [FRONT, BACK], { deviceId: "b", label: "renamed" }, BACK],
    ["by its name, where ids have changed", [FRONT, BACK], { deviceId: "old", label: "Back" }, BACK],
    ["its id counts more than its name", [FRONT, BACK], { deviceId: "b", label: "Front" }, BACK],
    ["not at all", [FRONT], BACK, undefined],
    ["cameras without names are not all the same", [UNNAMED], { deviceId: "b", label: "" }, undefined],
  ];
  for (const [name, cameras, wanted, found] of table) {
    test(name, () => assert.equal(findCamera(cameras, wanted), found));
  }
});

test("a camera without a picture is open all the same, so that it is seen to give none", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const video = { play: () => new Promise(() => {}), srcObject: null };
  const devices = {
    addEventListener() {},
    enumerateDevices: async () => [],
    getUserMedia: async () => ({ getTracks: () => [] }),
  };
  const camera = cameraInto(
    /** @type {any} */ (video),
    /** @type {any} */ (devices),
    cameraWishes({ get: () => null, set() {} }),
    { onLost() {}, onDevices() {} },
  );
  const opened = camera.open();
  await new Promise((resolve) => setImmediate(resolve));
  mock.timers.tick(3000);
  assert.equal(await opened, true);
});
