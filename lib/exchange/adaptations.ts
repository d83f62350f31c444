/** Changes a request that a server rejected, before it is sent again. */
import type { ServerError } from '../errors/server-error';
import type { ErrorType } from '../errors/error-types';
import { removeEchoes } from '../errors/echoes';
import { getUnquotedStart, isUnquoted } from '../errors/quotations';
import { REJECTED_FIELD_PATTERNS, splitNames } from '../errors/rejected-fields';
import { findTypeByText } from '../errors/signals';
import { decodeEntities } from '../values/html-entities';
import type { BodyChange } from '../servers/profile';
import type { JsonRecord } from '../values/records';
import { isRecord, asNonEmptyString, asRecord } from '../values/records';
import { normalizeLetters, collectTexts } from '../values/text';
import type { NamedField, RequestFields } from './request-fields';
import { findField, getSentNames } from './request-fields';

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
	/** The field that the server names next to its message. */
	param?: string;
	/** The server's code next to its message. */
	code?: string;
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

function toRejection(
	{ type, status, serverText = '', facts }: ServerError,
	body: JsonRecord,
): Rejection {
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
		param: asNonEmptyString(facts.param),
		code: asNonEmptyString(facts.code),
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

/**
 * Fields that take the place of each other. OpenAI's API replaced `max_tokens` for its reasoning models, and older servers
 * support only that one.
 */
const OTHER_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'max_completion_tokens',
	max_completion_tokens: 'max_tokens',
};

/**
 * Omits the field that a rejection names, if its row allows that, or renames it if the message mentions its other name:
 * "Unsupported parameter: 'max_tokens' … Use 'max_completion_tokens' instead." Fields of Extra Body are sent unchanged.
 */
export function omitRejectedField(fields: RequestFields): Adaptation {
	return (rejection, body) => {
		for (const rejectedName of findRejectedFields(rejection)) {
			const field = findField(fields, [rejectedName]);
			const names = field?.row?.canOmit === true ? getSentNames(field, body) : [];
			const name = names.find((candidate) => candidate === rejectedName) ?? names[0];
			if (!field || name === undefined) continue;
			const newName = OTHER_NAMES[name];
			if (newName !== undefined && rejection.mentions(newName))
				return {
					name: `${name} as ${newName}`,
					apply: (requestBody) => rename(requestBody, { from: name, to: newName }),
				};
			return { ...omitFields(names), ...getOmissionWarning(field, body[name]) };
		}
		return undefined;
	};
}

/** None for a field that no user notices, or whose value is what the server does without it. */
function getOmissionWarning(
	{ name, row }: NamedField,
	value: unknown,
): Pick<BodyChange, 'warning'> {
	if (row === undefined || row.isTechnical === true || row.default === value) return {};
	const subject = row.label === undefined ? `field ${name}` : `option ${row.label}`;
	return { warning: `This server rejects the ${subject}, so it was omitted.` };
}

function rename(body: JsonRecord, { from, to }: { from: string; to: string }): JsonRecord {
	return from in body ? { [to]: body[from], ...withoutFields(body, [from]) } : body;
}

/** Codes of OpenAI's API, and of servers that follow it, for a field and not for its value. */
const REJECTED_PARAM_CODE =
	/^(?:unknown|unsupported|unrecogni[sz]ed|unexpected)_(?:parameter|argument|field|param)$/;

const UNSUPPORTED_NAME =
	/\b(\w+(?:\[\])?)['"\x60]? is (?:not supported|unsupported|not permitted|not allowed)\b/gi;

function findRejectedFields(rejection: Rejection): string[] {
	const { param, code = '' } = rejection;
	const named = REJECTED_FIELD_PATTERNS.flatMap((pattern) => rejection.matches(pattern)).flatMap(
		splitNames,
	);
	if (param === undefined) return named;
	const isParamRejected =
		REJECTED_PARAM_CODE.test(code) ||
		rejection.matches(UNSUPPORTED_NAME).some(([, name]) => name === param);
	return isParamRejected ? [...named, param.split('.').at(-1)!] : named;
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
