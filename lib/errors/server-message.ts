import { type BodyShape, MAX_READ, shapeOf } from './failed-answer';
import { errorInDetail, errorsWithin, type InnerError } from './inner-errors';
import { kindOfMessage } from './kind-of-message';
import { isStatusBehind, statusIn, statusNamedIn, statusOfType } from './named-status';
import {
	asList,
	isFilled,
	isRecord,
	type JsonRecord,
	optional,
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
	/** The status that an error inside of another names. */
	inner?: number;
	/** It is of a server behind: a gateway's text holds it, or names its status. */
	isHandedOn?: true;
}

/**
 * The server's message in any error body: `error` as object or string, `detail`, `message`, `reason`, or plain text.
 * Of an error within an error, the innermost.
 */
export function serverMessage(body: string): ServerMessage {
	return messageIn(shapeOf({ body }));
}

export function messageIn(shape: BodyShape): ServerMessage {
	if (shape.kind === 'empty') return { message: '', facts: {} };
	// A page tells its own status.
	if (shape.kind === 'page') return { message: shape.text, facts: {} };
	if (shape.kind === 'text') return innermost({ message: shape.text, facts: {} }, shape.text);
	return innermost(messageOf(shape.json), shape.json);
}

/**
 * Gateways and Ollama put the error of the server behind them into their own: in its text, or under a key of their own.
 * The last that tells a kind or a status decides; without one, the innermost.
 */
function innermost(outer: ServerMessage, body: unknown): ServerMessage {
	const inner = [...errorsWithin(body)].map(innerMessage);
	const layers = [outer, ...inner].map(withNamedStatus);
	const end = layers.findLastIndex(tells);
	const read = end < 0 ? layers : layers.slice(0, end + 1);
	const withStatus = read.findLast(({ behind, inner }) => (behind ?? inner) !== undefined);
	return {
		...read.at(-1)!,
		facts: Object.assign({}, ...read.map(({ facts }) => facts)) as JsonRecord,
		...optional({
			type: read.findLast(({ type }) => type !== undefined)?.type,
			behind: withStatus?.behind,
			inner: withStatus?.inner,
			isHandedOn: read.findLast(({ isHandedOn }) => isHandedOn)?.isHandedOn,
		}),
	};
}

function tells({ message, type, facts, inner }: ServerMessage): boolean {
	return inner !== undefined || kindOfMessage(message, type, text(facts.code)) !== undefined;
}

function innerMessage({ json, isText }: InnerError): ServerMessage {
	const read = messageOf(json);
	const named = statusIn(read.facts) ?? statusIn(json) ?? statusOfType(read.type, read.facts.code);
	const inner = isStatusBehind(named) ? named : undefined;
	return { ...read, ...optional({ inner, isHandedOn: isText || undefined }) };
}

/**
 * With the status of the server behind, where a text names it. LiteLLM (seen: 1.106.2) names the exception of its
 * client; of its own key it says "Authentication Error".
 */
function withNamedStatus(outer: ServerMessage): ServerMessage {
	const read = withoutType(withoutClient(outer));
	const isOfLiteLlm = /^litellm\.AuthenticationError:/.test(outer.message);
	const named = isOfLiteLlm ? 401 : statusNamedIn(outer.message.slice(0, MAX_READ));
	const behind = named ?? read.behind;
	return behind === undefined ? read : { ...read, behind, isHandedOn: true };
}

/** FastAPI's HTTPException as text, which MLflow (seen: 3.18.0) hands on, and the exception of OpenAI's client. */
const EXCEPTIONS: readonly RegExp[] = [/^[45]\d\d: ([^]+)/, /\bError code: \d{3} - ([^]+)/];

/** Gateways in Python hand on the exception of their client. Its sentence is the server's. */
function withoutClient(outer: ServerMessage): ServerMessage {
	const said = EXCEPTIONS.map((form) => form.exec(outer.message)?.[1]).find(isFilled);
	return { ...outer, message: said ?? outer.message };
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

function messageOf(json: JsonRecord): ServerMessage {
	const error = json.error ?? asList(json.errors)[0] ?? recordsIn(json.choices)[0]?.error;
	const details = isRecord(error) ? error : detailsIn(json.detail);
	if (details !== undefined) {
		const { provider } = json;
		const behind = statusOfProvider(json);
		return { ...withoutProvider(messageOfDetails(details), provider), ...optional({ behind }) };
	}
	const { type, code, reason } = json;
	return {
		message: withName(error, sentenceIn(json)),
		type: [type, code, reason].map(text).find((one) => one !== undefined),
		facts: factsIn(json.details),
	};
}

function sentenceIn({ error, ...json }: JsonRecord): string | undefined {
	const { detail, message, msg, error_msg, error_description, reason, title } = json;
	const sentence = [detail, message, msg, error_msg, error_description].find(isFilled);
	if (sentence !== undefined) return sentenceOf(sentence);
	return isFilled(error)
		? undefined
		: sentenceOf(reason ?? title ?? { ...json, ...optional({ error }) });
}

/** Spring Boot and Fastify write the phrase of the status into `error`, other servers the whole sentence. */
function withName(error: unknown, sentence: string | undefined): string {
	if (sentence === undefined) return sentenceOf(error);
	return typeof error === 'string' && /\s/.test(error) ? `${error}: ${sentence}` : sentence;
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

function detailsIn(detail: unknown): JsonRecord | undefined {
	if (!isRecord(detail)) return undefined;
	const details = errorInDetail(detail);
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
	return beginningOfJson(value);
}

/** JSON with the beginnings of its texts and lists. Servers also send the request back, with all its texts. */
function beginningOfJson(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		typeof inner === 'string' || Array.isArray(inner) ? inner.slice(0, MAX_READ) : inner,
	);
}

/** FastAPI's validation errors: `[{ loc: ['body', 'model'], msg: 'field required' }]`. */
function problemOf(problem: unknown): string {
	if (!isRecord(problem) || !('msg' in problem)) return beginningOfJson(problem);
	return `${[problem.loc].flat().map(words).join('.')}: ${words(problem.msg)}`;
}
