/** Keeps the page's own files, so that it opens without the gateway. Never touches `/api/`. */

importScripts("/precache.js");

const worker = /** @type {PageKeeper} */ (/** @type {unknown} */ (self));
const PREFIX = "page-";
const CACHE = PREFIX + worker.PRECACHE.version;
const KEPT = new Set(worker.PRECACHE.urls);

worker.addEventListener("install", (event) => event.waitUntil(keepFiles()));
worker.addEventListener("activate", (event) => event.waitUntil(forgetOldVersions()));
worker.addEventListener("message", ({ data }) => data === "activate" && void worker.skipWaiting());
worker.addEventListener("fetch", (event) => {
	const { method, url } = event.request;
	const { origin, pathname } = new URL(url);
	if (origin !== worker.location.origin) return;
	if (method === "POST" && pathname === "/share") event.respondWith(keepShared(event.request));
	if (method === "GET" && KEPT.has(pathname)) event.respondWith(answer(event.request, pathname));
});

async function keepFiles() {
	const cache = await caches.open(CACHE);
	await cache.addAll(worker.PRECACHE.urls.map((url) => new Request(url, { cache: "reload" })));
}

/** Keep what another app shared until the page takes it. @param {Request} request with a form */
async function keepShared(request) {
	const cache = await caches.open("shared");
	for (const [index, file] of (await request.formData()).getAll("photos").entries()) {
		if (!(file instanceof File)) continue;
		const headers = { "Content-Type": file.type, "X-Name": encodeURIComponent(file.name) };
		await cache.put(`/shared/${index}`, new Response(file, { headers }));
	}
	return Response.redirect("/#files/shared", 303);
}

async function forgetOldVersions() {
	for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
}

/** @param {Request} request @param {string} pathname queries do not choose between files */
async function answer(request, pathname) {
	return (await caches.match(pathname, { cacheName: CACHE })) ?? fetch(request);
}
