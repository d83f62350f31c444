import {
	type FailedAnswer,
	MAX_READ,
	proxyFailureKind,
	shapeOf,
	type BodyShape,
} from './failed-answer';
import { failure, type FailureContext } from './failure';
import type { FailureKind } from './kinds';
import { type Codes, kindOfMessage } from './message-kinds';
import { mask } from './secrets';
import type { ServerError } from './server-error';
import { finiteNumber, isFilled, isRecord, recordsIn, text, words } from '../values';

/** Characters that are shown of a text that is not JSON. */
const MAX_FOREIGN = 200;

interface ServerMessage {
	message: string;
	type?: string;
	facts: Record<string, unknown>;
}

/**
 * The server's message in any error body: `error` as object or string, `detail`, `message`, `reason`, or plain text.
 */
export function serverMessage(body: string): ServerMessage {
	return said(shapeOf({ body }));
}

/** Errors inside errors: gateways hand on the body of the server behind them as text. */
const MAX_WRAPPERS = 4;

function said(shape: BodyShape, depth = 0): ServerMessage {
	const outer = saidBy(shape);
	const wrapped = shapeOf({ body: outer.message });
	if (wrapped.kind !== 'json' || wrapped.json.error === undefined || depth >= MAX_WRAPPERS)
		return outer;
	const { message, type = outer.type, facts } = said(wrapped, depth + 1);
	return { message, type, facts: { ...outer.facts, ...facts } };
}

function saidBy(shape: BodyShape): ServerMessage {
	if (shape.kind !== 'json')
		return { message: shape.kind === 'empty' ? '' : shape.text, facts: {} };
	const { json } = shape;
	const { detail, message, reason } = json;
	const error = json.error ?? recordsIn(json.choices)[0]?.error;
	// Kokoro-FastAPI and mlx-openai-server put their error into FastAPI's detail.
	const told = isRecord(detail) ? (isRecord(detail.error) ? detail.error : detail) : undefined;
	const inner = isRecord(error)
		? error
		: told !== undefined && 'message' in told
			? told
			: undefined;
	if (inner !== undefined) {
		const facts = Object.fromEntries(
			Object.entries(inner).filter(
				([key, value]) => !['message', 'type'].includes(key) && value !== null,
			),
		);
		return { message: stringify(inner.message ?? inner), type: text(inner.type), facts };
	}
	const sentence = error ?? detail ?? message ?? reason ?? json;
	return {
		message: stringify(sentence),
		type: text(json.type) ?? text(json.code) ?? text(reason),
		facts: {},
	};
}

function stringify(value: unknown): string {
	if (typeof value === 'string') return value;
	// FastAPI's validation errors: [{ loc: ['body', 'model'], msg: 'field required' }]
	if (Array.isArray(value))
		return value
			.map((entry) =>
				isRecord(entry) && 'msg' in entry
					? `${[entry.loc].flat().map(words).join('.')}: ${words(entry.msg)}`
					: JSON.stringify(entry),
			)
			.join('; ');
	return JSON.stringify(value);
}

/**
 * Classifies an HTTP answer with an error status, or a page in place of an answer. Never throws, whatever the body is.
 */
export function httpFailure(received: FailedAnswer, context: FailureContext): ServerError {
	// Before anything is cut: half a key would not be recognized.
	const answer = { ...received, body: mask(received.body, context.secrets) };
	const { status } = answer;
	const shape = shapeOf(answer);
	const { type, facts, message: raw } = said(shape);
	// Again: decoding the entities of a page may have uncovered a secret.
	const message = mask(raw, context.secrets);
	const codes = [type, text(facts.code)];
	const kind =
		proxyFailureKind(answer, shape) ??
		kindOf(answer.readAs ?? status, message.slice(0, MAX_READ), codes, shape);
	const promptTokens =
		finiteNumber(facts.n_prompt_tokens) ?? numberIn(message, /\((\d+) tokens\) exceeds/);
	const contextTokens =
		finiteNumber(facts.n_ctx) ??
		numberIn(message, /context size \((\d+) tokens\)|maximum context length is (\d+)/);
	const shown = shape.kind === 'json' ? message : message.slice(0, MAX_FOREIGN);
	const wait = numberIn(message, /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?s/i);
	return failure(kind, context, {
		status,
		serverText: kind === 'templateRejected' ? innerSentence(message) : shown || undefined,
		facts: wait === undefined || kind !== 'busy' ? facts : { ...facts, retryAfterMs: wait * 1000 },
		about: {
			status,
			promptTokens,
			contextTokens,
			modality: /^(image|audio|video) input is not supported/.exec(message)?.[1],
			location: answer.location,
			isEmpty: shape.kind === 'empty',
			keyMissing: answer.keyMissing,
		},
	});
}

/** The status that an error type stands for (llama-server, vLLM, OpenAI, Anthropic and compatible gateways). */
const STATUS_OF_TYPE: ReadonlyArray<readonly [number, RegExp]> = [
	[401, /^auth(?:entication|orization)?_?error$/i],
	[403, /^permission_?(?:denied_?)?error$/i],
	[404, /^not_?found_?error$/i],
	[429, /^rate_?limit_?(?:exceeded|error)?|^insufficient_quota$/i],
	[501, /^not_supported_error$/i],
	[503, /^(?:service_?)?unavailable_?(?:error)?$|^overloaded_error$|^engine_overloaded/i],
	[400, /^(?:invalid_request|bad_?request|validation)_?error$/i],
];

/** Whether an answer is a refusal, by its status or its body: LM Studio and gateways refuse with status 200. */
export function isRefusal({ status, json }: { status: number; json: unknown }): boolean {
	if (status >= 300) return true;
	if (!isRecord(json) || (Array.isArray(json.data) && json.data.length > 0)) return false;
	const { error, success, object } = json;
	const isError = isRecord(error)
		? hasErrorDetails(error)
		: typeof error === 'string' && error !== '';
	return isError || success === false || object === 'error';
}

/** Whether an error object holds anything: `{}` or `{"code":0,"message":""}` beside an answer is no error. */
export function hasErrorDetails(error: Record<string, unknown>): boolean {
	return Object.values(error).some((value) => value !== 0 && value !== false && isFilled(value));
}

/** The status of an error that was sent with a 2xx status: the one its body names, or that of its type; else 500. */
export function statusInBody(body: string): Pick<FailedAnswer, 'status' | 'readAs'> {
	const shape = shapeOf({ body });
	const { type = '', facts } = said(shape);
	const json = shape.kind === 'json' ? shape.json : {};
	const named = [
		facts.code,
		facts.status,
		facts.status_code,
		json.code,
		json.status,
		json.status_code,
		json.error_code,
	]
		.map(Number)
		.find((code) => Number.isInteger(code) && code >= 400 && code < 600);
	const isOf = (types: RegExp) => types.test(type) || types.test(words(facts.code));
	const status = named ?? STATUS_OF_TYPE.find(([, types]) => isOf(types))?.[0];
	return { status: status ?? 200, readAs: status ?? 500 };
}

/** The failure in such a body: the same as for an answer with that status. */
export function failureInBody(body: string, context: FailureContext): ServerError {
	return httpFailure({ ...statusInBody(body), body, contentType: 'application/json' }, context);
}

function kindOf(status: number, message: string, codes: Codes, shape: BodyShape): FailureKind {
	if (status === 401) return 'unauthorized';
	if (status === 403)
		return /not authenticated|invalid.{0,200}key|unauthorized/i.test(message)
			? 'unauthorized'
			: 'forbidden';
	if (status === 413) return 'tooLarge';
	if (status === 429) return 'busy';
	if (status === 501) return 'notSupported';
	if (status < 300) return kindOfSuccess(shape);
	const said = kindOfMessage(message, ...codes);
	if (status === 503 || status === 529) return said ?? 'busy';
	return said ?? kindOfStatus(status, shape.kind === 'page');
}

function kindOfSuccess(shape: BodyShape): FailureKind {
	if (shape.kind === 'page') return 'notAnApi';
	// Text that begins like JSON is a cut-off answer of a server; other text is from another program ("It works!").
	return shape.kind === 'text' && !/^[{[]/.test(shape.text) ? 'wrongServer' : 'invalidAnswer';
}

function kindOfStatus(status: number, html: boolean): FailureKind {
	if (status === 404 || status === 405) return 'wrongPath';
	if (status >= 500) return html ? 'gateway' : 'serverError';
	return 'badRequest';
}

/**
 * Moves the template's own message to the front, out of "Unable to generate parser for this template. … Error: Jinja
 * Exception: …".
 */
function innerSentence(message: string): string {
	const inner = /Error:\s*(?:Jinja Exception:\s*)?([^\n]+)/.exec(message)?.[1];
	return inner ? `${inner.trim()} — ${message}` : message;
}

function numberIn(message: string, pattern: RegExp): number | undefined {
	const match = pattern.exec(message);
	const digits = match?.slice(1).find((group) => group !== undefined);
	return digits === undefined ? undefined : Number(digits);
}
