/** Changes a request that a server rejected, before it is sent again. */
import type { ServerError } from '../errors/server-error';
import type { ErrorType } from '../errors/error-types';
import { removeEchoes } from '../errors/echoes';
import { getUnquotedStart, isUnquoted } from '../errors/quotations';
import { findTypeByText } from '../errors/signals';
import { decodeEntities } from '../values/html-entities';
import type { BodyChange } from '../servers/profile';
import type { JsonRecord } from '../values/records';
import { isRecord, asRecord } from '../values/records';
import { normalizeLetters, collectTexts } from '../values/text';

/** The change for a rejection; undefined if the rejection requires another one, or the body has nothing to change. */
export type Adaptation = (rejection: Rejection, body: JsonRecord) => BodyChange | undefined;

/** An error response as adaptations read it. */
export interface Rejection {
	type: ErrorType;
	status?: number;
	/** The server message, without the stretches of the request that it repeats. */
	getMessage(): string;
	/** The matches in the server message. Text that also occurs in the request is ignored. */
	matches(pattern: RegExp): RegExpExecArray[];
	/** Whether the message contains the name of a field, which no text of the request contains. */
	mentions(name: string): boolean;
}

/** Which rule an adaptation belongs to: what it changes. */
export type AdaptationRule = 'field' | 'format' | 'conversation';

/** What is known about a rejected request. */
export interface RejectedRequest {
	error: ServerError;
	/** The body that was sent. */
	body: JsonRecord;
	/** Tried in this order. */
	adaptations: readonly Adaptation[];
	/** The rule that the adaptations belong to. */
	rule: AdaptationRule;
}

/** Statuses with which a server rejects what a body contains. A 500 may also quote what the model wrote. */
const TEACHING_STATUSES: readonly number[] = [400, 422];

/**
 * The first change for the rejection of a request. It is temporary, so that other requests learn nothing from it, unless
 * the server itself says in its own words what it rejects, for a field with 400 or 422.
 */
export function findChange({
	error,
	body,
	adaptations,
	rule,
}: RejectedRequest): BodyChange | undefined {
	const { rejection, serverText = '' } = error;
	if (rejection === undefined) return undefined;
	// Also with 400: Groq, LiteLLM and vLLM report so what a model wrote, which may say anything of any field.
	const isAboutOutput = UNREADABLE_OUTPUT.test(serverText);
	if (isAboutOutput && rule !== 'format') return undefined;
	const adapt = (read: Rejection) =>
		adaptations.map((adaptation) => adaptation(read, body)).find((change) => change !== undefined);
	const change = adapt(toRejection(error, body));
	const canTeach = rule === 'conversation' || TEACHING_STATUSES.includes(rejection.status);
	const isTaught =
		canTeach &&
		!isAboutOutput &&
		!rejection.isQuoted &&
		adapt(toOwnRejection(error, body))?.name === change?.name;
	return isTaught ? change : change && { ...change, isTemporary: true };
}

function toRejection({ type, status, serverText = '' }: ServerError, body: JsonRecord): Rejection {
	/** Messages, inputs, documents and schemas, not the names of fields. */
	const getTexts = memoizeOnce(() => collectTexts(Object.values(body)));
	const getLetters = memoizeOnce(() => getTexts().flatMap(toLetters));
	const matches = (pattern: RegExp) =>
		[...serverText.matchAll(pattern)].filter(([match]) => {
			const found = toLetters(match);
			return !getLetters().some((text) => found.some((letters) => text.includes(letters)));
		});
	return {
		type,
		status,
		getMessage: () => removeEchoes(serverText, getTexts()),
		matches,
		mentions: (name) => matches(new RegExp(String.raw`\b${name}\b`, 'g')).length > 0,
	};
}

/** The rejection without everything that a visitor or a model may have written. */
function toOwnRejection(error: ServerError, body: JsonRecord): Rejection {
	const { type, status = 0, serverText = '' } = error;
	const unquotedStart = getUnquotedStart(serverText);
	const isByStatus = type === 'badRequest' && TEACHING_STATUSES.includes(status);
	const rejection = toRejection(error, body);
	const { getMessage } = toRejection(error.copyWith({ serverText: unquotedStart }), body);
	return {
		...rejection,
		getMessage,
		type: isByStatus || findTypeByText(unquotedStart) === type ? type : 'serverError',
		matches: (pattern) =>
			rejection.matches(pattern).filter(({ index }) => isUnquoted(serverText, index)),
	};
}

/** The letters of a text, also as a server may echo it: with entities of HTML, wide letters, accents. */
function toLetters(text: string): string[] {
	if (!/[&\u0080-\uffff]/.test(text)) return [normalizeLetters(text)].filter(Boolean);
	const decoded = decodeEntities(decodeEntities(text));
	return [...new Set([text, decoded, toBaseLetters(text), toBaseLetters(decoded)])]
		.map(normalizeLetters)
		.filter((letters) => letters !== '');
}

function toBaseLetters(text: string): string {
	return text.normalize('NFKD').replace(/\p{M}/gu, '');
}

function memoizeOnce<V>(derive: () => V): () => V {
	let value: V | undefined;
	return () => (value ??= derive());
}

/** In the words of servers about output that they could not read, which they then quote. Not about the request or a schema. */
const UNREADABLE_OUTPUT = new RegExp(
	[
		String.raw`\b(?:fail(?:ed|s|ure)?|unable|error|could not|couldn't|cannot|can't|did not)\b[^.:;\n]{0,20}\b(?:generat|pars|decod|produc|validat|read|extract|interpret)\w*\b(?:(?!request|body|schema|grammar)[^.:;\n]){0,60}\b(?:json|outputs?|response|completion|(?:tool|function)[ _-]?calls?|arguments)\b`,
		String.raw`\b(?:invalid|malformed|unreadable|broken)\b(?:(?!request|body|schema|grammar|parameter|field)[^.:;\n]){0,30}\b(?:json|outputs?|(?:tool|function)[ _-]?calls?)\b(?! schema)`,
		String.raw`\b(?:failed_generation|tool_use_failed|json_validate_failed)\b`,
		String.raw`\b(?:model|assistant|llm)\b[^.:;\n]{0,20}\b(?:wrote|output|generated|produced|returned|said|answered)\b`,
	].join('|'),
	'i',
);

/** A body with its changes. */
export interface ChangedBody {
	body: JsonRecord;
	/** Sentences for the user about the changes that affected the body. */
	warnings: string[];
}

/** Applies changes in their order. One that finds nothing to change has no warning. */
export function applyChanges(body: JsonRecord, changes: readonly BodyChange[]): ChangedBody {
	const warnings: string[] = [];
	let changedBody = body;
	for (const { apply, warning } of changes) {
		const nextBody = apply(changedBody);
		if (nextBody !== changedBody && warning !== undefined) warnings.push(warning);
		changedBody = nextBody;
	}
	return { body: changedBody, warnings };
}

/** Fields that determine the result: their rejection is an error that names the field. */
const REQUIRED_FIELDS = new Set([
	'model',
	'messages',
	'input',
	'prompt',
	'query',
	'documents',
	'texts',
	'stream',
	'tools',
	'response_format',
	'format',
	'grammar',
	'structured_outputs',
	'options',
]);

/** `top_k`, or several: `a, b`, `'a', 'b'`, `['a', 'b']`, `{'a': 1}`. */
const FIELD_NAMES = String.raw`[\[{(]?\s*(['"\x60]\w+['"\x60](?:\s*[,:]\s*(?:['"\x60]\w+['"\x60]|[\d.]+))*|\w+(?:\s*,\s*\w+)*)`;

/** How FastAPI and pydantic with forbidden extras, OpenAI's API, LiteLLM, vLLM, and Python functions reject fields. */
const REJECTED_FIELD_PATTERNS: readonly RegExp[] = [
	// FastAPI joins location and message; pydantic's own text has a line for each
	/(?:\bbody\.|^)(\w+)(?::|\r?\n) *extra (?:inputs are|fields) not permitted/gim,
	new RegExp(
		String.raw`\bun(?:supported|known|recogni[sz]ed|expected) (?:request )?(?:parameter|argument|field|property|key)(?:s|\(s\))?(?: supplied| in the request)?:? ${FIELD_NAMES}`,
		'gi',
	),
	new RegExp(String.raw`\bunexpected keyword arguments? ${FIELD_NAMES}`, 'gi'),
	new RegExp(
		String.raw`\bdoes not support (?:the )?(?:following )?parameters?:? ${FIELD_NAMES}`,
		'gi',
	),
	/\b(?:parameter|argument|field|property) ['"\x60](\w+)['"\x60] is (?:not supported|unsupported|not permitted|not allowed)/gi,
];

/**
 * Fields that take the place of each other. OpenAI's API replaced `max_tokens` for its reasoning models, and older servers
 * support only that one.
 */
const OTHER_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'max_completion_tokens',
	max_completion_tokens: 'max_tokens',
};

/** Fields that users do not set. */
const INTERNAL_FIELDS = new Set(['stream_options', 'encoding_format']);

/**
 * Omits the field that a rejection names, or renames it if the message mentions its other name: "Unsupported parameter:
 * 'max_tokens' … Use 'max_completion_tokens' instead."
 *
 * @param protectedFields fields that are sent unchanged: those of Extra Body
 */
export function omitRejectedField(protectedFields: Set<string> = new Set<string>()): Adaptation {
	return (rejection, body) => {
		const names = findRejectedFields(rejection).filter((name) => name in body);
		const name = names.find(
			(candidate) => !REQUIRED_FIELDS.has(candidate) && !protectedFields.has(candidate),
		);
		if (name === undefined) return undefined;
		const newName = OTHER_NAMES[name];
		if (newName !== undefined && rejection.mentions(newName))
			return {
				name: `${name} as ${newName}`,
				apply: (requestBody) => rename(requestBody, { from: name, to: newName }),
			};
		return {
			...omitFields([name]),
			...(INTERNAL_FIELDS.has(name)
				? {}
				: { warning: `This server rejects the option ${name}, so it was omitted.` }),
		};
	};
}

function rename(body: JsonRecord, { from, to }: { from: string; to: string }): JsonRecord {
	return from in body ? { [to]: body[from], ...withoutFields(body, [from]) } : body;
}

/** In a list such as `'a', 'b'`. In a Python dict, only the keys are names. */
const LISTED_NAME = /(?:^|,)\s*['"\x60]?(\w+)/g;

function findRejectedFields(rejection: Rejection) {
	return REJECTED_FIELD_PATTERNS.flatMap((pattern) => rejection.matches(pattern)).flatMap(
		([, list = '']) => Array.from(list.matchAll(LISTED_NAME), ([, name]) => name!),
	);
}

/** A change that omits fields. */
export function omitFields(names: readonly string[]): BodyChange {
	return {
		name: `without ${names.join(', ')}`,
		apply: (body) => withoutFields(body, names),
	};
}

function withoutFields(body: JsonRecord, names: readonly string[]) {
	if (!names.some((name) => name in body)) return body;
	return Object.fromEntries(Object.entries(body).filter(([field]) => !names.includes(field)));
}

/** For rejections that do not name the field; vLLM, if Extra Body turns streaming off. */
export const omitStreamOptions: Adaptation = (rejection, body) =>
	'stream_options' in body && rejection.matches(/stream[_ ]options/gi).length > 0
		? omitFields(['stream_options'])
		: undefined;

/** LM Studio does not support `json_object` (lmstudio-bug-tracker issue 189). */
export const replaceJsonObject: Adaptation = (rejection, body) => {
	const pattern = /response_format\.type\W{1,3}must be \W?json_schema\b/gi;
	const isJsonObject = asRecord(body.response_format).type === 'json_object';
	if (!isJsonObject || rejection.matches(pattern).length === 0) return undefined;
	return { name: 'json_object as json_schema', apply: withOtherFormat };
};

/**
 * Only for requests whose prompt contains the schema. A grammar that the server cannot build is rejected before anything is
 * generated, also with 5xx.
 */
export const omitFormat: Adaptation = ({ status = 0, getMessage }, body) =>
	[400, 422, 500, 501].includes(status) &&
	/schema|grammar|structured|format/i.test(getMessage()) &&
	FORMAT_FIELDS.some((name) => name in body)
		? omitFields(FORMAT_FIELDS)
		: undefined;

const FORMAT_FIELDS = ['response_format', 'format'];

/** For output that ran away: the JSON format in its other form, with the schema or without it. */
export function toOtherFormat(body: JsonRecord): BodyChange | undefined {
	if (withOtherFormat(body) === body) return undefined;
	return { name: 'JSON format in its other form', apply: withOtherFormat, isTemporary: true };
}

function withOtherFormat(body: JsonRecord) {
	const { format } = body;
	if (format === 'json') return { ...body, format: { type: 'object' } };
	if (isRecord(format)) return { ...body, format: 'json' };
	const { type } = asRecord(body.response_format);
	const schema = { name: 'answer', schema: { type: 'object' } };
	if (type === 'json_object')
		return { ...body, response_format: { type: 'json_schema', json_schema: schema } };
	return type === 'json_schema' ? { ...body, response_format: { type: 'json_object' } } : body;
}

/** Ollama: only gpt-oss supports thinking levels, and some models do not support thinking (seen: 0.17.4). */
const OLLAMA_THINKING_CHANGES = [
	{
		pattern: /does not support thinking/gi,
		name: 'without thinking',
		warning:
			'This model does not support thinking, so the setting Thinking was omitted. Choose a model that does ("ollama show NAME" lists "thinking" under its capabilities), or set Thinking to Server Default.',
	},
	{
		pattern: /think value .{0,200} is not supported for this model/gi,
		name: 'thinking without a level',
		warning:
			'This Ollama model supports thinking only as on or off, so the thinking effort was omitted.',
	},
	{
		pattern: /invalid (?:reasoning value: 'minimal'|think value: "minimal")/gi,
		name: 'low thinking',
		level: 'low',
		warning:
			'This Ollama version does not support the thinking effort "minimal", so "low" was used.',
	},
];

export const adjustOllamaThinking: Adaptation = (rejection, body) => {
	const field = ['think', 'reasoning_effort'].find((name) => name in body);
	const change = OLLAMA_THINKING_CHANGES.find(
		({ pattern }) => rejection.matches(pattern).length > 0,
	);
	if (field === undefined || !change) return undefined;
	const { name, level, warning } = change;
	const apply = (requestBody: JsonRecord) => {
		if (level === undefined) return withoutFields(requestBody, [field]);
		return field in requestBody ? { ...requestBody, [field]: level } : requestBody;
	};
	return { name, apply, warning };
};
