/** The places a server is reached at, worked out once from what the user typed into the Base URL field. */
export interface ResolvedBaseUrl {
	/** What the user typed, untouched. */
	typed: string;
	/** Scheme, host and port, for example `http://10.0.0.5:8080`. */
	origin: string;
	/** Where `/health`, `/props` and `/api/tags` live: origin plus a path prefix, no trailing slash. */
	root: string;
	/** Where `/chat/completions` and `/models` live: root plus the version segment (`/v1` unless another was typed). */
	api: string;
}

/** The Base URL cannot be used. `part` names what is wrong with it, `message` is a sentence for the user. */
export class BaseUrlError extends Error {
	constructor(
		readonly part: 'empty' | 'scheme' | 'host' | 'port' | 'credentials' | 'query' | 'whole',
		message: string,
	) {
		super(message);
		this.name = 'BaseUrlError';
	}
}

/** A version segment such as `/v1`, `/v1-openai` (GPUStack's frozen alias) or `/v4`. */
const VERSION = /\/v\d+[a-z\d]*(?:-openai)?$/i;

/** OpenAI routes that people paste together with the base URL, longest first. */
const API_ROUTES = [
	'/chat/completions/input_tokens',
	'/audio/transcriptions',
	'/images/generations',
	'/chat/completions',
	'/audio/speech',
	'/completions',
	'/embeddings',
	'/responses',
	'/reranking',
	'/messages',
	'/models',
	'/rerank',
];

/** Routes at the server's root: llama-server's own and Ollama's native ones. */
const ROOT_ROUTES =
	/\/(?:health|healthz|props|slots|metrics|version|index\.html|api(?:\/(?:chat|generate|tags|show|ps|version|embed|embeddings|pull))?)$/i;

/**
 * Works out the server's addresses from any form of base URL that people paste: with or without scheme, `/v1`, `/v1/`,
 * `/v1-openai`, a full endpoint such as `/v1/chat/completions`, a path prefix, or blanks around it.
 *
 * @throws {BaseUrlError} naming the part that is wrong
 */
export function resolveBaseUrl(typed: string): ResolvedBaseUrl {
	const text = stripQuotes(typed.replace(/[\s\u200B\uFEFF]+/g, (blank) => (blank.includes(' ') ? ' ' : '')).trim());
	if (text === '') {
		throw new BaseUrlError('empty', 'The Base URL is empty. Type the address of the server, for example http://192.168.1.20:8080');
	}
	const url = parse(withScheme(text), text);
	const path = url.pathname.replace(/\/{2,}/g, '/').replace(/\/+$/, '');
	const { prefix, version } = splitPath(path);
	const root = url.origin + prefix;
	return { typed, origin: url.origin, root, api: root + version };
}

function stripQuotes(text: string): string {
	return text.replace(/^(["'`<])(.*)(["'`>])$/, '$2').trim();
}

function withScheme(text: string): string {
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
	if (scheme !== undefined) {
		if (!/^https?$/i.test(scheme)) {
			throw new BaseUrlError('scheme', `The Base URL starts with "${scheme}://". Only http:// and https:// can be used`);
		}
		return text;
	}
	const mistyped = /^(https?)[:;]?\/{1,2}(?!\/)(.+)$/i.exec(text);
	if (mistyped) return `${mistyped[1]}://${mistyped[2]}`;
	if (text.startsWith('//')) return `http:${text}`;
	return `http://${text}`;
}

function parse(text: string, shown: string): URL {
	const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';
	if (authority.includes('@')) {
		throw new BaseUrlError(
			'credentials',
			'The Base URL contains a user name or password. Put a key into the API Key field, or an Authorization header into Extra Headers',
		);
	}
	if (authority === '' || authority.startsWith(':')) {
		throw new BaseUrlError('host', `The Base URL "${shown}" has no host name. Write it as http://host:port`);
	}
	if (/\s/.test(authority)) {
		throw new BaseUrlError('host', `The host name in the Base URL "${shown}" contains a blank`);
	}
	const port = /^(?:\[[^\]]*\]|[^:]*):(.*)$/.exec(authority)?.[1];
	if (port !== undefined && port !== '' && (!/^\d+$/.test(port) || Number(port) > 65535 || Number(port) === 0)) {
		throw new BaseUrlError('port', `The port "${port}" in the Base URL "${shown}" is not a number from 1 to 65535`);
	}
	if (!URL.canParse(text)) {
		throw new BaseUrlError('host', `The host name "${authority}" in the Base URL "${shown}" is not valid`);
	}
	const url = new URL(text);
	if (url.search !== '') {
		throw new BaseUrlError(
			'query',
			`The Base URL contains a query (${url.search.split('=')[0]}…). Remove everything from the question mark on; put a key into the API Key field`,
		);
	}
	return url;
}

function splitPath(path: string): { prefix: string; version: string } {
	const route = API_ROUTES.find((candidate) => path.toLowerCase().endsWith(candidate));
	const base = route === undefined ? path : path.slice(0, -route.length);
	const version = VERSION.exec(base)?.[0];
	if (version !== undefined) return { prefix: base.slice(0, -version.length), version };
	// A pasted endpoint below a prefix but without a version, such as Open WebUI's /api/chat/completions, is meant as it is.
	if (route !== undefined && base !== '') return { prefix: base, version: '' };
	// `/v1/health` and the like: a version in front of a root route.
	const prefix = base.replace(ROOT_ROUTES, '');
	const inner = prefix === base ? undefined : VERSION.exec(prefix)?.[0];
	if (inner !== undefined) return { prefix: prefix.slice(0, -inner.length), version: inner };
	return { prefix, version: '/v1' };
}
