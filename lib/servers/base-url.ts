import { createServerError } from '../errors/create-error';
import type { ServerAddress } from '../http/types';

/** A version segment such as `v1`, `v1-openai` (GPUStack's frozen alias) or `v1beta`. */
const VERSION = /^v\d[a-z\d]*(?:-openai)?$/i;

/** OpenAI routes that people paste with the base URL, longest first. */
const API_ROUTES = [
	'/chat/completions/input_tokens',
	'/audio/transcriptions',
	'/audio/translations',
	'/images/generations',
	'/chat/completions',
	'/images/edits',
	'/audio/speech',
	'/audio/voices',
	'/completions',
	'/embeddings',
	'/responses',
	'/reranking',
	'/messages',
	'/models',
	'/rerank',
];

/**
 * Routes at the server's root: llama-server's own, Ollama's native ones, and FastAPI's pages that people copy from the
 * browser.
 */
const ROOT_ROUTES =
	/\/(?:health|healthz|props|slots|metrics|version|index\.html|docs|redoc|openapi\.json|completion|infill|embedding|tokenize|detokenize|apply-template|lora-adapters|inference|api\/(?:chat|generate|tags|show|ps|version|embed|pull))$/i;

/**
 * First path segments after the version that belong to a pasted endpoint, not to the base: `/v1/chat`,
 * `/v1/models/NAME`, `/v1/health`.
 */
const ENDPOINT_HEADS = new Set([...API_ROUTES.map((route) => route.split('/')[1]), 'health']);

const OLLAMA_PORT = '11434';

/** Ollama's native API; the group is the path before it. */
const NATIVE_PATH = /^(|\/.*?)\/api(?:\/|$)/i;

const PROXIED_NATIVE_PATH = /^(|\/.*?)(?<=\/ollama)\/api(?:\/|$)/i;

/**
 * The address of Ollama, if a Base URL that ends in `/api` is its native API: only its responses tell that from an API
 * without a version.
 *
 * @returns undefined for an address without that end.
 */
export function toOllamaAddress({
	typed,
	origin,
	root,
	api,
}: ServerAddress): ServerAddress | undefined {
	if (api !== root || !/\/api$/i.test(root)) return undefined;
	const base = root.slice(0, -'/api'.length);
	return { typed, origin, root: base, api: `${base}/v1` };
}

/**
 * Resolves the server's addresses from any form of base URL that people paste: with or without scheme, `/v1`, `/v1/`,
 * `/v1-openai`, a full endpoint such as `/v1/chat/completions`, a path prefix, or spaces around it.
 *
 * `/v1` is added if no version was typed, except for a full endpoint below a path prefix.
 *
 * @param isOllama - Whether the server is Ollama for certain, so that `/api` is its native API. Default: by the port.
 * @throws a `ServerError` of type `invalidUrl` that names the wrong part.
 */
export function resolveBaseUrl(typed: string, isOllama = false): ServerAddress {
	const text = normalizeTyped(typed);
	if (text === '')
		throw createUrlError(
			'empty',
			'The Base URL is empty. Enter the server address, for example http://192.168.1.20:9931',
		);
	const quotedUrl = text.split(/[?#]/, 1)[0]!;
	const url = parseUrl({ text: withScheme(text), quotedUrl });
	const segments = url.pathname.split('/').filter((segment) => segment !== '');
	const { prefix, version } = splitPath(segments, isOllama || url.port === OLLAMA_PORT);
	const root = url.origin + prefix;
	return { typed, origin: url.origin, root, api: root + version };
}

/**
 * Removes what copying leaves behind: line ends, zero-width and byte-order marks, quotes, a comma. Turns backslashes
 * into slashes, and the full-width characters of Chinese and Japanese input methods into those of URLs.
 */
function normalizeTyped(typed: string) {
	const oneLine = typed
		.replace(/[\s\u200B\uFEFF]+/g, (blank) => (blank.includes(' ') ? ' ' : ''))
		.trim();
	return oneLine
		.replace(/[：／．＠？＃]/g, (character) => character.normalize('NFKC'))
		.replaceAll('。', '.')
		.replace(/[,;，；]{1,99}$/, '')
		.replace(/^(["'`<“‘«「])(.*)(["'`>”’»」])$/, '$2')
		.trim()
		.replaceAll('\\', '/');
}

function withScheme(text: string) {
	// A URL pasted after the scheme of the placeholder.
	const singleUrl = text.replace(/^(?:https?:\/\/)+(?=https?:\/\/)/i, '');
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(singleUrl)?.[1];
	if (scheme !== undefined) {
		if (!/^https?$/i.test(scheme))
			throw createUrlError(
				'scheme',
				`The Base URL starts with "${scheme}://", but only http:// and https:// are supported`,
			);
		return singleUrl.replace(/^(https?):\/{3,}/i, '$1://');
	}
	const mistyped = /^(https?)(?:[:;]\/*|\/{1,2})(?!\/)(.+)$/i.exec(singleUrl);
	if (mistyped) return `${mistyped[1]}://${mistyped[2]}`;
	if (singleUrl.startsWith('//')) return `http:${singleUrl}`;
	return `http://${singleUrl}`;
}

/** A URL with its scheme, and as an error quotes it: without query, as it was typed. */
interface TypedUrl {
	text: string;
	quotedUrl: string;
}

function parseUrl({ text, quotedUrl }: TypedUrl) {
	const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';
	if (hasPassword({ authority, text }))
		throw createUrlError(
			'credentials',
			'The Base URL contains a user name or password. Remove them, set Authentication to Basic, and enter them there; a key belongs in the API Key field',
		);
	assertAuthority({ authority, quotedUrl });
	if (!URL.canParse(text))
		throw createUrlError(
			'host',
			`The host name "${authority}" in the Base URL "${quotedUrl}" is not valid`,
		);
	const url = new URL(text);
	if (url.search !== '')
		throw createUrlError(
			'query',
			'The Base URL contains a query string. Remove everything from the question mark on; a key belongs in the API Key field',
		);
	return url;
}

/**
 * Whether the URL contains a password. One with a slash, question mark or hash ends the authority too early:
 * `http://admin:pa/ss@host`.
 */
function hasPassword({ authority, text }: { authority: string; text: string }) {
	if (authority.includes('@')) return true;
	const isPlainAddress = /^(?:[^:.]*\.[^:]*|localhost|\[[^\]]*\])(?::\d*)?$/i.test(authority);
	return (
		authority.includes(':') &&
		!isPlainAddress &&
		/[^/]@/.test(text.slice(text.indexOf(authority) + authority.length))
	);
}

function assertAuthority({ authority, quotedUrl }: { authority: string; quotedUrl: string }) {
	if (/^[^[\]]*:[^[\]]*:/.test(authority))
		throw createUrlError(
			'host',
			`IPv6 addresses need brackets, as in http://[::1]:9931. The Base URL is "${quotedUrl}"`,
		);
	// A bare number would be read as an IPv4 address: 8080 is 0.0.31.144.
	if (/^(?:$|:|\d+(?::\d*)?$)/.test(authority))
		throw createUrlError(
			'host',
			`The Base URL "${quotedUrl}" has no host name. Use the form http://host:port`,
		);
	if (/\s/.test(authority))
		throw createUrlError('host', `The host name in the Base URL "${quotedUrl}" contains a space`);
	const [, port = '1'] = /^(?:\[[^\]]*\]|[^:[]*):(.+)$/.exec(authority) ?? [];
	const isPort = /^\d+$/.test(port) && Number(port) > 0 && Number(port) <= 65535;
	if (!isPort)
		throw createUrlError(
			'port',
			`The port "${port}" in the Base URL "${quotedUrl}" is not a number from 1 to 65535`,
		);
}

/** The two parts of a path. */
interface ApiPath {
	/** Before the API; empty if there is none. */
	prefix: string;
	/** From the version on; empty for an API without one. */
	version: string;
}

function splitPath(segments: string[], isOllama: boolean): ApiPath {
	const versionIndex = segments.findLastIndex((segment) => VERSION.test(segment));
	if (versionIndex >= 0)
		return {
			prefix: joinSegments(segments.slice(0, versionIndex)),
			version: toVersionPath(segments.slice(versionIndex)),
		};
	const path = joinSegments(segments);
	const base = withoutEndpoint(path);
	// The path of Ollama's native API, pasted from its documentation; its OpenAI routes are below `/v1`. A proxy, such as
	// a user interface, may have it below `/ollama`.
	const [, ollamaPrefix] = (isOllama ? NATIVE_PATH : PROXIED_NATIVE_PATH).exec(path) ?? [];
	if (ollamaPrefix !== undefined) return { prefix: ollamaPrefix, version: '/v1' };
	if (base !== path && base !== '') return { prefix: base, version: '' };
	const prefix = base.replace(ROOT_ROUTES, '');
	// User interfaces serve /api/chat/completions and /api/models, without a version.
	return { prefix, version: /\/api$/i.test(prefix) ? '' : '/v1' };
}

/**
 * The path from the version segment on, without a pasted endpoint. Other segments stay, as in
 * `/api/v1/openai/chat/completions`.
 */
function toVersionPath([segment = '', ...segments]: string[]) {
	// llama-server's paths are case-sensitive.
	const version = `/${segment.toLowerCase()}`;
	return ENDPOINT_HEADS.has(segments[0]?.toLowerCase())
		? version
		: version + withoutEndpoint(joinSegments(segments));
}

function withoutEndpoint(path: string): string {
	const route = API_ROUTES.find((candidate) => path.toLowerCase().endsWith(candidate));
	return route === undefined ? path : withoutEndpoint(path.slice(0, -route.length));
}

function joinSegments(segments: string[]) {
	return segments.map((segment) => `/${segment}`).join('');
}

/** @param part - The part of the URL that is not valid. */
function createUrlError(
	part: 'empty' | 'scheme' | 'host' | 'port' | 'credentials' | 'query',
	title: string,
) {
	return createServerError('invalidUrl', {}, { inputWords: { title }, facts: { part } });
}
