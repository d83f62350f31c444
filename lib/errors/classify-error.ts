import { createServerError, type ErrorContext } from './create-error';
import type { ErrorType } from './error-types';
import type { ServerError } from './server-error';
import { TYPE_BY_CODE, TYPE_BY_TEXT, NO_INSTANCE_PATTERN } from './error-patterns';
import { parseObject } from '../json';
import {
	asArray,
	asFiniteNumber,
	isNonEmpty,
	isRecord,
	type JsonRecord,
	omitUndefined,
	parseNumber,
	asString,
	toText,
} from '../values';

/** An answer that is a refusal, or an error inside an answer. */
export interface ErrorResponseInput {
	/** 200 where an answer or an event with a good status holds an error. */
	status: number;
	/** Names in lower case. */
	headers?: Readonly<Record<string, string>>;
	body: string;
	/** Where a redirect leads to, absolute. */
	location?: string;
	/** No key was sent. */
	keyMissing?: boolean;
}

/** Patterns read no further: on a megabyte of the wrong text they would block n8n. */
const MAX_READ = 4_000;
/** Characters that are shown of a text that is no JSON. */
const MAX_FOREIGN = 200;

/** What the body of a refusal says. */
interface ParsedErrorBody {
	form: 'json' | 'page' | 'text' | 'empty';
	message: string;
	/** Type and code of the error, as texts. */
	codes: string[];
	facts: JsonRecord;
	/** The status that the error names itself. */
	status?: number;
	/** The body has the form of an error. */
	isError?: true;
}

/**
 * The failure that a refusal means: by the words and codes of the server, then by the status. Never throws, whatever the
 * body is.
 */
export function classifyErrorResponse(
	refusal: ErrorResponseInput,
	context: Partial<ErrorContext>,
): ServerError {
	const said = parseErrorBody(refusal);
	const { message, form } = said;
	const isHidden = refusal.status < 300;
	const status = isHidden ? (said.status ?? refusal.status) : refusal.status;
	// An error under a good status that names none is one of the server.
	const readAs = isHidden && said.isError ? (said.status ?? 500) : status;
	const kind = toErrorType({ ...refusal, status: readAs }, said);
	return createServerError(kind, context, {
		status,
		serverText: shownText(kind, said),
		facts: { ...said.facts, ...waitIn(kind, refusal, message) },
		about: {
			status,
			promptTokens: asFiniteNumber(said.facts.n_prompt_tokens),
			contextTokens: asFiniteNumber(said.facts.n_ctx),
			modality: /^(image|audio|video) input is not supported/.exec(message)?.[1],
			location: refusal.location,
			isEmpty: form === 'empty',
			isPage: form === 'page',
			isKeyMissing: refusal.keyMissing,
			hasNoInstance: NO_INSTANCE_PATTERN.test(message),
		},
	});
}

function shownText(kind: ErrorType, { form, message }: ParsedErrorBody): string | undefined {
	if (kind === 'templateRejected') return withTemplateFirst(message);
	const shown = form === 'json' ? message : message.slice(0, MAX_FOREIGN);
	return shown || undefined;
}

/** llama-server wraps a template's own message: "Unable to generate parser for this template. … Error: Jinja Exception: …". */
function withTemplateFirst(message: string): string {
	const inner = /Error:\s*(?:Jinja Exception:\s*)?([^\n]+)/.exec(message)?.[1];
	return inner === undefined ? message : `${inner.trim()} — ${message}`;
}

function toErrorType(refusal: ErrorResponseInput, said: ParsedErrorBody): ErrorType {
	return (
		typeFromProxy(refusal, said) ??
		typeFromKey(refusal, said) ??
		TYPE_BY_DECISIVE_STATUS[refusal.status] ??
		typeFromText(said) ??
		typeFromStatus(refusal.status, said)
	);
}

/** Servers send their own refusals as JSON; a page, a redirect or a password is a proxy's. */
function typeFromProxy(
	{ status, headers = {} }: ErrorResponseInput,
	{ form }: ParsedErrorBody,
): ErrorType | undefined {
	if (isRedirect(status)) return 'unexpectedRedirect';
	if (status === 407) return 'proxyError';
	if (form === 'json') return undefined;
	if (isOfGateway(status)) return 'badGateway';
	const asksForPassword = /\bbasic\b/i.test(headers['www-authenticate'] ?? '');
	if (status === 401 && asksForPassword) return 'proxyAuthRequired';
	return form === 'page' && [401, 403].includes(status) ? 'blockedByProxy' : undefined;
}

function isRedirect(status: number): boolean {
	return status >= 300 && status < 400;
}

/** Cloudflare has a range of its own. */
function isOfGateway(status: number): boolean {
	return [502, 503, 504].includes(status) || (status >= 520 && status <= 530);
}

/** Statuses that tell more than any words. */
const TYPE_BY_DECISIVE_STATUS: Readonly<Record<number, ErrorType>> = {
	413: 'requestTooLarge',
	501: 'featureDisabled',
};

const REFUSES_KEY = /not authenticated|invalid.{0,200}key|\bkey required|unauthorized/i;

/** A 401 says no more than that, whatever its text is. */
function typeFromKey({ status }: ErrorResponseInput, said: ParsedErrorBody): ErrorType | undefined {
	if (status === 401) return isUpstreamError(said) ? 'upstreamKeyRejected' : 'unauthorized';
	const says = [said.message, ...said.codes];
	const refusesKey = status === 403 && says.some((one) => REFUSES_KEY.test(one));
	return refusesKey ? 'unauthorized' : undefined;
}

/** LiteLLM (seen: 1.106.2) names the exception of its client; of its own key it says "Authentication Error". */
function isUpstreamError({ message }: ParsedErrorBody): boolean {
	return /^litellm\.AuthenticationError:/.test(message);
}

/** The text first: LM Studio's code says "model not found" for a chat model that is asked for embeddings. */
function typeFromText({ message, codes }: ParsedErrorBody): ErrorType | undefined {
	const start = message.slice(0, MAX_READ);
	const isSaid = (pattern: RegExp) => pattern.test(start);
	const byText = TYPE_BY_TEXT.find(([, ...patterns]) => (patterns as RegExp[]).some(isSaid))?.[0];
	return byText ?? codes.map((code) => TYPE_BY_CODE[code]).find((kind) => kind !== undefined);
}

const TYPE_BY_STATUS: Readonly<Record<number, ErrorType>> = {
	403: 'forbidden',
	404: 'routeNotFound',
	405: 'routeNotFound',
	429: 'busy',
	503: 'busy',
};

function typeFromStatus(status: number, { form, message }: ParsedErrorBody): ErrorType {
	if (status < 300) {
		if (form === 'page') return 'notAnApi';
		// Text that begins like JSON is a cut-off answer of a server; other text is from another program ("It works!").
		return form === 'text' && !/^[{[]/.test(message) ? 'wrongServer' : 'invalidResponse';
	}
	const known = TYPE_BY_STATUS[status];
	if (known !== undefined) return known;
	if (status < 500) return 'badRequest';
	return form === 'page' ? 'badGateway' : 'serverError';
}

/** In the middle of an answer, these say no more than that the server reported an error. */
const UNSPECIFIC_TYPES: ReadonlySet<ErrorType> = new Set([
	'badRequest',
	'serverError',
	'routeNotFound',
]);

/** The failure of an error in the middle of an answer: the same as in place of one. */
export function classifyStreamError(
	body: string,
	context: Partial<ErrorContext> = {},
): ServerError {
	const failed = classifyErrorResponse({ status: 200, body }, context);
	if (!UNSPECIFIC_TYPES.has(failed.type)) return failed;
	const { serverText, status } = failed;
	return createServerError('streamError', context, {
		serverText,
		status: status === 200 ? undefined : status,
	});
}

/** Whether an answer is a refusal, by its status or its body: LM Studio refuses with status 200. */
export function isErrorResponse({ status, json }: { status: number; json: unknown }): boolean {
	if (status >= 300) return true;
	if (!isRecord(json) || asArray(json.data).length > 0) return false;
	return hasError(json.error);
}

/** Whether there is an error: `{}` or `{"code":0,"message":""}` beside an answer is none. */
export function hasError(error: unknown): boolean {
	if (!isRecord(error)) return isNonEmpty(error);
	return Object.values(error).some((value) => value !== 0 && value !== false && isNonEmpty(value));
}

/** What a refusal says, in any usual form: OpenAI's, FastAPI's, Ollama's, GPUStack's, or plain text. */
function parseErrorBody({ body }: ErrorResponseInput): ParsedErrorBody {
	const json = parseObject(body);
	if (json !== undefined) return inJson(json);
	const bare = body.trim();
	const nothing = { codes: [], facts: {} };
	if (bare === '') return { form: 'empty', message: '', ...nothing };
	if (!bare.startsWith('<'))
		return { form: 'text', message: bare.slice(0, MAX_READ).replace(/\s+/g, ' '), ...nothing };
	return { form: 'page', message: textOfPage(bare), ...nothing };
}

/** What a page shows, without its code. */
function textOfPage(page: string): string {
	const start = page.slice(0, 4 * MAX_READ);
	const bare = start.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^<>]*>/g, ' ');
	return bare.replace(/\s+/g, ' ').trim().slice(0, MAX_READ);
}

function inJson(json: JsonRecord): ParsedErrorBody {
	const error = json.error ?? json.detail;
	const inner = isRecord(error) ? error : json;
	const { message: own, type, code, ...others } = inner;
	const message = isRecord(error) ? sentenceOf(own ?? inner) : sentenceIn(json, error);
	const codes = [type, code].map(asString).filter((one) => one !== undefined);
	const facts = readableFacts(isRecord(error) ? { ...others, ...omitUndefined({ code }) } : {});
	const isError = hasError(error) || undefined;
	const status = statusNamed(inner);
	return withUpstreamError({
		form: 'json',
		message,
		codes,
		facts,
		...omitUndefined({ status, isError }),
	});
}

/** With what an error inside of the message says: it is the nearer one. */
function withUpstreamError(said: ParsedErrorBody): ParsedErrorBody {
	const within = parseNestedError(said.message);
	if (within === undefined) return said;
	return {
		...said,
		message: within.message,
		codes: [...said.codes, ...within.codes],
		facts: { ...said.facts, ...within.facts },
		...omitUndefined({ status: within.status ?? said.status }),
	};
}

/** The sentence beside or in place of an error object: where both are there, `error` is the phrase of the status. */
function sentenceIn(json: JsonRecord, error: unknown): string {
	const { message, detail } = json;
	return sentenceOf([message, detail, error].find(isNonEmpty) ?? json);
}

/** GPUStack (seen: 2.3.0) and LiteLLM hand on the error of the server behind them inside their own text. */
function parseNestedError(message: string): ParsedErrorBody | undefined {
	const start = message.indexOf('{');
	if (start < 0 || message.length > MAX_READ) return undefined;
	const json = parseObject(message.slice(start, message.lastIndexOf('}') + 1));
	if (json === undefined || !(isNonEmpty(json.error) || isNonEmpty(json.message))) return undefined;
	return inJson(json);
}

function statusNamed({ code, status }: JsonRecord): number | undefined {
	return [code, status]
		.map(parseNumber)
		.find((one) => one !== undefined && one >= 400 && one < 600);
}

function sentenceOf(value: unknown): string {
	if (typeof value === 'string') return value;
	if (Array.isArray(value)) return value.map(problemOf).join('; ');
	return toText(value).slice(0, MAX_READ);
}

/** FastAPI's validation errors: `[{ loc: ['body', 'model'], msg: 'field required' }]`. */
function problemOf(problem: unknown): string {
	if (!isRecord(problem) || !('msg' in problem)) return toText(problem).slice(0, MAX_READ);
	return `${[problem.loc].flat().map(toText).join('.')}: ${toText(problem.msg)}`;
}

function readableFacts(facts: JsonRecord): JsonRecord {
	const filled = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined);
	return Object.fromEntries(filled);
}

/** The pause that a busy server asks for, by the header Retry-After or its words. */
function waitIn(
	kind: ErrorType,
	{ headers = {} }: ErrorResponseInput,
	message: string,
): { retryAfterMs?: number } {
	// LiteLLM
	const inWords = /try again in (\d+) ?s/i.exec(message.slice(0, MAX_READ))?.[1];
	return omitUndefined({
		retryAfterMs: parseRetryAfter(headers['retry-after'] ?? (kind === 'busy' ? inWords : '')),
	});
}

/** Milliseconds of a Retry-After header, which contains seconds or a date; undefined for anything else. */
export function parseRetryAfter(header = '', now = Date.now()): number | undefined {
	const value = header.trim();
	if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
	// `Date.parse` also accepts texts like "-5", so a month's name is required.
	const at = /[a-z]{3}/i.test(value) ? Date.parse(value) : NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
