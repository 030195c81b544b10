/** The service worker: makes the page open offline, and offers a new version instead of slipping it in. */

/**
 * Register the service worker.
 *
 * @param {ServiceWorkerContainer} container
 * @param {(activate: () => void) => void} onUpdate a new version waits; `activate` switches to it and reloads
 */
export async function watchUpdates(container, onUpdate) {
  const registration = await container.register("/service-worker.js", { updateViaCache: "none" });
  /** @param {ServiceWorker} worker */
  const offer = (worker) => {
    if (!container.controller) return; // the first version replaces nothing
    onUpdate(() => {
      container.addEventListener("controllerchange", () => location.reload(), { once: true });
      worker.postMessage("activate");
    });
  };
  if (registration.waiting) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => worker.state === "installed" && offer(worker));
  });
}
