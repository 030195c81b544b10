/** The page in the reader's language: its words, and how they come into it. */

import { find } from "../view/elements.js";

/** In their own names. The first is what a reader of none of them gets, and what `index.html` is written in. */
export const LANGUAGES = Object.freeze({ en: "English", de: "Deutsch", es: "Español", fr: "Français", zh: "中文" });

/** Where else than in its text an element may have words. */
const ATTRIBUTES = { "say-label": "aria-label", "say-alt": "alt", "say-placeholder": "placeholder" };

/** @type {ChooseLanguage} */
export function chooseLanguage(wanted) {
	const bases = wanted.map((tag) => tag.toLowerCase().split("-")[0] ?? "");
	return bases.find((base) => Object.hasOwn(LANGUAGES, base)) ?? "en";
}

/** @type {LoadWords} */
export async function loadWords(language, request) {
	const response = await request(`/language/${language}.json`);
	if (!response.ok) throw new Error(`no words for \`${language}\`: HTTP ${response.status}`);
	return wordsIn(language, await response.json());
}

/** @type {Translate} */
export function translate(words) {
	document.documentElement.lang = words.language;
	const templates = [...document.querySelectorAll("template")].map(({ content }) => content);
	for (const root of [document, ...templates]) {
		for (const named of root.querySelectorAll("[data-say]")) {
			named.textContent = words.say(named.getAttribute("data-say") ?? "");
		}
		for (const [mark, attribute] of Object.entries(ATTRIBUTES)) {
			for (const named of root.querySelectorAll(`[data-${mark}]`)) {
				named.setAttribute(attribute, words.say(named.getAttribute(`data-${mark}`) ?? ""));
			}
		}
	}
}

/** @type {OfferLanguages} */
export function offerLanguages(language, preferences) {
	const choice = find("select#language-choice");
	choice.append(...Object.entries(LANGUAGES).map(([lang, name]) => (
		Object.assign(new Option(name, lang, false, lang === language), { lang })
	)));
	choice.onchange = () => {
		preferences.set("language", choice.value);
		location.reload();
	};
}

/** @type {WordsIn} */
export function wordsIn(language, table) {
	const plurals = new Intl.PluralRules(language);
	const percents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
	const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
	/** @type {Words} */
	const words = {
		language,

		say(key, values = {}) {
			const text = textAt(key, values);
			if (text === null) throw new Error(`no text \`${key}\` in \`${language}\``);
			return text.replaceAll(/\{(\w+)\}/g, (_, name) => {
				const value = values[name] ?? "";
				return typeof value === "number" ? numbers.format(value) : value;
			});
		},

		name: (group, name, otherwise = name.replaceAll("_", " ")) => textAt(`${group}.${name}`, {}) ?? otherwise,

		emotion: (label) => words.name("emotions", label, label),

		percent: (share) => percents.format(share),

		number(value, digits = 0) {
			return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
		},
	};
	return words;

	/** @param {string} key @param {Values} values @returns {string | null} */
	function textAt(key, values) {
		/** @type {string | Table | undefined} */
		let found = table;
		for (const part of key.split(".")) {
			found = typeof found === "object" && Object.hasOwn(found, part) ? found[part] : undefined;
		}
		if (typeof found === "object") found = found[plurals.select(Number(values["count"]))] ?? found["other"];
		return typeof found === "string" ? found : null;
	}
}
