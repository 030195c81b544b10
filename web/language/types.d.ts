/** The types of the language. */

type Words = {
  /** As in `lang`, such as `en`. */
  readonly language: string;
  /** A text such as `live.start`; with plural forms, the one for `values.count`. */
  say(key: string, values?: Values): string;
  /** A text that may be missing, for names that come from the gateway: of `reasons`, `too_dark`. */
  name(group: string, name: string, otherwise?: string): string;
  /** A user's own model may have any label. */
  emotion(label: string): string;
  percent(share: number): string;
  /** With so many digits after the decimal point. */
  number(value: number, digits?: number): string;
};
type WordsIn = (language: string, table: Table) => Words;

/** Texts by key, in groups; a group of plural forms has `other`. */
type Table = { [key: string]: string | Table };

/** What stands in the places such as `{count}`. */
type Values = Readonly<Record<string, string | number>>;


type LoadWords = (language: string, request: (path: string) => Promise<Response>) => Promise<Words>;

/** Puts the words into every element that names one. */
type Translate = (words: Words) => void;

/** The first that the page has; `wanted` is such as `navigator.languages`, best first. */
type ChooseLanguage = (wanted: readonly string[]) => string;

/** `language` is the one that the page speaks. */
type OfferLanguages = (language: string, preferences: Preferences) => void;
