import {
	type FailedAnswer,
	isGatewayStatus,
	MAX_READ,
	proxyFailureKind,
	shapeOf,
	type BodyShape,
} from './failed-answer';
import { failure, type FailureContext } from './failure';
import type { FailureKind } from './kinds';
import { type Codes, isBudgetSpent, kindOfCodes, kindOfMessage } from './kind-of-message';
import { statusIn, statusOfType } from './named-status';
import { maskedStart } from './secrets';
import type { ServerError } from './server-error';
import { messageIn, type ServerMessage } from './server-message';
import { NO_INSTANCE, NO_KEYS } from './words-of-servers';
import {
	finiteNumber,
	isFilled,
	isRecord,
	type JsonRecord,
	literalPattern,
	optional,
	text,
} from '../values';

/** Characters that are shown of a text that is not JSON. */
const MAX_FOREIGN = 200;

/**
 * Classifies an HTTP answer with an error status, or a page in place of an answer. Never throws, whatever the body is.
 */
export function httpFailure(answer: FailedAnswer, context: FailureContext): ServerError {
	const shape = shapeOf(answer, context.secrets);
	const serverMessage = messageIn(shape);
	const { message } = serverMessage;
	const facts = readableFacts(serverMessage.facts);
	const behind = statusBehind(answer, serverMessage);
	const status = behind ?? answer.status;
	const kind = kindOfFailed(
		answer,
		shape,
		{ ...serverMessage, ...optional({ behind }) },
		context.model,
	);
	const shown =
		shape.kind === 'json' ? message : maskedStart(message, MAX_FOREIGN, context.secrets);
	return failure(kind, context, {
		status,
		serverText: kind === 'templateRejected' ? innerSentence(message) : shown || undefined,
		facts: kind === 'busy' ? { ...facts, ...waitIn(message) } : facts,
		about: {
			status,
			...tokensIn(message, facts),
			modality: /^(image|audio|video) input is not supported/.exec(message)?.[1],
			location: answer.location,
			isEmpty: shape.kind === 'empty',
			isPage: shape.kind === 'page',
			keyMissing: answer.keyMissing,
			noInstance: NO_INSTANCE.test(message),
			noKeys: NO_KEYS.test(message),
		},
	});
}

/** Those that a person may read. Servers also repeat the request there, and masking a megabyte would block n8n. */
function readableFacts(facts: JsonRecord): JsonRecord {
	let room = MAX_READ;
	const isReadable = (fact: [string, unknown]) => {
		const { length } = JSON.stringify(fact);
		if (length <= room) room -= length;
		else return false;
		return true;
	};
	return Object.fromEntries(Object.entries(facts).filter(isReadable));
}

/** By the first of these that tells: the server behind a gateway, a proxy, the status with its text. */
function kindOfFailed(
	answer: FailedAnswer,
	shape: BodyShape,
	serverMessage: ServerMessage,
	model?: string,
): FailureKind {
	const { type, facts, behind, message } = serverMessage;
	const codes = [type, text(facts.code)];
	const refusal = {
		status: behind ?? answer.readAs ?? answer.status,
		message: message.slice(0, MAX_READ),
		codes,
		shape,
		model,
	};
	return (
		kindHandedOn(answer, shape, serverMessage, codes) ??
		kindBehind(behind ?? relayedStatus(answer, type)) ??
		proxyFailureKind({ ...answer, status: behind ?? answer.status }, shape) ??
		kindOf(refusal)
	);
}

/** The kind that the words of a server behind a gateway tell. A page has those of the gateway itself. */
function kindHandedOn(
	{ status }: FailedAnswer,
	shape: BodyShape,
	{ isHandedOn, message }: ServerMessage,
	codes: Codes,
): FailureKind | undefined {
	const hasWordsBehind = shape.kind !== 'page' && (isHandedOn === true || isGatewayStatus(status));
	return hasWordsBehind ? kindByText(message, codes) : undefined;
}

/**
 * The status of a server behind. An inner error with the status of the answer may be the server's own. Where a text
 * holds its error, a 401 is of the key that it got from the gateway.
 */
function statusBehind(
	{ status }: FailedAnswer,
	{ behind, inner, isHandedOn }: ServerMessage,
): number | undefined {
	if (behind !== undefined) return behind;
	if (isHandedOn && status === 401) return 401;
	return inner !== undefined && (isHandedOn || inner !== status) ? inner : undefined;
}

/** What a status means that a server behind a gateway answered, where that is not what it means of the gateway. */
function kindBehind(status: number | undefined): FailureKind | undefined {
	if (status === 401) return 'gatewayKey';
	// A server that was not started for this is another model's.
	return status === 501 ? 'wrongModelType' : undefined;
}

/** The type of an error of One API, New API or one-hub itself. */
const OWN_ERROR = /^(?:(?:one|new)_api|one_hub)_error$/;

function relayedStatus({ isRelayed, status }: FailedAnswer, type = ''): number | undefined {
	return isRelayed === true && type !== '' && !OWN_ERROR.test(type) ? status : undefined;
}

function tokensIn(message: string, { n_prompt_tokens, n_ctx }: JsonRecord) {
	const ofPrompt =
		/^prompt length (\d+)|\((\d+) tokens\) exceeds|requested tokens \((\d+)\)|too long: (\d+) tokens|length of row\((\d+)\)/i;
	const ofContext =
		/context size \((\d+) tokens\)|maximum context length is (\d+)|context (?:window|size) of (\d+)|the max_length\((\d+)\)|^prompt sequence length is greater than (\d+)/i;
	return {
		promptTokens: finiteNumber(n_prompt_tokens) ?? numberIn(message, ofPrompt),
		contextTokens: finiteNumber(n_ctx) ?? numberIn(message, ofContext),
	};
}

function waitIn(message: string): { retryAfterMs?: number } {
	const seconds = numberIn(message, /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?s/i);
	return seconds === undefined ? {} : { retryAfterMs: seconds * 1000 };
}

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
export function hasErrorDetails(error: JsonRecord): boolean {
	return Object.values(error).some((value) => value !== 0 && value !== false && isFilled(value));
}

/** The status of an error that was sent with a 2xx status: the one its body names, or that of its type; else 500. */
export function statusInBody(body: string): Pick<FailedAnswer, 'status' | 'readAs'> {
	const shape = shapeOf({ body });
	const { type, facts } = messageIn(shape);
	const json = shape.kind === 'json' ? shape.json : {};
	const status = statusIn(facts) ?? statusIn(json) ?? statusOfType(type, facts.code);
	return { status: status ?? 200, readAs: status ?? 500 };
}

/** The failure in such a body: the same as for an answer with that status. @param status as the body tells it */
export function failureInBody(
	body: string,
	context: FailureContext,
	status = statusInBody(body),
): ServerError {
	return httpFailure({ ...status, body, contentType: 'application/json' }, context);
}

/** In the middle of an answer, these say no more than that the server reported an error. */
const UNTOLD: ReadonlySet<FailureKind> = new Set(['badRequest', 'serverError', 'wrongPath']);

/** The failure that an error in the middle of an answer tells: the same as in place of one. */
export function failureInStream(body: string): {
	kind: FailureKind;
	serverText?: string;
	status?: number;
} {
	const named = statusInBody(body);
	const { kind, serverText = '' } = failureInBody(body, { url: '' }, named);
	const status = named.status === 200 ? undefined : named.status;
	const told = { serverText, ...optional({ status }) };
	if (kindOfMessage(serverText) === 'connectionLost') return { kind: 'connectionLost', ...told };
	return { kind: UNTOLD.has(kind) ? 'streamError' : kind, ...told };
}

/** Kinds that a status tells, whatever the text is. A code of the error tells more. */
const KIND_OF_STATUS: Readonly<Record<number, FailureKind>> = {
	401: 'unauthorized',
	413: 'tooLarge',
	501: 'notSupported',
};

const REFUSES_KEY = /not authenticated|invalid.{0,200}key|\bkey required|unauthorized/i;

interface Refusal {
	status: number;
	message: string;
	codes: Codes;
	shape: BodyShape;
	/** The model that was asked for. */
	model?: string;
}

function kindOf(refusal: Refusal): FailureKind {
	const { status, message, codes, shape } = refusal;
	// With any status, also 429, which otherwise means a busy server.
	if (isBudgetSpent(message, codes)) return 'budgetSpent';
	const certain = KIND_OF_STATUS[status];
	if (certain !== undefined) return kindOfCodes(codes) ?? certain;
	if (status === 403) return kindOfForbidden(message, codes);
	if (status < 300) return kindOfSuccess(shape);
	return kindByText(message, codes) ?? kindOfStatus(refusal);
}

/** Where nothing of an answer had arrived, a server behind whose connection broke does not answer. */
function kindByText(message: string, codes: Codes): FailureKind | undefined {
	const kind = kindOfMessage(message, ...codes);
	return kind === 'connectionLost' ? 'gateway' : kind;
}

/** With 403 too, the words say more than the status. */
function kindOfForbidden(message: string, codes: Codes): FailureKind {
	if ([message, ...codes].some((one = '') => REFUSES_KEY.test(one))) return 'unauthorized';
	return kindByText(message, codes) ?? 'forbidden';
}

function kindOfSuccess(shape: BodyShape): FailureKind {
	if (shape.kind === 'page') return 'notAnApi';
	// Text that begins like JSON is a cut-off answer of a server; other text is from another program ("It works!").
	return shape.kind === 'text' && !/^[{[]/.test(shape.text) ? 'wrongServer' : 'invalidAnswer';
}

function kindOfStatus(refusal: Refusal): FailureKind {
	const { status, shape } = refusal;
	if (status === 404 || status === 405) return namesModel(refusal) ? 'modelNotFound' : 'wrongPath';
	if ([429, 503, 529].includes(status)) return 'busy';
	if (status >= 500) return shape.kind === 'page' ? 'gateway' : 'serverError';
	return 'badRequest';
}

/**
 * Whether an error in JSON names the model that was asked for: a gateway that lacks it says so in its own words (MLflow:
 * "GatewayEndpoint not found (name='m')"; TensorZero: "Unknown function: f" for "tensorzero::function_name::f").
 * Between slashes, the name is a part of a path. A model that is not supported is there, for something else (speaches).
 */
function namesModel({ shape, message, model = '' }: Refusal): boolean {
	if (shape.kind !== 'json' || model === '' || /\bnot supported\b/i.test(message)) return false;
	const name = literalPattern(model.split('::').at(-1) || model);
	return new RegExp(`(?<![\\w/])${name}(?![\\w/])`).test(message);
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
	const match = pattern.exec(message.slice(0, MAX_READ));
	const digits = match?.slice(1).find((group) => group !== undefined);
	return digits === undefined ? undefined : Number(digits);
}
