/** Reads error bodies in any form: of OpenAI, FastAPI, Ollama, gateways and web pages. */
import type { JsonRecord } from '../values/records';
import {
	asArray,
	asNonEmptyString,
	asRecord,
	asRecords,
	asString,
	isRecord,
	isNonEmpty,
} from '../values/records';
import { parseCutJson } from '../values/cut-json';
import { parseJson, parseObject } from '../values/json';
import { asFiniteNumber, parseNumber } from '../values/numbers';
import { toText } from '../values/text';
import { findTypeByWords } from './words';

/** Characters that patterns scan: on a megabyte of the wrong text they would block n8n. */
export const MAX_SCANNED_TEXT = 4_000;

/** The parsed body of an error response. */
export interface ParsedErrorBody {
	form: 'json' | 'page' | 'text' | 'empty';
	message: string;
	/** Type and code of the error. */
	codes: string[];
	facts: JsonRecord;
	/** The status in the error itself. */
	status?: number;
	/** The body has the form of an error. */
	isError?: boolean;
	/** Ollama (server/cloud_proxy.go) offers a page to sign in to ollama.com. */
	hasSignIn?: boolean;
	/** What stood before that message, such as the words of a gateway. */
	wrapper?: string;
}

/** Whether a response is an error, by its status or its body: LM Studio sends errors with status 200. */
export function isErrorResponse({ status, json }: { status: number; json: unknown }): boolean {
	if (status >= 300) return true;
	return isRecord(json) && asArray(json.data).length === 0 && isErrorBody(json);
}

/** Names of errors of servers and gateways: `upstream_error`, `ModelNotFound`, `quota_exceeded`. */
const ERROR_CODE =
	/(?:^|_)(?:error|failed|failure|invalid|denied|exceeded|unavailable|unauthorized|forbidden|not_found|timeout)(?:_|$)|[a-z](?:Error|Exception|NotFound|Failed)$/;

/** Whether JSON is an error, whatever the status is: by the marks of gateways and frameworks. */
export function isErrorBody(json: JsonRecord): boolean {
	const { error, errors, detail, object, type, status, success, choices } = json;
	if (hasError(error) || object === 'error' || type === 'error' || status === 'error') return true;
	if (success === false) return true;
	// A part of a completion, as most events are.
	if (choices !== undefined) return false;
	// GPUStack (in the middle of a stream), One API and others
	const code = asFiniteNumber(json.code ?? json.error_code) ?? 0;
	const hasErrorCode =
		code < 0 ||
		code >= 400 ||
		hasError(json.error_code) ||
		ERROR_CODE.test(asString(json.code) ?? '');
	const isCoded = hasErrorCode && findMessage(json) !== undefined;
	return isCoded || hasError(detail) || hasError(errors);
}

/** Whether there is an error: `{}` or `{"code":0,"message":""}` in a response is not an error. */
function hasError(error: unknown) {
	if (!isRecord(error)) return Boolean(error) && isNonEmpty(error);
	return Object.values(error).some((value) => value !== 0 && value !== false && isNonEmpty(value));
}

/** Parses an error in any usual form: OpenAI's, FastAPI's, Ollama's, GPUStack's, or plain text. */
export function parseErrorBody(received: string): ParsedErrorBody {
	const body = toSingleBytes(received);
	const value = /^\s*[{["]/.test(body) ? parseErrorValue(body) : undefined;
	const [json] = asRecords([value].flat());
	if (json) return parseErrorJson(json);
	const trimmed = (asString(value) ?? body).trim();
	const unreadable = { codes: [], facts: {} };
	if (trimmed.startsWith('<')) return { form: 'page', message: toPageText(trimmed), ...unreadable };
	const message = trimmed.slice(0, MAX_SCANNED_TEXT).replace(/\s+/g, ' ');
	return { form: message === '' ? 'empty' : 'text', message, ...unreadable };
}

/** Only the beginning of a large body is read: validators quote the whole request, with its files. */
function parseErrorValue(body: string): unknown {
	const value = parseJson(body);
	if (value !== undefined) return value;
	const beginning = parseCutJson(body);
	return isRecord(beginning) && isErrorBody(beginning) ? beginning : undefined;
}

/** A body in UTF-16, which was read as UTF-8: every other character is a zero, and its mark is not valid. */
function toSingleBytes(body: string) {
	return body.includes('\0') ? body.replace(/\0/g, '').replace(/^\uFFFD{1,2}/, '') : body;
}

/** The visible text of a page. */
function toPageText(page: string) {
	const start = page.slice(0, 4 * MAX_SCANNED_TEXT);
	const trimmed = start.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^<>]*>/g, ' ');
	const text = trimmed.replace(/\s+/g, ' ').trim().slice(0, MAX_SCANNED_TEXT);
	// Most pages repeat their title as a heading.
	return text.replace(/^(.{5,200}) \1(?= |$)/, '$1');
}

function parseErrorJson(json: JsonRecord): ParsedErrorBody {
	const inner = findInnerError(json);
	const { type, code, metadata, ...fields } = inner;
	// Of a gateway: the error of the upstream server
	const upstreamText = asString(asRecord(metadata).raw);
	const own = findMessage(inner) ?? toMadeMessage(inner);
	const facts = Object.entries(inner === json ? { param: json.param } : { ...fields, code });
	const errorBody: ParsedErrorBody = {
		form: 'json',
		message: upstreamText === undefined ? own.text : `${own.text}: ${upstreamText}`,
		// FastAPI servers: the code of the error is in `error`, beside the message.
		codes: [type, code, inner.error].filter((value) => typeof value === 'string'),
		facts: Object.fromEntries(
			facts.filter(([name, value]) => name !== 'message' && (value ?? undefined) !== undefined),
		),
		// GPUStack's vox-box returns FastAPI's exceptions as responses.
		status: [code, inner.status, inner.status_code, json.status_code]
			.map(parseNumber)
			.find((status = 0) => status >= 400 && status < 600),
		isError: isErrorBody(json),
		...(asNonEmptyString(json.signin_url) !== undefined && { hasSignIn: true }),
	};
	return withUpstreamError(errorBody, own.isWritten ? 0 : own.text.length);
}

/** Levels of an error that are read. */
const MAX_LEVELS = 5;

/** The innermost of nested error objects: FastAPI servers pass on the error of another server as their `detail`. */
function findInnerError(json: JsonRecord, level = 1): JsonRecord {
	const error = json.error ?? json.detail;
	const isNested = isRecord(error) && isNonEmpty(error) && level < MAX_LEVELS;
	return isNested ? findInnerError(error, level + 1) : json;
}

/** Fields with the message, the most specific one first: next to it, `error` is the phrase of the status. */
const MESSAGE_FIELDS: readonly RegExp[] = [
	/^(?:error_?)?(?:message|msg|description)$/i,
	/^details?$/i,
	/^errors?$/i,
	/^(?:reason|title)$/i,
	/^issues$/i,
];

/** A message in an error. */
interface FoundMessage {
	text: string;
	/** Whether the server wrote it. A text that was made from a value is never parsed again: the error in it is that value. */
	isWritten: boolean;
}

/** A value that has no message. */
function toMadeMessage(value: unknown): FoundMessage {
	return { text: toText(value).slice(0, MAX_SCANNED_TEXT), isWritten: false };
}

/** The message in an error body of any form; undefined if there is none. */
function findMessage(value: unknown, level = 1): FoundMessage | undefined {
	if (typeof value === 'string') return value === '' ? undefined : { text: value, isWritten: true };
	if (level > MAX_LEVELS) return undefined;
	if (Array.isArray(value)) {
		const issues = value.map((issue: unknown) => formatIssue(issue, level));
		const text = issues.map((issue) => issue.text).join('; ');
		return text === ''
			? undefined
			: { text, isWritten: issues.every(({ isWritten }) => isWritten) };
	}
	const entries = Object.entries(asRecord(value));
	const candidates = MESSAGE_FIELDS.flatMap((field) =>
		entries.filter(([name]) => field.test(name)),
	);
	for (const [, candidate] of candidates) {
		const message = findMessage(candidate, level + 1);
		if (message !== undefined) return message;
	}
	return level > 1 ? joinFieldMessages(entries) : undefined;
}

/** A list of fields as message: `{ message: { model: 'Missing required parameter' } }`. Others have a list of texts for each field. */
function joinFieldMessages(fields: Array<[string, unknown]>): FoundMessage | undefined {
	const messages = fields.flatMap(([name, value]) =>
		[value].flat().map((text: unknown) => ({ name, text })),
	);
	const isEach = messages.length > 0 && messages.every(({ text }) => isNonEmptyText(text));
	if (!isEach) return undefined;
	return {
		text: messages.map(({ name, text }) => `${name}: ${String(text)}`).join('; '),
		isWritten: true,
	};
}

function isNonEmptyText(value: unknown) {
	return typeof value === 'string' && value !== '';
}

/**
 * Prefers an error inside the message, since it is more specific.
 *
 * @param from - Where in the message the server's own words begin
 */
function withUpstreamError(errorBody: ParsedErrorBody, from: number): ParsedErrorBody {
	const start = errorBody.message.indexOf('{', from);
	const nested = parseNestedError(errorBody.message, start);
	if (!nested) return errorBody;
	return {
		...errorBody,
		message: nested.message,
		codes: [...errorBody.codes, ...nested.codes],
		facts: { ...errorBody.facts, ...nested.facts },
		status: nested.status ?? errorBody.status,
		...(nested.hasSignIn === true && { hasSignIn: true }),
		wrapper: errorBody.message.slice(0, start),
	};
}

/** GPUStack (seen: 2.3.0) and LiteLLM include the error of the upstream server in their own text. */
function parseNestedError(message: string, start: number): ParsedErrorBody | undefined {
	if (start < 0 || message.length > MAX_SCANNED_TEXT) return undefined;
	// A model may write anything, also the JSON of an error.
	if (findTypeByWords(message.slice(0, start), 500) === 'outputParseFailed') return undefined;
	const json = parseObject(message.slice(start, message.lastIndexOf('}') + 1));
	if (!json || !(isNonEmpty(json.error) || isNonEmpty(json.message))) return undefined;
	return parseErrorJson(json);
}

/** FastAPI's validation errors: `[{ loc: ['body', 'model'], msg: 'field required' }]`. */
function formatIssue(issue: unknown, level: number): FoundMessage {
	const message = findMessage(issue, level + 1) ?? toMadeMessage(issue);
	const { loc: location, path, field } = asRecord(issue);
	// Validators of JavaScript: `{ path: ['n'], message }`, `{ field: 'n', message }`
	const loc = location ?? (Array.isArray(path) && path.length > 0 ? path : asNonEmptyString(field));
	if (loc === undefined) return message;
	const names: unknown[] = [loc].flat();
	return {
		text: `${names.map(toText).join('.')}: ${message.text}`,
		isWritten: message.isWritten && !names.some((name) => typeof name === 'object'),
	};
}
