import { proxyFailureKind, isBasic, shapeOf, type BodyShape, type FailedAnswer } from '../errors/failed-answer';
import type { DifyKind, FailureKind } from '../errors/kinds';
import { DIFY_CODES, DIFY_TEXTS, VAGUE_CODES } from './codes';
import { recordOf, isRecord, finiteNumber, nonEmptyText, optional, shortened } from '../values';
import { readProviderError } from './provider-error';
import type { RunError, RunErrorCause } from './types';

/** An answer of Dify, or of anything in front of it, that is not what was asked for. */
export interface DifyAnswer extends Pick<FailedAnswer, 'status' | 'contentType' | 'challenge'> {
	body?: string;
	/** Default POST: what cannot be repeated safely is the safe assumption. */
	method?: string;
}

export interface DifyFailure {
	/** Dify's own code, where the body has one. */
	code?: string;
	/** The HTTP status; for an error inside a 200 answer the status that it names. */
	status: number;
	kind: FailureKind;
	/** What Dify, or whatever answered, said: one to three lines without keys. Absent where it said nothing. */
	said?: string;
	/**
	 * True when the same request may be sent again: nothing was started, or it was a GET that may do better next time.
	 */
	retryable: boolean;
}

/** Keys of Dify and of model providers; nothing that a server echoes may carry them into a log. */
const KEYS = /\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{8,}|\bBearer\s+\S+/g;

/**
 * Knowledge limits of a plan come as plain 403 `forbidden` (docs/protocols/dify.md 2.13); only the text tells them from
 * a bad key.
 */
const PLAN_LIMIT = /subscription|\bplan\b|request rate limit|capacity|upgrade/i;
/** Patterns look no further: a megabyte of the wrong text would keep n8n busy for minutes. */
const MAX_READ = 8_000;
const MAX_MESSAGE = 1000;
const MAX_FOREIGN = 200;

/**
 * Describes any failed answer: Dify's envelope, HTML of a front end or proxy, plain text, nothing at all. Never throws.
 * Sources: docs/protocols/dify.md 1.3, 5, 6.
 */
export function describeDifyFailure(answer: DifyAnswer): DifyFailure {
	const body = answer.body ?? '';
	const shape = shapeOf({ body, contentType: answer.contentType });
	const method = (answer.method ?? 'POST').toUpperCase();
	if (shape.kind === 'json') return describeEnvelope(shape.json, answer, method);
	const kind = foreignKind(answer, shape, body);
	const said = shape.kind === 'empty' ? undefined : cleanMessage(shape.kind === 'page' ? shape.title : shape.text);
	const { status } = answer;
	const shown = optional({ said: said && shortened(said, MAX_FOREIGN) });
	return { status, kind, retryable: retryable(kind, status, method), ...shown };
}

function describeEnvelope(envelope: Record<string, unknown>, answer: DifyAnswer, method: string): DifyFailure {
	// An error inside a 200 answer (docs/protocols/dify.md 3.9) names its status itself.
	const status = answer.status >= 400 ? answer.status : (finiteNumber(envelope.status) ?? answer.status);
	const code = nonEmptyText(envelope.code);
	const { said, provider } = readSaid(
		code,
		nonEmptyText(envelope.message) ??
			nonEmptyText(envelope.error) ??
			nonEmptyText(recordOf(envelope.error).message) ??
			nonEmptyText(envelope.detail),
	);
	const kind =
		provider ??
		classify(code, said) ??
		foreignEnvelope(envelope, status, answer.challenge) ??
		// The error of a gateway, under a status that says success.
		(status < 300 && isRecord(envelope.error) ? 'serverError' : kindOfStatus(status));
	return { status, kind, retryable: retryable(kind, status, method), ...shownOf(code, said) };
}

const CAUSES: Partial<Record<RunErrorCause, DifyKind>> = {
	runFailed: 'runFailed',
	endedEarly: 'streamEndedEarly',
	notFinished: 'streamEndedEarly',
	cancelled: 'cancelled',
	idle: 'timeout',
	queued: 'queued',
	otherConversation: 'conversationNotFound',
};

/**
 * Describes the error of a run that was answered with 200 (`RunResult.error`). Such a run was started, so it is only
 * repeatable when Dify refused it for being too many at once.
 */
export function describeRunError(error: RunError): DifyFailure {
	const { said, provider } = readSaid(error.code, error.message);
	const kind =
		provider ??
		CAUSES[error.cause] ??
		classify(error.code, said) ??
		(error.cause === 'refused' ? 'runFailed' : error.status === undefined ? 'unknown' : kindOfStatus(error.status));
	const { code, status = 200 } = error;
	return { status, kind, retryable: kind === 'tooManyRequests', ...shownOf(code, said) };
}

/** Codes under which Dify hands on what a plugin or a model said; where there is no code, that may be so as well. */
const HANDED_ON: ReadonlySet<string> = new Set([
	...VAGUE_CODES,
	'completion_request_error',
	'internal_server_error',
	'unknown',
]);

function shownOf(code: string | undefined, said: string | undefined): Pick<DifyFailure, 'code' | 'said'> {
	return optional({ code: code?.replace(KEYS, '[key]'), said });
}

/** The text of an answer, and the kind where it is that of a plugin or of the model behind Dify. */
function readSaid(code: string | undefined, message: string | undefined): { said?: string; provider?: DifyKind } {
	const mayBeHandedOn = message !== undefined && (code === undefined || HANDED_ON.has(code));
	const provider = mayBeHandedOn ? readProviderError(message) : undefined;
	return { said: cleanMessage(provider?.said ?? message), provider: provider?.kind };
}

/** What Dify means by a code and a text; undefined where neither says anything. */
function classify(code: string | undefined, message: string | undefined): DifyKind | undefined {
	const byCode = code === undefined ? undefined : DIFY_CODES[code];
	if (byCode !== undefined && !VAGUE_CODES.has(code ?? '')) return byCode;
	// Newer workers wrap what used to be 400 or 404 into status 500 without a code, so the text comes before the status.
	const byText = message === undefined ? undefined : DIFY_TEXTS.find(([pattern]) => pattern.test(message))?.[1];
	if (byText !== undefined) return byText;
	if (byCode === 'forbidden' && message !== undefined && PLAN_LIMIT.test(message)) return 'planLimit';
	return byCode;
}

/**
 * Only these leave it certain that nothing ran (docs/protocols/dify.md 5.3). A GET changes nothing, so it may also try
 * its luck.
 */
function retryable(kind: FailureKind, status: number, method: string): boolean {
	if (kind === 'tooManyRequests' || kind === 'rateLimited') return true;
	return method === 'GET' && [429, 502, 503, 504].includes(status) && kind !== 'quota';
}

/** What answers is no Dify: its errors are JSON with a code (docs/protocols/dify.md 1.3), and its answers JSON. */
function foreignKind(answer: DifyAnswer, shape: BodyShape, body: string): FailureKind {
	const { status } = answer;
	if (shape.kind === 'page') {
		// Next.js leaves its traces in every page; the API itself never answers HTML with 200 (docs/protocols/dify.md 1.1,
		// 6.3).
		if (status < 300 || /\/_next\/|__next|self\.__next_f/i.test(body.slice(0, 64 * 1024))) return 'webFrontend';
	}
	// Cloudflare's codes for a rate limit, sent as plain text (docs/protocols/dify.md 5.2).
	if (shape.kind === 'text' && /^error code: 10(?:15|27)\b/.test(shape.text)) return 'rateLimited';
	if (status < 300 && shape.kind === 'text') return 'wrongServer';
	const between = proxyFailureKind({ ...answer, body }, shape);
	if (between !== undefined) return between;
	if (status === 401 || status === 403) return 'proxyRefuses';
	return kindOfStatus(status);
}

/** JSON without Dify's code: an API gateway that refuses, or an OpenAI-compatible server, whose errors are objects. */
function foreignEnvelope(
	envelope: Record<string, unknown>,
	status: number,
	challenge: string | undefined,
): FailureKind | undefined {
	if (nonEmptyText(envelope.code) !== undefined) return undefined;
	if (status === 401 && isBasic(challenge)) return 'proxyPassword';
	if (isRecord(envelope.error) && status >= 400 && status < 500 && status !== 429) return 'wrongServer';
	return status === 401 || status === 403 ? 'proxyRefuses' : undefined;
}

/** What a bare status means when nothing Dify wrote came with it: proxies, edges and web servers in between. */
export function kindOfStatus(status: number): DifyKind {
	if (status === 401) return 'unauthorized';
	if (status === 403) return 'forbidden';
	if (status === 404 || status === 405) return 'routeNotFound';
	if (status === 413) return 'fileTooLarge';
	if (status === 429) return 'rateLimited';
	if (status === 415 || status === 400) return 'requestFormat';
	// 504 and 524 are time limits of a proxy; 520 to 530 are Cloudflare's, which stands in front of Dify Cloud and of
	// tunnels (530 where the tunnel is down).
	if ((status >= 502 && status <= 504) || (status >= 520 && status <= 530) || status === 408) return 'gateway';
	if (status >= 500) return 'serverError';
	if (status >= 300 && status < 400) return 'redirect';
	if (status >= 200 && status < 300) return 'emptyAnswer';
	return 'unknown';
}

/** Undefined when nothing is left: messages may be null, empty or blank. */
function cleanMessage(message: string | undefined): string | undefined {
	if (message === undefined) return undefined;
	// The framework offers other routes after a 404 text, which is about ids and not about routes
	// (docs/protocols/dify.md 6.3).
	const own = message
		.slice(0, MAX_READ)
		.replace(/\s{0,9}You have requested this URI \[[\s\S]*$/, '')
		// A value that the database cannot read is answered with the whole statement (docs/protocols/dify.md 2.13).
		.replace(/\n(?:LINE \d+:|\[SQL:)[\s\S]*$/, '');
	const cleaned = shortened(summarizePydantic(own).replace(KEYS, '[key]').trim(), MAX_MESSAGE);
	return cleaned === '' ? undefined : cleaned;
}

/**
 * Pydantic's texts run over many lines and echo what was sent, which may be private (docs/protocols/dify.md 6.2). Kept:
 * the field and what is wrong with it, for the first three.
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
		if (problem !== undefined) problems.push(/^\s|^$/.test(field) || at === 0 ? problem : `${field}: ${problem}`);
	});
	return [head, ...problems.slice(0, 3)].join('\n');
}
