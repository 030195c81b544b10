/** The view of the sessions: the list, and what can be done with each. */

import { drawPicture } from "../charts/timeline.js";
import { copyOf, download, element, find, put } from "../view/elements.js";
import { clock, date } from "../view/format.js";
import { advice, parseSession, toCsv, toJson } from "./export.js";
import { findInterrupted } from "./recording.js";
import { makeReplay } from "./replay.js";
import { mainLabel } from "./store.js";

const TITLES = ["views.sessions", "sessions.one", "sessions.compared"];

/** @type {OpenSessions} */
export function openSessions(words, store, onContinue) {
	const root = find("#view-sessions");
	const replay = makeReplay(root, words, (change) => attempt(() => store.update(ids[0] ?? 0, change)));
	const dialog = find("dialog#delete-all");
	const chosen = find("input#session-file", root);
	const compared = find("select#compare-choice", root);
	/** @type {readonly number[]} that are open: none for the list, two to compare */
	let ids = [];
	/** @type {Session | null} that can come back */
	let trashed = null;

	/** @type {Record<string, (id: number) => unknown>} what the buttons do */
	const acts = {
		async delete(id) {
			await purge();
			trashed = await store.update(id, { trashed: true });
			say(words.say("sessions.deleted", { name: trashed.name }));
			if (ids.length > 0) location.hash = "#sessions";
			else await show();
		},
		async undo() {
			if (trashed) await store.update(trashed.id, { trashed: false });
			trashed = null;
			say();
			await show();
		},
		ask() {
			dialog.returnValue = "";
			dialog.showModal();
		},
		async finish(id) {
			await store.update(id, { open: false });
			await show();
		},
		continue: () => replay.first && onContinue(replay.first.session),
		csv: () => save("csv", "text/csv", toCsv),
		json: () => save("json", "application/json", toJson),
		clip: () => replay.first?.clips?.forEach(({ film }, index) => (
			download(film, `${fileName(replay.first)}-${index + 1}.${/\w+\/(\w+)/.exec(film.type)?.[1]}`, film.type)
		)),
		png: () => save("png", "image/png", (session) => drawPicture(words, root, session, replay.track, clock)),
	};
	root.onclick = ({ target }) => {
		const button = target instanceof Element && target.closest("[data-act]");
		if (!button) return;
		const id = Number(button.closest("[data-id]")?.getAttribute("data-id") ?? ids[0]);
		void attempt(async () => acts[button.getAttribute("data-act") ?? ""]?.(id));
	};
	dialog.onclose = () => attempt(deleteAll);
	chosen.onchange = () => attempt(take);
	compared.onchange = () => (location.hash = `#sessions/${ids[0]}+${compared.value}`);
	return { open, close };

	/** @type {SessionsView["open"]} */
	function open(rest) {
		replay.close();
		ids = rest.split("+").map(Number).filter((id) => id > 0).slice(0, 2);
		if (!trashed) say();
		return attempt(show);
	}

	function close() {
		replay.close();
		return attempt(purge);
	}

	async function show() {
		const shown = ids;
		const sessions = (await store.list()).filter((session) => !session.trashed);
		const recordings = await Promise.all(shown.map(async (id) => (
			{ session: await store.get(id), samples: await store.samples(id), clips: await store.clips(id) }
		)));
		const isInterrupted = await findInterrupted();
		if (shown !== ids) return; // another was opened meanwhile
		root.dataset["count"] = `${recordings.length}`;
		put("h2", words.say(TITLES[ids.length] ?? ""), root);
		if (recordings[0]) {
			const { session } = recordings[0];
			find(".interrupted", root).hidden = !isInterrupted(session);
			find("[data-act=clip]", root).hidden = !recordings[0].clips?.length;
			compared.replaceChildren(
				new Option(words.say("sessions.compare_choose"), "", true, true),
				...sessions.filter(({ id }) => id !== session.id).map(({ id, name }) => new Option(name, `${id}`)),
			);
			replay.open(recordings);
		} else {
			const isEmpty = sessions.length === 0;
			put(".sessions-empty", words.say(isEmpty ? "sessions.empty" : "sessions.kept_here"), root);
			find("button[data-act=ask]", root).disabled = isEmpty;
			find(".session-list", root).replaceChildren(...sessions.map((session) => rowOf(session, isInterrupted(session))));
		}
	}

	/** @param {Session} session @param {boolean} interrupted */
	function rowOf(session, interrupted) {
		const { id, name, startedAt, durationMs, source, tally } = session;
		const row = copyOf("session");
		const label = mainLabel(session);
		row.dataset["id"] = `${id}`;
		find("a", row).href = `#sessions/${id}`;
		find(".glyph", row).dataset["emotion"] = label ?? "";
		find(".session-interrupted", row).hidden = !interrupted;
		find("button", row).ariaLabel = words.say("sessions.delete_one", { name });
		put(".session-name", name, row);
		find(".session-facts", row).append(...[
			date(words, startedAt),
			clock(durationMs),
			words.say(`sessions.source_${source}`),
			label ? words.emotion(label) : words.say("live.no_face"),
			words.say("sessions.people", { count: tally.people }),
		].map((fact) => element("span", fact)));
		return row;
	}

	/** @type {SaveSession} */
	async function save(ending, type, write) {
		if (!replay.first) return;
		const { session, samples } = replay.first;
		download(await write(session, samples), `${fileName(replay.first)}.${ending}`, type);
	}

	async function take() {
		const text = await chosen.files?.[0]?.text();
		chosen.value = ""; // the same file may be chosen again
		if (text === undefined) return;
		const { session, samples } = parseSession(text);
		const { id } = await store.create({ ...session, source: "import" });
		await store.append(id, samples);
		location.hash = `#sessions/${id}`;
	}

	async function deleteAll() {
		if (dialog.returnValue !== "delete") return;
		await store.deleteAll();
		trashed = null;
		say(words.say("sessions.deleted_all"));
		await show();
	}

	/** Delete what was deleted with an undo, in this tab or before a reload. */
	async function purge() {
		trashed = null;
		say();
		for (const session of await store.list()) if (session.trashed) await store.delete(session.id);
	}

	function say(text = "") {
		put(".sessions-words", text, root);
		find("[data-act=undo]", root).hidden = !trashed;
	}

	/** @param {() => Promise<unknown>} work */
	async function attempt(work) {
		try {
			await work();
		} catch (error) {
			say(advice(words, error));
		}
	}
}

/** @param {Recording | undefined} recording */
function fileName(recording) {
	return recording?.session.name.replaceAll(/[^\p{L}\p{N}]+/gu, "-");
}
