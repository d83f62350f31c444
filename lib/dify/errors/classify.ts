import {
	proxyFailureKind,
	isBasic,
	shapeOf,
	type BodyShape,
	type FailedAnswer,
} from '../../errors/failed-answer';
import type { DifyKind, FailureKind } from '../../errors/kinds';
import { maskedStart } from '../../errors/secrets';
import { DIFY_CODES, DIFY_TEXTS, VAGUE_CODES } from './error-codes';
import { recordOf, isRecord, finiteNumber, nonEmptyText, optional, shortened } from '../../values';
import { readProviderError } from './provider-error';
import type { RunError, RunErrorCause } from '../types';

/** An answer of Dify, or of anything in front of it, that is not what was asked for. */
export interface DifyAnswer extends Pick<FailedAnswer, 'status' | 'contentType' | 'challenge'> {
	body?: string;
	/** Default POST, the safe assumption: it is not retried. */
	method?: string;
	/** Masked before anything is cut: half a key would not be recognized. */
	secrets?: readonly string[];
}

export interface DifyFailure {
	/** Dify's own code, where the body has one. */
	code?: string;
	/** The HTTP status; for an error inside a 200 answer the status that it names. */
	status: number;
	kind: FailureKind;
	/** Text of the answer: one to three lines without keys. Absent where there is none. */
	serverText?: string;
	/** Whether the request may be retried: nothing was started, or it was a GET. */
	retryable: boolean;
}

/** Keys of Dify and of model providers: removed from whatever a server echoes. */
const KEYS = /\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{8,}|\bBearer\s+\S+/g;

/**
 * Knowledge limits of a plan come as plain 403 `forbidden` (docs/protocols/dify.md 2.13); only the text tells them from
 * a bad key.
 */
const PLAN_LIMIT = /subscription|\bplan\b|request rate limit|capacity|upgrade/i;
/** Patterns see no more characters: a megabyte of text would keep n8n busy for minutes. */
const MAX_READ = 8_000;
const MAX_MESSAGE = 1000;
const MAX_FOREIGN = 200;

/**
 * Describes any failed answer: Dify's envelope, HTML of a front end or proxy, plain text, nothing at all. Never throws.
 * Sources: docs/protocols/dify.md 1.3, 5, 6.
 */
export function describeDifyFailure(answer: DifyAnswer): DifyFailure {
	const body = answer.body ?? '';
	const shape = shapeOf({ body, contentType: answer.contentType }, answer.secrets);
	const method = (answer.method ?? 'POST').toUpperCase();
	if (shape.kind === 'json') return describeEnvelope(shape.json, answer, method);
	const kind = foreignKind(answer, shape, body);
	const { status } = answer;
	const serverText = foreignText(shape);
	return { status, kind, retryable: retryable(kind, status, method), ...optional({ serverText }) };
}

function foreignText(shape: BodyShape): string | undefined {
	if (shape.kind === 'empty' || shape.kind === 'json') return undefined;
	const text = cleanMessage(shape.kind === 'page' ? shape.title : shape.text);
	return text && shortened(text, MAX_FOREIGN);
}

function describeEnvelope(
	envelope: Record<string, unknown>,
	answer: DifyAnswer,
	method: string,
): DifyFailure {
	// An error inside a 200 answer (docs/protocols/dify.md 3.9) names its status itself.
	const status =
		answer.status >= 400 ? answer.status : (finiteNumber(envelope.status) ?? answer.status);
	const code = nonEmptyText(envelope.code);
	const message =
		nonEmptyText(envelope.message) ??
		nonEmptyText(envelope.error) ??
		nonEmptyText(recordOf(envelope.error).message) ??
		nonEmptyText(envelope.detail);
	const { challenge, secrets } = answer;
	const { kind, serverText } = classify({ code, message, status, envelope, challenge, secrets });
	const isRetryable = retryable(kind, status, method);
	return { status, kind, retryable: isRetryable, ...shownOf(code, serverText) };
}

/**
 * Describes the error of a run that was answered with 200 (`RunResult.error`). Such a run was started, so it may only
 * be retried when Dify refused it for too many runs at once.
 */
export function describeRunError({ cause, code, status, message }: RunError): DifyFailure {
	const { kind, serverText } = classify({ cause, code, message, status });
	const isRetryable = kind === 'tooManyRequests';
	return { status: status ?? 200, kind, retryable: isRetryable, ...shownOf(code, serverText) };
}

/** What is known of an error, wherever it stands. */
interface Evidence {
	code?: string;
	message?: string;
	status?: number;
	/** How a run ended. */
	cause?: RunErrorCause;
	/** The body that held the error. */
	envelope?: Record<string, unknown>;
	challenge?: string;
	secrets?: readonly string[];
}

/** Ways to tell the kind of an error, the surest first. */
const CLASSIFIERS: ReadonlyArray<
	(evidence: Evidence, serverText?: string) => FailureKind | undefined
> = [
	({ cause }) => (cause === undefined ? undefined : CAUSES[cause]),
	kindOfCode,
	kindOfForeignEnvelope,
	({ cause }) => (cause === 'refused' ? 'runFailed' : undefined),
	({ status }) => (status === undefined ? undefined : kindOfStatus(status)),
];

/** The kind of an error of Dify, and its text. Errors of plugins and models come before all others. */
function classify(evidence: Evidence): { kind: FailureKind; serverText?: string } {
	const { code, message, secrets } = evidence;
	const mayBePassedOn = message !== undefined && (code === undefined || PASSED_ON.has(code));
	const provider = mayBePassedOn ? readProviderError(message) : undefined;
	const serverText = cleanMessage(provider?.serverText ?? message, secrets);
	if (provider !== undefined) return { kind: provider.kind, serverText };
	for (const kindOf of CLASSIFIERS) {
		const kind = kindOf(evidence, serverText);
		if (kind !== undefined) return { kind, serverText };
	}
	return { kind: 'unknown', serverText };
}

const CAUSES: Partial<Record<RunErrorCause, DifyKind>> = {
	runFailed: 'runFailed',
	endedEarly: 'streamEndedEarly',
	notFinished: 'streamEndedEarly',
	textLost: 'streamEndedEarly',
	cancelled: 'cancelled',
	idle: 'timeout',
	queued: 'queued',
};

/** Codes under which Dify passes on errors of plugins and models. Errors without a code may be such, too. */
const PASSED_ON: ReadonlySet<string> = new Set([
	...VAGUE_CODES,
	'completion_request_error',
	'internal_server_error',
	'unknown',
]);

function shownOf(
	code: string | undefined,
	serverText: string | undefined,
): Pick<DifyFailure, 'code' | 'serverText'> {
	return optional({ code: code?.replace(KEYS, '[key]'), serverText });
}

/** Kind of an error by Dify's code and text; undefined where neither is known. */
function kindOfCode({ code }: Evidence, serverText: string | undefined): DifyKind | undefined {
	const byCode = code === undefined ? undefined : DIFY_CODES[code];
	if (byCode !== undefined && !VAGUE_CODES.has(code ?? '')) return byCode;
	if (serverText === undefined) return byCode;
	// Newer workers wrap what used to be 400 or 404 into status 500 without a code, so the text comes before the status.
	const byText = DIFY_TEXTS.find(([pattern]) => pattern.test(serverText))?.[1];
	if (byText !== undefined) return byText;
	return byCode === 'forbidden' && PLAN_LIMIT.test(serverText) ? 'planLimit' : byCode;
}

/** Only after these it is certain that nothing ran (docs/protocols/dify.md 5.3). A GET may always be retried. */
function retryable(kind: FailureKind, status: number, method: string): boolean {
	if (kind === 'tooManyRequests' || kind === 'rateLimited') return true;
	return method === 'GET' && [429, 502, 503, 504].includes(status) && kind !== 'quota';
}

/**
 * Kind of an answer that is not from Dify, whose errors are JSON with a code (docs/protocols/dify.md 1.3), and its
 * answers JSON.
 */
function foreignKind(answer: DifyAnswer, shape: BodyShape, body: string): FailureKind {
	const { status } = answer;
	if (shape.kind === 'page' && isFrontend(status, body)) return 'webFrontend';
	const byText = shape.kind === 'text' ? kindOfPlainText(status, shape.text) : undefined;
	const byProxy = byText ?? proxyFailureKind({ ...answer, body }, shape);
	if (byProxy !== undefined) return byProxy;
	return status === 401 || status === 403 ? 'proxyRefuses' : kindOfStatus(status);
}

/**
 * Whether a page is that of Dify's web front end: Next.js leaves its traces in every page, and the API itself never
 * answers HTML with 200 (docs/protocols/dify.md 1.1, 6.3).
 */
function isFrontend(status: number, page: string): boolean {
	return status < 300 || /\/_next\/|__next|self\.__next_f/i.test(page.slice(0, 64 * 1024));
}

function kindOfPlainText(status: number, text: string): FailureKind | undefined {
	// Cloudflare's codes for a rate limit (docs/protocols/dify.md 5.2).
	if (/^error code: 10(?:15|27)\b/.test(text)) return 'rateLimited';
	return status < 300 ? 'wrongServer' : undefined;
}

/** Kind of JSON without Dify's code: from an API gateway, or an OpenAI-compatible server, whose errors are objects. */
function kindOfForeignEnvelope({ envelope, status, challenge }: Evidence): FailureKind | undefined {
	if (envelope === undefined || status === undefined) return undefined;
	if (nonEmptyText(envelope.code) !== undefined) return undefined;
	if (status === 401 && isBasic(challenge)) return 'proxyPassword';
	if (isRecord(envelope.error)) return kindOfErrorObject(status);
	return status === 401 || status === 403 ? 'proxyRefuses' : undefined;
}

/** Kind of an error that is an object: with a success status it is that of a gateway. */
function kindOfErrorObject(status: number): FailureKind | undefined {
	if (status < 300) return 'serverError';
	return status >= 400 && status < 500 && status !== 429 ? 'wrongServer' : undefined;
}

const STATUS_KINDS: Readonly<Record<number, DifyKind>> = {
	400: 'requestFormat',
	401: 'unauthorized',
	403: 'forbidden',
	404: 'routeNotFound',
	405: 'routeNotFound',
	408: 'gateway',
	413: 'fileTooLarge',
	415: 'requestFormat',
	429: 'rateLimited',
	502: 'gateway',
	503: 'gateway',
	// 504 and 524 are time limits of a proxy.
	504: 'gateway',
};

/** Kind of an error by its status alone: from proxies and web servers in between. */
function kindOfStatus(status: number): DifyKind {
	const kind = STATUS_KINDS[status];
	if (kind !== undefined) return kind;
	// Cloudflare's, which stands in front of Dify Cloud and of tunnels (530 where the tunnel is down).
	if (status >= 520 && status <= 530) return 'gateway';
	if (status >= 500) return 'serverError';
	if (status >= 400 || status < 200) return 'unknown';
	return status >= 300 ? 'redirect' : 'emptyAnswer';
}

/** The message without keys and noise; undefined when nothing is left. */
function cleanMessage(
	message: string | undefined,
	secrets?: readonly string[],
): string | undefined {
	if (message === undefined) return undefined;
	// The framework suggests other routes after a 404 text, which is about IDs, not routes (docs/protocols/dify.md 6.3).
	const own = maskedStart(message, MAX_READ, secrets)
		.replace(/\s{0,9}You have requested this URI \[[\s\S]*$/, '')
		// For a value that the database cannot read, the answer has the whole SQL statement (docs/protocols/dify.md 2.13).
		.replace(/\n(?:LINE \d+:|\[SQL:)[\s\S]*$/, '');
	const cleaned = shortened(summarizePydantic(own).replace(KEYS, '[key]').trim(), MAX_MESSAGE);
	return cleaned === '' ? undefined : cleaned;
}

/**
 * Pydantic's texts run over many lines and echo what was sent, which may be private (docs/protocols/dify.md 6.2). Keeps
 * field and problem of the first three.
 */
function summarizePydantic(message: string): string {
	const lines = message.split(/\r?\n/);
	const head = lines[0] ?? '';
	if (!/^\d+ validation errors? for /.test(head)) return message;
	const problems: string[] = [];
	lines.slice(1).forEach((line, at) => {
		const problem = /^ {2}(\S.*?)(?: \[type=.*)?$/.exec(line)?.[1];
		// lines[at] is the line before this one: the path of the field, or the heading when the whole body is meant.
		const field = lines[at] ?? '';
		if (problem !== undefined)
			problems.push(/^\s|^$/.test(field) || at === 0 ? problem : `${field}: ${problem}`);
	});
	return [head, ...problems.slice(0, 3)].join('\n');
}
