/**
 * Finds the fields that a server names in an error message, and what it says about each.
 *
 * Sources: FastAPI (`detail: [{loc, msg}]`, which `error-body.ts` joins to `body.n: …`), pydantic 1 and 2 as text, vLLM and
 * LiteLLM (lists in Python's notation), OpenAI's API (`param`), llama-server (`Field 'n': …`), Ollama (`option "num_ctx" …`,
 * Go's `struct field ChatRequest.keep_alive`), nlohmann's JSON in llama-server (the type of a value only).
 */
import { withoutEnds } from '../values/text';
/** What a message says about one field. */
export interface FieldIssue {
	/** Names from the outside to the inside: `messages`, `0`, `content`. */
	path: string[];
	/** What it says about the field. */
	text: string;
	/** The place names the field, not a word of a sentence. */
	isStructured: boolean;
	/** About something inside of the object that was sent, so that a limit is not that of the field. */
	isInside?: boolean;
}

/** A field that the request contains. */
export interface KnownField {
	name: string;
	/** As sent. */
	value: unknown;
	/** The user added the field: no option checks its value. */
	isAdded?: boolean;
}

/** What is searched. */
export interface RejectionText {
	message: string;
	/** OpenAI's API: the name of the field, next to the message. */
	param?: string;
}

/** `top_k`, or several: `a, b`, `'a', 'b'`, `['a', 'b']`, `{'a': 1}`. A list in a form ends with brackets. */
const FIELD_NAMES = String.raw`[\[{(]?\s*(['"\x60][\w.]+(?:\[\])?['"\x60](?:\s*[,:]\s*(?:['"\x60][\w.]+(?:\[\])?['"\x60]|[\d.]+))*|\w+(?:\[\])?(?:\s*,\s*\w+)*)`;

/** How FastAPI and pydantic with forbidden extras, OpenAI's API, LiteLLM, vLLM, and Python functions reject fields. */
export const REJECTED_FIELD_PATTERNS: readonly RegExp[] = [
	// FastAPI joins location and message; pydantic's own text has a line for each
	/(?:\bbody(?:\.| -> )|^)([\w.]{1,100}(?:\[\])?)(?::|\r?\n) {0,8}extra (?:inputs are|fields) not permitted/gim,
	// vLLM and LiteLLM: the list of issues in Python's notation
	/['"]loc['"]: ?[([]['"]body['"], ?['"](\w+(?:\[\])?)['"][)\]], ?['"]msg['"]: ?['"]extra (?:inputs are|fields) not permitted/gi,
	new RegExp(
		String.raw`\bun(?:supported|known|recogni[sz]ed|expected) (?:request )?(?:parameter|argument|field|property|key)(?:s|\(s\))?(?: supplied| in the request)?:? ${FIELD_NAMES}`,
		'gi',
	),
	new RegExp(String.raw`\bunexpected keyword arguments? ${FIELD_NAMES}`, 'gi'),
	new RegExp(
		String.raw`\bdoes not support (?:the )?(?:following )?parameters?:? ${FIELD_NAMES}`,
		'gi',
	),
	/\b(?:parameter|argument|field|property) ['"\x60]([\w.]+(?:\[\])?)['"\x60] is (?:not supported|unsupported|not permitted|not allowed)/gi,
	// LiteLLM (seen: 1.108.7): vectors, images and chats of some providers
	new RegExp(
		String.raw`\bsetting (?:the )?${FIELD_NAMES}\s{0,2}[\]})]? (?:is|are) not supported`,
		'gi',
	),
	/\bparameter (\w+(?:\[\])?) is not supported for model\b/gi,
];

/** In a list such as `'a', 'b'`. In a Python dict, only the keys are names. */
const LISTED_NAME = /(?:^|,)\s*['"\x60]?([\w.]+(?:\[\])?)/g;

/** The names in a match of a pattern above; of a path, its last part. */
export function splitNames([, list = '']: RegExpExecArray): string[] {
	return Array.from(list.matchAll(LISTED_NAME), ([, name]) => name!.split('.').at(-1)!);
}

/** The issues of a message, those with a structured place first. */
export function readFieldIssues(
	{ message, param }: RejectionText,
	known: readonly KnownField[],
): FieldIssue[] {
	const structured = [
		...readLocations(message),
		...readPaths(message),
		...readValidationText(message),
		...readGoFields(message),
		...readParam(message, param),
		...readRejectedNames(message),
	];
	const named = [...structured, ...readSentences(message, known)];
	const [quoted] = readQuotedValue(message, known);
	if (quoted === undefined) return named;
	const names = new Set(known.map(({ name }) => name));
	// A field that the message names, in place or as word, is the one that it is about.
	const isNamed = named.some(({ path, isStructured }) =>
		path.some((segment) => names.has(segment) && (isStructured || segment !== quoted.path[0])),
	);
	return isNamed ? named : [quoted];
}

/** `json: cannot unmarshal string into Go struct field ChatRequest.options.num_ctx of type int` */
const GO_FIELD =
	/(?:\bcannot unmarshal [\w. -]{1,60} into )?\bGo (?:struct field|value of type) (?:[\w.]{0,60}\.)?\w{1,60}\.([\w.]{1,80}) of type \S{1,60}/g;

function readGoFields(message: string): FieldIssue[] {
	return Array.from(message.matchAll(GO_FIELD), ([text, path = '']) => ({
		path: path.split('.').toReversed(),
		text,
		isStructured: true,
	}));
}

/** Fields that the server does not support at all. */
function readRejectedNames(message: string): FieldIssue[] {
	return REJECTED_FIELD_PATTERNS.flatMap((pattern) => [...message.matchAll(pattern)]).flatMap(
		(match) =>
			splitNames(match).map((name) => ({ path: [name], text: match[0], isStructured: true })),
	);
}

/** A text in Python's or JSON's quotation marks. */
const QUOTED_TEXT = String.raw`(?:'((?:[^'\\]|\\.){0,500})'|"((?:[^"\\]|\\.){0,500})")`;

/** `'loc': ('body', 'n'), 'msg': 'Input should …'` */
const LOCATION = new RegExp(
	String.raw`['"]loc['"]\s{0,2}:\s{0,2}[([]((?:\s{0,2}(?:'[^']{0,80}'|\x22[^\x22]{0,80}\x22|\d{1,6}),?){1,10})\s{0,2}[)\]],\s{0,2}['"]msg['"]\s{0,2}:\s{0,2}${QUOTED_TEXT}`,
	'g',
);

function readLocations(message: string): FieldIssue[] {
	return Array.from(message.matchAll(LOCATION), ([, location = '', single, double]) => ({
		path: Array.from(location.matchAll(/[\w.[\]-]+/g), ([segment]) => segment),
		text: single ?? double ?? '',
		isStructured: true,
	}));
}

/** `body.n: …`, also with pydantic's arrows; several are joined with `; ` or lines. */
const PATH =
	/\b(?:body|form)(?:\.| ?-> ?)([^:;\s]{1,100}(?: -> [^:;\s]{1,60}){0,5})(?::\s|\s{1,8}(?=[A-Za-z]))/g;

function readPaths(message: string): FieldIssue[] {
	const matches = [...message.matchAll(PATH)];
	return matches.map(({ 0: { length }, 1: path = '', index }, at) => ({
		path: path.split(/\.| ?-> ?/),
		text: withoutInput(message.slice(index + length, matches[at + 1]?.index)),
		isStructured: true,
	}));
}

/** pydantic's own text: the name of the field, then its issue, on lines of their own or with spaces in their place. */
const VALIDATION_LINE =
	/(?:^|[\n ])([\w.]{1,80}(?:\[\])?)(?:\r?\n {1,8}(?=\S)| (?=(?:Input|String|List|Value|Extra|Field|Unable|ensure|value|unexpected|none|extra|field|str)\b))([^\n]{1,500}?)(?= [[(]type=|\n|$)/g;

function readValidationText(message: string): FieldIssue[] {
	const heading = /\bvalidation errors? for \S{1,80}\s/.exec(message);
	if (!heading) return [];
	const lines = message.slice(heading.index + heading[0].length - 1);
	return Array.from(lines.matchAll(VALIDATION_LINE), ([, path = '', text = '']) => ({
		path: path.split('.'),
		text,
		isStructured: true,
	}));
}

/** OpenAI's API names the field next to the message; clients in Python print that as a dict. */
const PRINTED_PARAM = /['"]param['"]\s{0,2}:\s{0,2}['"]([\w.[\]-]{1,80})['"]/;

const PRINTED_MESSAGE = new RegExp(
	String.raw`['"](?:message|msg)['"]\s{0,2}:\s{0,2}${QUOTED_TEXT}`,
);

function readParam(message: string, param: string | undefined): FieldIssue[] {
	const name = param ?? PRINTED_PARAM.exec(message)?.[1];
	if (name === undefined) return [];
	const [, single, double] = PRINTED_MESSAGE.exec(message) ?? [];
	const path = name.split(/\.|(?=\[\d)/).filter((segment) => segment !== 'body');
	return [{ path, text: withoutInput(single ?? double ?? message), isStructured: true }];
}

/** pydantic repeats the value, which may say anything. */
function withoutInput(text: string) {
	const end = text.search(/[[(]type=|\binput_value=/);
	return withoutEnds(end < 0 ? text : text.slice(0, end), /[\s]/, /[;,\s]/);
}

/** What a server says about a value whose field it does not name. */
const ABOUT_VALUE =
	/\b(?:invalid|illegal|unknown|unsupported|unrecogni[sz]ed|malformed|missing unit|cannot (?:parse|convert|unmarshal|be parsed)|could not (?:parse|convert)|unable to parse|failed to parse|not (?:a )?(?:valid|supported|allowed)|must be|expected)\b/i;

/** Fields whose texts a message may quote for other reasons. */
const TEXT_FIELD =
	/^(?:model|options|input|inputs|prompt|query|documents|texts?|messages|tools|instructions|stop)$/;

/** Quoted parts of a message that are looked at. */
const MAX_QUOTATIONS = 20;

const QUOTATION = /"((?:[^"\\]|\\.){1,100})"|'([^'\n]{1,100})'|`([^`\n]{1,100})`/g;

/** The field whose value the message quotes, or whose value alone has the type that it names. Other fields have other values. */
function readQuotedValue(message: string, known: readonly KnownField[]): FieldIssue[] {
	if (!ABOUT_VALUE.test(message)) return [];
	// A field of Extra Body replaces the one of an option.
	const fields = [
		...new Map(known.toReversed().map((field) => [field.name, field])).values(),
	].filter(({ name, value }) => !TEXT_FIELD.test(name) && value !== undefined);
	const quotations = Array.from(message.matchAll(QUOTATION), ([, ...forms]) =>
		forms.find((form) => form !== undefined),
	).slice(0, MAX_QUOTATIONS);
	const isQuoted = (value: unknown): boolean => {
		if (Array.isArray(value)) return value.some(isQuoted);
		if (typeof value === 'object' && value !== null)
			return Object.entries(value).flat().some(isQuoted);
		// Any sentence may quote a single digit.
		const isEvidence =
			typeof value === 'string' || (typeof value === 'number' && !/^\d$/.test(String(value)));
		return isEvidence && quotations.includes(String(value));
	};
	const quoted = fields.filter(({ value }) => isQuoted(value));
	const [field, other] = quoted.length > 0 ? quoted : findByType(message, fields);
	if (field === undefined || other !== undefined) return [];
	const isInside = quoted.length > 0 && getJsonType(field.value) === 'object';
	return [{ path: [field.name], text: withoutInput(message), isStructured: true, isInside }];
}

/** nlohmann's words: `[json.exception.type_error.302] type must be number, but is string` */
const WRONG_TYPE = /\btype must be (\w{1,20}), but is (\w{1,20})\b/;

function findByType(message: string, fields: readonly KnownField[]): KnownField[] {
	const [, , type] = WRONG_TYPE.exec(message) ?? [];
	if (type === undefined) return [];
	return fields.filter(({ value, isAdded = false }) => isAdded && getJsonType(value) === type);
}

function getJsonType(value: unknown) {
	if (value === null) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}

/** Names that are ordinary words as well: without a mark, a sentence with them may be about anything. */
const ORDINARY_WORD =
	/^(?:[a-z]{1,4}|input|prompt|voice|model|query|format|documents|texts?|messages|language|instructions|dimensions|tools|stream|options|grammar|images?)$/;

/** Of these words, any sentence may be about the thing and not about the field. */
const ANY_SUBJECT =
	/^(?:n|input|prompt|voice|model|size|query|documents|texts?|messages|tools|stream|images?|options)$/;

const QUOTES = `['"\\x60‘’“”]`;

const QUOTED_NAME = new RegExp(`${QUOTES}(\\w{1,80})(?=${QUOTES})`, 'g');

/** What follows a name that a sentence is about. */
const PREDICATE = String.raw`(?:must|should|has to|have to|is|are|was|cannot|can't|can only|may not|exceeds?|needs?|does not|only|out of|too|not|=)(?![\w])`;

/** What precedes a name that a sentence is about. */
const INTRODUCTION = String.raw`\b(?:field|parameter|param|option|argument|property|key|setting|invalid|unsupported|(?:value|values|type|input) (?:for|of))`;

function readSentences(message: string, known: readonly KnownField[]): FieldIssue[] {
	const text = withoutInput(message);
	// A pattern takes about 2 ms to compile, and a request has dozens of fields: most names are not in the text.
	const capitals = text.toUpperCase();
	const isInText = (part: unknown) =>
		typeof part === 'string' && capitals.includes(part.toUpperCase());
	return known
		.filter(({ name }) => /^[\w.-]{1,80}$/.test(name))
		.filter(
			({ name, value }) =>
				(isInText(name) && createMention(name).test(text)) ||
				(isInText(value) && createValueMention(name, value)?.test(text) === true),
		)
		.map(({ name }) => ({ path: [name], text, isStructured: startsWithName({ text, name }) }));
}

/**
 * Finds the names that a message contains, whatever it says of them: in quotation marks, or as no ordinary word.
 *
 * @returns in the given order
 */
export function findMentions(message: string, names: readonly string[]): string[] {
	const words = new Set(Array.from(message.matchAll(/\w+/g), ([word]) => word));
	const quoted = new Set(Array.from(message.matchAll(QUOTED_NAME), ([, name]) => name!));
	return names.filter((name) => {
		if (quoted.has(name)) return true;
		if (ORDINARY_WORD.test(name) || ANY_SUBJECT.test(name)) return false;
		// "Unknown reasoning format: …" (llama-server)
		return words.has(name) || (name.includes('_') && message.includes(name.replaceAll('_', ' ')));
	});
}

/** `n: …`, with or without quotation marks, and with the words of llama-server and Ollama. */
function startsWithName({ text, name }: { text: string; name: string }) {
	const start = /^(?:field |option )?['"`]?([\w.-]{1,80})(?:\[\])?['"`]?(?=: )/i.exec(text);
	return start?.[1] === name;
}

/** `Voice 'nova' …`, and `Invalid value: 'nova'`: the value that was sent tells which field is meant. */
function createValueMention(name: string, value: unknown): RegExp | undefined {
	if (typeof value !== 'string' || value.length < 2 || value.length > 100) return undefined;
	const quoted = QUOTES + value.replace(/[^\w\s]/g, String.raw`\$&`) + QUOTES;
	const word = name.replaceAll('_', '[ _]').replaceAll('.', String.raw`\.`);
	return new RegExp(
		String.raw`\b${word}(?: name| id| code| value)?\s{0,2}[:=]?\s{0,2}${quoted}|\b(?:invalid|unsupported|unknown|illegal|unrecogni[sz]ed)(?: value| option| choice)?:? ${quoted}|${quoted} is not (?:a |an )?(?:valid |supported |known )?${word}\b`,
		'i',
	);
}

/** How a sentence is about a field: its name in quotation marks, before a colon or an equals sign, or a name that is no word. */
function createMention(name: string): RegExp {
	const escaped = name.replaceAll('.', String.raw`\.`) + String.raw`(?:\[\])?`;
	const quoted = QUOTES + escaped + QUOTES;
	const value = String.raw`(?: \([^()]{0,60}\)| (?:value|parameter|field|option)| for \S{1,60})?`;
	const forms = [
		String.raw`(?:^|[.:;,(-] ?|${INTRODUCTION}:?\s{1,3}|\bsupports? |\bthe )${quoted}`,
		String.raw`${quoted}${value}(?:\s{0,2}:|,? ${PREDICATE})`,
		String.raw`(?:^|[;\n(] ?|: )${escaped}\s{0,1}[:=]\s{0,2}\S`,
		// LiteLLM ends its messages with "for model=…".
		...(name === 'model' ? [] : [String.raw`(?<![\w.-])${escaped}=[\w'"]`]),
		...(ANY_SUBJECT.test(name) ? [] : [String.raw`^${escaped}${value} ${PREDICATE}`]),
		String.raw`${INTRODUCTION}:?\s{1,3}${escaped}${value}(?::|,? ${PREDICATE})`,
		...(ORDINARY_WORD.test(name)
			? []
			: [
					String.raw`(?<![\w.-])${escaped}${value},? ${PREDICATE}`,
					String.raw`${INTRODUCTION}:?\s{1,3}${escaped}(?![\w])`,
				]),
	];
	return new RegExp(
		forms.map((form) => `(?:${form})`).join('|'),
		ORDINARY_WORD.test(name) ? '' : 'i',
	);
}
