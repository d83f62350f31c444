import { type BodyShape, shapeOf } from './failed-answer';
import {
	isFilled,
	isRecord,
	type JsonRecord,
	optional,
	parseObject,
	plainNumber,
	recordOf,
	recordsIn,
	text,
	words,
} from '../values';

export interface ServerMessage {
	message: string;
	type?: string;
	facts: JsonRecord;
	/** The status of the server behind, where a gateway names it. */
	behind?: number;
}

/** A gateway before a gateway before a server. */
const MAX_WRAPPERS = 4;

/**
 * The server's message in any error body: `error` as object or string, `detail`, `message`, `reason`, or plain text.
 * Of an error within an error, the innermost.
 */
export function serverMessage(body: string): ServerMessage {
	return messageIn(shapeOf({ body }));
}

export function messageIn(shape: BodyShape): ServerMessage {
	if (shape.kind === 'empty') return { message: '', facts: {} };
	if (shape.kind !== 'json') return innermost({ message: shape.text, facts: {} });
	return innermost(messageOf(shape.json));
}

/** Gateways and Ollama put the error of the server behind them into their own message, as JSON. */
function innermost(outer: ServerMessage): ServerMessage {
	let current = withoutType(withoutClient(outer));
	for (let wrapper = 0; wrapper < MAX_WRAPPERS; wrapper++) {
		const behind = statusBehind(current.message) ?? current.behind;
		const json = errorWithin(current.message);
		if (json === undefined) return { ...current, ...optional({ behind }) };
		const inner = messageOf(json);
		current = withoutType({
			message: inner.message,
			type: inner.type ?? current.type,
			facts: { ...current.facts, ...inner.facts },
			...optional({ behind }),
		});
	}
	return current;
}

/**
 * GPUStack (seen: 2.3.0) sends 503 for every refusal: "Worker request failed: … status=404, error={…}". LiteLLM (seen:
 * 1.106.2) names the exception of its client; of its own key it says "Authentication Error".
 */
function statusBehind(message: string): number | undefined {
	if (/^litellm\.AuthenticationError:/.test(message)) return 401;
	return plainNumber(/\bstatus=(4(?!0[37])\d\d|5\d\d), error=/.exec(message)?.[1]);
}

/** FastAPI's HTTPException as text, which MLflow (seen: 3.18.0) hands on: "401: Incorrect API key". */
const EXCEPTION_OF_FASTAPI = /^(\d{3}): ([^]+)/;
/** The exception of OpenAI's client: "Error code: 400 - " with a sentence, or a dict. */
const EXCEPTION_OF_OPENAI = /\bError code: (\d{3}) - ([^]+)/;

/**
 * Gateways in Python hand on the exception of their client: of OpenAI's, of FastAPI, or of httpx ("Client error '400 Bad
 * Request' for url"). A missing route of theirs is none of the credential.
 */
function withoutClient(outer: ServerMessage): ServerMessage {
	const { status, said } = exceptionIn(outer);
	const behind = /^4(?!0[347])|^5/.test(status) ? Number(status) : undefined;
	const [, , quoted] = /'message': (['"])(.{0,1000}?)\1[,}]/.exec(said ?? '') ?? [];
	return { ...outer, message: quoted ?? said ?? outer.message, ...optional({ behind }) };
}

function exceptionIn({ message, type }: ServerMessage): { status: string; said?: string } {
	const form = type === 'HTTPException' ? EXCEPTION_OF_FASTAPI : EXCEPTION_OF_OPENAI;
	const [, code, said] = form.exec(message) ?? [];
	const status = code ?? /\b(?:Client|Server) error '(\d{3}) /.exec(message)?.[1] ?? '';
	return { status, ...optional({ said }) };
}

/**
 * aichat (seen: 0.30.0) hands on the sentence of the server behind it, with the type of its error in brackets, all with
 * status 400.
 */
function withoutType(outer: ServerMessage): ServerMessage {
	const [, message, type = ''] = /^([^]{1,2000}) \(type: (\w{1,60})\)$/.exec(outer.message) ?? [];
	if (message === undefined) return outer;
	const behind = /^authentication_?error$/i.test(type) ? 401 : undefined;
	return withoutType({ ...outer, message, type, ...optional({ behind }) });
}

/** The error in a text that is JSON, or has JSON behind words such as "OpenAIException - ". */
function errorWithin(message: string): JsonRecord | undefined {
	const start = message.indexOf('{');
	if (start < 0) return undefined;
	const json = parseObject(message.slice(start, message.lastIndexOf('}') + 1));
	if (json === undefined) return undefined;
	// Words around it may quote any JSON, such as that of the request.
	const isBare = start === 0 && typeof json.message === 'string';
	const holdsError = isBare || isError(json.error) || isError(json.detail);
	return holdsError ? json : undefined;
}

function isError(error: unknown): boolean {
	return isRecord(error) ? isFilled(error.message) : typeof error === 'string' && error !== '';
}

function messageOf(json: JsonRecord): ServerMessage {
	const error = json.error ?? recordsIn(json.choices)[0]?.error;
	const details = isRecord(error) ? error : detailsIn(json.detail);
	if (details !== undefined) {
		const { provider } = json;
		const behind = statusOfProvider(json);
		return { ...withoutProvider(messageOfDetails(details), provider), ...optional({ behind }) };
	}
	const { detail, message, reason, type, code } = json;
	return {
		message: sentenceOf(error ?? detail ?? message ?? reason ?? json),
		type: [type, code, reason].map(text).find((one) => one !== undefined),
		facts: factsIn(json.details),
	};
}

/** Bifrost (seen: 1.4.19) has a type for its own refusals beside `error`, and none for those that it hands on. */
function statusOfProvider({ extra_fields: of, type, status_code: status }: JsonRecord) {
	const isHandedOn = type === undefined && isRecord(of) && isFilled(of.provider);
	return isHandedOn ? plainNumber(status) : undefined;
}

/** NVIDIA Dynamo says `Invalid request`, and beside it which limit was passed. */
function factsIn(details: unknown): JsonRecord {
	const { type, limit, actual } = recordOf(details);
	return type === 'context_length'
		? { code: 'context_length_exceeded', n_ctx: limit, n_prompt_tokens: actual }
		: {};
}

/** Portkey puts the name of the provider in front of the server's words: "openai error: …". */
function withoutProvider(received: ServerMessage, provider: unknown): ServerMessage {
	const prefix = `${words(provider)} error: `;
	if (!isFilled(provider) || !received.message.startsWith(prefix)) return received;
	return withoutProvider({ ...received, message: received.message.slice(prefix.length) }, provider);
}

/** Kokoro-FastAPI and mlx-openai-server put their error into FastAPI's detail. */
function detailsIn(detail: unknown): JsonRecord | undefined {
	if (!isRecord(detail)) return undefined;
	const details = isRecord(detail.error) ? detail.error : detail;
	return 'message' in details ? details : undefined;
}

function messageOfDetails(details: JsonRecord): ServerMessage {
	const { message, type, ...others } = details;
	const facts = Object.entries(others).filter(([, value]) => value !== null);
	return {
		message: sentenceOf(message ?? details) + causeIn(others.error),
		type: text(type),
		facts: Object.fromEntries(facts),
	};
}

/** Bifrost (seen: 1.4.19) names the cause beside its message, where Kokoro-FastAPI has a code. */
function causeIn(error: unknown): string {
	return typeof error === 'string' && /\s/.test(error) ? `: ${error}` : '';
}

function sentenceOf(value: unknown): string {
	if (typeof value === 'string') return value;
	if (Array.isArray(value)) return value.map(problemOf).join('; ');
	return JSON.stringify(value);
}

/** FastAPI's validation errors: `[{ loc: ['body', 'model'], msg: 'field required' }]`. */
function problemOf(problem: unknown): string {
	if (!isRecord(problem) || !('msg' in problem)) return JSON.stringify(problem);
	return `${[problem.loc].flat().map(words).join('.')}: ${words(problem.msg)}`;
}
