/** What is kept of sessions in IndexedDB: facts in one place, samples as they come, and the film of a clip, if one was switched on. */

import { Problem } from "../view/elements.js";

const NAME = "fer-sessions";
const VERSION = 2;
const SESSIONS = "sessions";
const SAMPLES = "samples";
const FILM = "film";
const OF = "session";
const NEW = { id: 0, tally: { people: 0, counts: [], nextId: 0 }, open: false, trashed: false };
/** @type {Readonly<Record<string, StoreProblemKind>>} */
const KINDS = { QuotaExceededError: "full", VersionError: "blocked" };

/** Why nothing could be kept or read. @extends {Problem<StoreProblemKind>} */
export class StoreProblem extends Problem {}

/** @type {StoreIn} */
export function storeIn(factory) {
	/** @type {Promise<IDBDatabase> | null} */
	let opened = null;

	return {
		create(facts, open = false) {
			const { id: _, ...session } = { ...NEW, ...factsOf(facts), open }; // the database gives one
			return run(async (sessions) => ({ ...session, id: Number(await answer(sessions.add(session))) }));
		},

		append(id, added) {
			return run(async (sessions, samples) => {
				const session = await one(sessions, id);
				const durationMs = Math.max(session.durationMs, added.at(-1)?.atMs ?? 0);
				sessions.put({ ...session, durationMs, tally: addToTally(session.tally, session.labels, added) });
				samples.add({ [OF]: id, added });
			});
		},

		update(id, change) {
			return run(async (sessions) => {
				const session = { ...(await one(sessions, id)), ...change };
				sessions.put(session);
				return session;
			});
		},

		async list() {
			const found = await run((sessions) => answer(sessions.getAll()), "readonly");
			return found.sort((first, second) => second.startedAt - first.startedAt);
		},

		get: (id) => run((sessions) => one(sessions, id), "readonly"),

		async samples(id) {
			const pieces = await run((_, samples) => answer(samples.index(OF).getAll(id)), "readonly");
			return pieces.flatMap(({ added }) => added);
		},

		film(id, atMs, piece) {
			return run(async (sessions, _, film) => {
				await one(sessions, id);
				film.add({ [OF]: id, atMs, piece });
			});
		},

		async clips(id) {
			/** @type {Map<number, Blob[]>} */
			const clips = new Map();
			for (const { atMs, piece } of await run((...[, , film]) => answer(film.index(OF).getAll(id)), "readonly")) {
				clips.set(atMs, [...(clips.get(atMs) ?? []), piece]);
			}
			return [...clips].map(([atMs, pieces]) => ({ atMs, film: new Blob(pieces, { type: pieces[0]?.type ?? "" }) }));
		},

		delete(id) {
			return run(async (sessions, ...pieces) => {
				sessions.delete(id);
				for (const store of pieces) {
					for (const key of await answer(store.index(OF).getAllKeys(id))) store.delete(key);
				}
			});
		},

		deleteAll: () => run(async (...stores) => stores.forEach((store) => store.clear())),
	};

	/** @type {RunInStore} */
	async function run(work, mode = "readwrite") {
		try {
			const transaction = (await (opened ??= open())).transaction([SESSIONS, SAMPLES, FILM], mode);
			const completed = new Promise((resolve, reject) => {
				transaction.oncomplete = resolve;
				transaction.onabort = () => reject(transaction.error);
			});
			const storeOf = (/** @type {string} */ name) => transaction.objectStore(name);
			const result = work(storeOf(SESSIONS), storeOf(SAMPLES), storeOf(FILM));
			return (await Promise.all([result, completed]))[0];
		} catch (cause) {
			if (cause instanceof StoreProblem) throw cause;
			throw new StoreProblem((cause instanceof DOMException && KINDS[cause.name]) || "broken", cause);
		}
	}

	async function open() {
		try {
			const request = factory().open(NAME, VERSION);
			request.onupgradeneeded = ({ oldVersion }) => {
				const { result } = request;
				if (oldVersion < 1) result.createObjectStore(SESSIONS, { keyPath: "id", autoIncrement: true });
				for (const name of oldVersion < 1 ? [SAMPLES, FILM] : [FILM]) {
					result.createObjectStore(name, { autoIncrement: true }).createIndex(OF, OF);
				}
			};
			const database = await answer(request);
			database.onclose = () => (opened = null);
			database.onversionchange = () => {
				database.close(); // another tab has a newer page
				opened = null;
			};
			return database;
		} catch (cause) {
			opened = null;
			throw cause instanceof DOMException && KINDS[cause.name] ? cause : new StoreProblem("refused", cause);
		}
	}
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answer(request) {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

/** @param {IDBObjectStore} sessions @param {number} id @returns {Promise<Session>} */
async function one(sessions, id) {
	const session = await answer(sessions.get(id));
	if (!session) throw new StoreProblem("gone");
	return session;
}

/** @type {FactsOf} */
export function factsOf({ name, note, startedAt, durationMs, labels, model, source, moments }) {
	return { name, note, startedAt, durationMs, labels, model, source, moments };
}

/** @type {NewSession} */
export function newSession(name, source, { labels, name: model, version }, durationMs = 0) {
	return {
		...NEW, name, note: "", startedAt: Date.now(), durationMs, labels, model: { name: model, version }, source, moments: [],
	};
}

/** @type {SampleOf} */
export function sampleOf(atMs, faces, firstId = 0) {
	return { atMs, faces: faces.map(({ id, label, confidence, uncertain, probabilities }) => (
		{ id: firstId + id, label, confidence, uncertain, probabilities }
	)) };
}

/** @type {AddToTally} */
export function addToTally({ people, counts, nextId }, labels, samples) {
	const faces = samples.flatMap((sample) => sample.faces);
	return {
		people: samples.reduce((most, sample) => Math.max(most, sample.faces.length), people),
		counts: labels.map((label, index) => (counts[index] ?? 0) + faces.filter((face) => face.label === label).length),
		nextId: faces.reduce((next, { id }) => Math.max(next, id + 1), nextId),
	};
}

/** @type {MainLabel} */
export function mainLabel({ labels, tally: { counts } }) {
	const most = Math.max(0, ...counts);
	return most > 0 ? labels[counts.indexOf(most)] ?? null : null;
}
