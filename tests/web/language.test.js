/** The words: every key is used, every used key exists, the page says what they say, all languages have the same. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { LANGUAGES } from "../../web/language/load.js";

const WEB = new URL("../../web/", import.meta.url);
const KEY = /^[a-z]+(\.[a-z0-9_]+)+$/;
/** What stands for `${...}` in a key. */
const ANY = "[a-z0-9_]+";
/** Words that a language spells as English does. @type {Partial<Record<string, readonly string[]>>} */
const SAME_WORDS = {
  de: ["Live", "neutral", "Gateway", "Version", "Name", "Emotion", "Position"],
  es: ["neutral"],
  fr: ["Session", "session", "Sessions", "sessions", "surprise", "Pause", "Version", "Photos", "Licence", "Note",
    "Position"],
};
/** The name of the law that forbids what people must not do with this. @type {Record<string, string>} */
const LAW = {
  en: "AI Act", de: "KI-Verordnung (EU) 2024/1689", es: "Reglamento de IA", fr: "règlement sur l’IA", zh: "《人工智能法》",
};

const english = read("en");
const groups = new Set([...english.keys()].map((key) => key.split(".")[0] ?? ""));
const page = readFileSync(new URL("index.html", WEB), "utf8");
const tags = [...page.matchAll(/<[a-z][a-z0-9]*\s([^>]*)>([^<]*)/g)].map(([, attributes = "", text = ""]) => ({
  attributes: new Map([...attributes.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value])),
  text,
}));
const said = [
  ...tags.map(({ attributes, text }) => ({ key: attributes.get("data-say"), text })),
  ...["label", "alt", "placeholder"].flatMap((name) => tags.map(({ attributes }) => (
    { key: attributes.get(`data-say-${name}`), text: attributes.get(name === "label" ? "aria-label" : name) }
  ))),
].filter(({ key }) => key !== undefined);
const wanted = [...new Set([...said.map(({ key = "" }) => key), ...modules().flatMap(keysIn)])];

test("the page and its modules want keys", () => assert.ok(wanted.length > 100 && said.length > 50));

for (const key of wanted) {
  test(`\`${key}\` exists`, () => assert.ok([...english.keys()].some((known) => matches(key, known))));
}

for (const key of english.keys()) {
  test(`\`${key}\` is used`, () => assert.ok(wanted.some((pattern) => matches(pattern, key))));
}

for (const { key = "", text = "" } of said) {
  test(`the page says \`${key}\` in English`, () => assert.equal(text, english.get(key)?.get("")));
}

test("there is a file for each language, and none besides", () => {
  const files = readdirSync(new URL("language/", WEB)).filter((name) => name.endsWith(".json"));
  assert.deepEqual(files.sort(), Object.keys(LANGUAGES).map((language) => `${language}.json`).sort());
});

for (const language of Object.keys(LANGUAGES)) {
  describe(language, () => {
    const words = read(language);

    test("has the keys of English", () => assert.deepEqual([...words.keys()].sort(), [...english.keys()].sort()));

    for (const [key, forms] of words) {
      test(`\`${key}\` has its places and its plural forms`, () => {
        const original = english.get(key) ?? new Map();
        for (const text of forms.values()) {
          assert.notEqual(text.trim(), "");
          const few = places(text).filter((place) => place !== "count");
          assert.deepEqual(few, places([...original.values()].at(-1) ?? "").filter((place) => place !== "count"));
        }
        if (original.has("")) assert.deepEqual([...forms.keys()], [""]);
        else {
          const all = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
          const integers = all.filter((category) => [...Array(200).keys()].some((count) => (
            new Intl.PluralRules(language).select(count) === category
          )));
          assert.ok(forms.has("other") && integers.every((category) => forms.has(category)), `needs ${integers}`);
          assert.ok([...forms.keys()].every((category) => all.includes(/** @type {Intl.LDMLPluralRule} */ (category))));
        }
        for (const form of ["", "other", "many"]) {
          const counts = (original.get(form) ?? original.get("other"))?.includes("{count}");
          if (counts && forms.has(form)) assert.ok(forms.get(form)?.includes("{count}"));
        }
      });
    }

    test("is not left in English", { skip: language === "en" }, () => {
      const same = SAME_WORDS[language] ?? [];
      const left = [...words].flatMap(([key, forms]) => [...forms].filter(([form, text]) => (
        text === english.get(key)?.get(form) && !isSame(text, same)
      )).map(([form]) => `${key} ${form}`));
      assert.deepEqual(left, []);
      const said = [...words.values()].flatMap((forms) => [...forms.values()]);
      assert.deepEqual(same.filter((word) => !said.some((text) => withoutPlaces(text) === word)), []);
    });

    test("names the law", () => {
      for (const key of ["consent.prohibited_words", "about.care_words"]) {
        assert.ok(words.get(key)?.get("")?.includes(LAW[language] ?? "?"), key);
        assert.match(words.get(key)?.get("") ?? "", /\b5\b/);
      }
    });
  });
}

/** @param {string} text @param {readonly string[]} same words */
function isSame(text, same) {
  const rest = withoutPlaces(text);
  return !/\p{Letter}/u.test(rest) || same.includes(rest);
}

/** @param {string} text */
function withoutPlaces(text) {
  return text.replaceAll(/\{\w+\}/g, "").trim();
}

/** @param {string} language @returns {Map<string, Map<string, string>>} by key, the text (`""`) or its plural forms */
function read(language) {
  /** @type {Map<string, Map<string, string>>} */
  const found = new Map();
  /** @param {Table} table @param {string} prefix */
  const walk = (table, prefix) => {
    for (const [name, value] of Object.entries(table)) {
      const key = prefix + name;
      if (typeof value === "string") found.set(key, new Map([["", value]]));
      else if (typeof value["other"] === "string") found.set(key, new Map(/** @type {[string, string][]} */ (Object.entries(value))));
      else walk(value, `${key}.`);
    }
  };
  walk(JSON.parse(readFileSync(new URL(`language/${language}.json`, WEB), "utf8")), "");
  return found;
}

/** Every module of the page, as text. */
function modules() {
  const names = /** @type {string[]} */ (readdirSync(WEB, { recursive: true }));
  return names.filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, WEB), "utf8"));
}

/**
 * The keys that a module names: whole ones, ones with `${...}` in them, and groups whose names come from the gateway.
 *
 * @param {string} module
 */
function keysIn(module) {
  const code = module.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
  const groupsOfNames = /\.name\(\s*"([a-z_.]+)"/g;
  const said = code.replaceAll(groupsOfNames, "");
  const texts = [/"([^"\n]*)"/g, /`([^`]*)`/g].flatMap((form) => [...said.matchAll(form)].map(([, text = ""]) => text));
  const keys = texts.map((text) => text.replaceAll(/\$\{[^}]*\}/g, "_any_"));
  const named = [...code.matchAll(groupsOfNames)].map(([, group = ""]) => `${group}._any_`);
  return [...keys.filter((key) => KEY.test(key) && groups.has(key.split(".")[0] ?? "")), ...named];
}

/** @param {string} pattern @param {string} key */
function matches(pattern, key) {
  return new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("_any_", ANY)}$`).test(key);
}

/** @param {string} text @returns {string[]} the names in braces */
function places(text) {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name).sort();
}
