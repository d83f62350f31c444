import { DIFY_CODES, DIFY_REMEDIES, DIFY_TEXTS, VAGUE_CODES, kindOfStatus, type DifyFailureKind } from './codes';
import { fields, isFields, number, parseJson, text } from './read';
import type { RunError, RunErrorCause } from './types';

/** An answer of Dify, or of anything in front of it, that is not what was asked for. */
export interface DifyAnswer {
	/** HTTP status. */
	status: number;
	/** The body as text, or already parsed; absent and null count as empty. */
	body?: unknown;
	contentType?: string;
	/** The address asked; it is named in remedies, without user, password and query. */
	url?: string;
	/** Default POST: what cannot be repeated safely is the safe assumption. */
	method?: string;
}

export interface DifyFailure {
	/** Dify's own code, where the body has one. */
	code?: string;
	/** The HTTP status; for an error inside a 200 answer the status that it names. */
	status: number;
	kind: DifyFailureKind;
	/** One to three lines, never empty, without keys. */
	message: string;
	/** What the user can do. */
	remedy: string;
	/** True when the same request may be sent again: nothing was started, or it was a GET that may do better next time. */
	retryable: boolean;
}

/** Keys of Dify and of model providers; nothing that a server echoes may carry them into a log. */
const KEYS = /\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{8,}|\bBearer\s+\S+/g;

/** Knowledge limits of a plan come as plain 403 `forbidden` (contract 2.13); only the text tells them from a bad key. */
const PLAN_LIMIT = /subscription|\bplan\b|request rate limit|capacity|upgrade/i;
/** Patterns look no further: a megabyte of the wrong text would keep n8n busy for minutes. */
const MOST_READ = 8_000;
const MOST_OF_A_PAGE = 16_000;
const MAX_MESSAGE = 1000;
const MAX_FOREIGN = 200;

/**
 * Describes any failed answer: Dify's envelope, HTML of a front end or proxy, plain text, nothing at all. Never throws.
 * Sources: contract sections 1.3, 5, 6.
 */
export function describeDifyFailure(answer: DifyAnswer): DifyFailure {
	const body = readBody(answer.body, answer.contentType ?? '');
	const method = (answer.method ?? 'POST').toUpperCase();
	if (body.kind === 'json') return describeEnvelope(body.fields, answer, method);
	const kind = foreignKind(answer.status, body);
	return {
		status: answer.status,
		kind,
		message: body.text === '' ? statusText(answer.status) : shorten(body.text, MAX_FOREIGN),
		remedy: remedyOf(kind, answer.url),
		retryable: retryable(kind, answer.status, method),
	};
}

function describeEnvelope(envelope: Record<string, unknown>, answer: DifyAnswer, method: string): DifyFailure {
	// An error inside a 200 answer (contract 3.9) names its status itself.
	const ownStatus = number(envelope.status);
	const status = answer.status >= 400 ? answer.status : (ownStatus ?? answer.status);
	const message = cleanMessage(
		text(envelope.message) ?? text(envelope.error) ?? text(fields(envelope.error).message) ?? text(envelope.detail),
	);
	const code = text(envelope.code);
	const kind = classify(code, status, message);
	return {
		code,
		status,
		kind,
		message: message ?? defaultMessage(kind, code, status),
		remedy: remedyOf(kind, answer.url),
		retryable: retryable(kind, status, method),
	};
}

const CAUSES: Partial<Record<RunErrorCause, DifyFailureKind>> = {
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
export function describeRunError(error: RunError, url?: string): DifyFailure {
	const status = error.status ?? 200;
	const message = cleanMessage(error.message) ?? statusText(status);
	const kind = CAUSES[error.cause] ?? classify(error.code, error.status, message);
	return {
		code: error.code,
		status,
		kind,
		message,
		remedy: remedyOf(kind, url),
		retryable: kind === 'tooManyRequests',
	};
}

function classify(code: string | undefined, status: number | undefined, message: string | undefined): DifyFailureKind {
	const byCode = code === undefined ? undefined : DIFY_CODES[code];
	if (byCode !== undefined && !VAGUE_CODES.has(code ?? '')) return byCode;
	// Newer workers wrap what used to be 400 or 404 into status 500 without a code, so the text comes before the status.
	const byText = message === undefined ? undefined : DIFY_TEXTS.find(([pattern]) => pattern.test(message))?.[1];
	if (byText !== undefined) return byText;
	if (status === 403 && message !== undefined && PLAN_LIMIT.test(message)) return 'planLimit';
	if (byCode !== undefined) return byCode;
	return status === undefined ? 'unknown' : kindOfStatus(status);
}

/** Only these leave it certain that nothing ran (contract 5.3). A GET changes nothing, so it may also try its luck. */
function retryable(kind: DifyFailureKind, status: number, method: string): boolean {
	if (kind === 'tooManyRequests' || kind === 'rateLimited') return true;
	return method === 'GET' && [429, 502, 503, 504].includes(status) && kind !== 'quota';
}

type Body =
	| { kind: 'json'; fields: Record<string, unknown> }
	| { kind: 'html'; text: string; source: string }
	| { kind: 'text'; text: string }
	| { kind: 'empty'; text: '' };

/** By what it is rather than by its label: proxies and foreign layers label JSON and pages as they like. */
function readBody(body: unknown, contentType: string): Body {
	const parsed: unknown = typeof body === 'string' ? parseJson(body) : body;
	if (isFields(parsed)) return { kind: 'json', fields: parsed };
	const source = typeof body === 'string' ? body.trim() : '';
	// Dify answers JSON null where it has no audio; that is no more than nothing.
	if (source === '' || source === 'null') return { kind: 'empty', text: '' };
	if (/^(?:<!--|<!doctype html|<html|<head|<\?xml)/i.test(source) || /\bhtml\b/i.test(contentType)) {
		return { kind: 'html', text: htmlTitle(source), source };
	}
	return { kind: 'text', text: cleanMessage(source) ?? '' };
}

function foreignKind(status: number, body: Body): DifyFailureKind {
	if (body.kind === 'html') {
		// Next.js leaves its traces in every page; the API itself never answers HTML with 200 (contract 1.1, 6.3).
		if (status < 300 || /\/_next\/|__next|self\.__next_f/i.test(body.source)) return 'webFrontend';
		return kindOfStatus(status);
	}
	// Cloudflare's codes for a rate limit, sent as plain text (contract 5.2).
	if (body.kind === 'text' && /^error code: 10(?:15|27)\b/.test(body.text)) return 'rateLimited';
	return kindOfStatus(status);
}

/** The title of a page, or its heading; the rest of an HTML error page helps nobody. */
function htmlTitle(source: string): string {
	const beginning = source.slice(0, MOST_OF_A_PAGE);
	const found = /<title[^>]*>([^<]*)/i.exec(beginning) ?? /<h1[^>]*>([^<]*)/i.exec(beginning);
	return found?.[1] === undefined ? '' : (cleanMessage(unescapeHtml(found[1])) ?? '');
}

function unescapeHtml(source: string): string {
	const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' };
	return source.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => names[name] ?? '');
}

/** Undefined when nothing is left: messages may be null, empty or blank. */
function cleanMessage(message: string | undefined): string | undefined {
	if (message === undefined) return undefined;
	// The framework offers other routes after a 404 text, which is about ids and not about routes (contract 6.3).
	const own = message.slice(0, MOST_READ).replace(/\s*You have requested this URI \[[\s\S]*$/, '');
	const cleaned = shorten(summarizePydantic(own).replace(KEYS, '[key]').trim(), MAX_MESSAGE);
	return cleaned === '' ? undefined : cleaned;
}

/**
 * Pydantic's texts run over many lines and echo what was sent, which may be private (contract 6.2). Kept: the field and what
 * is wrong with it, for the first three.
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

function shorten(message: string, most: number): string {
	const letters = [...message];
	return letters.length <= most ? message : `${letters.slice(0, most - 1).join('')}…`;
}

function defaultMessage(kind: DifyFailureKind, code: string | undefined, status: number): string {
	return code === undefined
		? `${statusText(status)} (${kind}, no message)`
		: `Dify answered ${status} ${code} without a message`;
}

const STATUS_TEXTS: Record<number, string> = {
	400: 'Bad Request',
	401: 'Unauthorized',
	403: 'Forbidden',
	404: 'Not Found',
	405: 'Method Not Allowed',
	408: 'Request Timeout',
	413: 'Content Too Large',
	415: 'Unsupported Media Type',
	429: 'Too Many Requests',
	500: 'Internal Server Error',
	502: 'Bad Gateway',
	503: 'Service Unavailable',
	504: 'Gateway Timeout',
	524: 'A Timeout Occurred',
};

function statusText(status: number): string {
	const known = STATUS_TEXTS[status];
	return known === undefined ? `The server answered with HTTP status ${status}` : `HTTP ${status} ${known}`;
}

/** The address belongs into the remedy where it may be what is wrong. */
function remedyOf(kind: DifyFailureKind, url: string | undefined): string {
	const remedy = DIFY_REMEDIES[kind];
	const named = kind === 'webFrontend' || kind === 'routeNotFound' || kind === 'redirect' || kind === 'emptyAnswer';
	const address = url === undefined || !named ? undefined : plainUrl(url);
	return address === undefined ? remedy : `${remedy} Asked: ${address}`;
}

function plainUrl(url: string): string {
	return url.replace(/[?#].*$/s, '').replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1');
}
