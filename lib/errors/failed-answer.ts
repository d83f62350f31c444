import type { NetworkKind } from './kinds';
import { isCloudflare } from './remedies/network';
import { excessIn, parseObject } from '../json';
import { isRecord, type JsonRecord } from '../values';
import { html, unescape } from './encodings';
import { maskedStart } from './secrets';

/** A failed answer as it arrived. */
export interface FailedAnswer {
	status: number;
	/** The status to classify it by, where `status` says nothing (an error under 200). */
	readAs?: number;
	body: string;
	contentType?: string;
	/** The header `location`. */
	location?: string;
	/** No key was sent. */
	keyMissing?: boolean;
	/** The header `www-authenticate`. */
	challenge?: string;
	/** It has the header of one-api and New API, which hand on the refusals of the servers behind them. */
	isRelayed?: boolean;
}

/** What a body really is: proxies and wrappers send JSON and pages under any content type. */
export type BodyShape =
	| { kind: 'json'; json: JsonRecord }
	| { kind: 'page'; /** Title or heading. */ title: string; /** All its text. */ text: string }
	| { kind: 'text'; text: string }
	| { kind: 'empty' };

/**
 * Far more than any server says about an error. Patterns read no further: on a megabyte of the wrong text they would
 * block n8n for minutes.
 */
export const MAX_READ = 4_000;
/** The same for a page, whose title is near the beginning. */
const MAX_OF_PAGE = 16_000;

const PAGE_BEGINS = /^\s*<(?:!doctype html|!--|html|head|body|\?xml)/i;

export function looksLikeHtml(body: string, contentType = ''): boolean {
	return /text\/html/i.test(contentType) || PAGE_BEGINS.test(body);
}

/**
 * What a body is. What is no JSON is masked before it is cut or changed: half a key, or an encoding without its line
 * breaks, would not be recognized.
 */
export function shapeOf(
	{ body, contentType }: Pick<FailedAnswer, 'body' | 'contentType'>,
	secrets?: readonly string[],
): BodyShape {
	const json = parseObject(body);
	if (json !== undefined) return { kind: 'json', json };
	const excess = excessIn(body);
	if (excess !== undefined) return { kind: 'text', text: excess };
	const bare = maskedStart(body, MAX_OF_PAGE, secrets).trim();
	// Dify sends JSON null where it has nothing to return.
	if (bare === '' || bare === 'null') return { kind: 'empty' };
	if (looksLikeHtml(bare, contentType)) return { kind: 'page', ...pageText(bare) };
	return { kind: 'text', text: plainText(bare) };
}

function pageText(page: string): { title: string; text: string } {
	const heading = /<title[^<>]*>([^<]*)/i.exec(page) ?? /<h1[^<>]*>([^<]*)/i.exec(page);
	return { title: plainText(heading?.[1] ?? ''), text: plainText(page) };
}

function plainText(source: string): string {
	const bare = source.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^<>]*>/g, ' ');
	return (unescape(bare, html) ?? bare).replace(/\s+/g, ' ').trim().slice(0, MAX_READ);
}

/** Share of such characters from which on a text counts as binary data. */
const MAX_NOISE = 0.05;

/** Whether a text is binary data that was decoded as text: it has control characters or invalid UTF-8. */
export function isBinary(text: string): boolean {
	const start = text.slice(0, MAX_READ);
	const odd = start.match(/[^\P{Cc}\t\n\v\f\r]|\ufffd/gu)?.length ?? 0;
	return odd > start.length * MAX_NOISE;
}

/** A server's text as it can be shown: a page by its title or its text, and nothing of binary data. */
export function readableText(serverText: string): string {
	if (isBinary(serverText)) return '';
	if (!PAGE_BEGINS.test(serverText)) return serverText;
	const shape = shapeOf({ body: serverText });
	return shape.kind === 'page' ? shape.title || shape.text : serverText;
}

/** Whether `www-authenticate` asks for user and password, and for nothing else. */
export function isBasic(challenge = ''): boolean {
	return /\bbasic\b/i.test(challenge) && !/\bbearer\b/i.test(challenge);
}

/** Cloudflare's refusals as plain text; 1015 and 1027 are its rate limits. */
const CLOUDFLARE_REFUSAL = /^error code: 10(?!15|27)\d\d\b/;

/** A page (a login, nginx, a bot check), or one of Cloudflare's codes. */
function isProxyRefusal(shape: BodyShape): boolean {
	return shape.kind === 'page' || (shape.kind === 'text' && CLOUDFLARE_REFUSAL.test(shape.text));
}

/**
 * The kind of a failure that comes from a proxy: model servers and Dify send their own refusals as JSON. Undefined
 * where the server's own text decides.
 */
export function proxyFailureKind(
	{ status, challenge }: FailedAnswer,
	shape: BodyShape,
): NetworkKind | undefined {
	if (status >= 300 && status < 400) return 'redirect';
	if (status === 407) return 'proxy';
	if (status === 401 && isBasic(challenge) && !isErrorOfApi(shape)) return 'proxyPassword';
	if ([401, 403].includes(status) && isProxyRefusal(shape)) return 'proxyRefuses';
	return isFailedGateway(status, shape) ? 'gateway' : undefined;
}

/** An error as model servers send it. llama-swap asks for a password too, so that browsers can send the key. */
function isErrorOfApi(shape: BodyShape): boolean {
	return shape.kind === 'json' && isRecord(shape.json.error);
}

function isFailedGateway(status: number, shape: BodyShape): boolean {
	return isGatewayStatus(status) && !isOverload(status, shape);
}

/** 503 of a server; 529 of gateways to Anthropic, with which Cloudflare sends a page. */
function isOverload(status: number, shape: BodyShape): boolean {
	return (status === 503 || status === 529) && shape.kind === 'json';
}

export function isGatewayStatus(status: number): boolean {
	return [502, 503, 504, 529].includes(status) || isCloudflare(status);
}
