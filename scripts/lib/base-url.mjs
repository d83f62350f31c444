// Made from lib/servers/base-url.ts by "npm run build". Change it there.
class BaseUrlError extends Error {
	constructor(part, message) {
		super(message);
		this.part = part;
		this.name = 'BaseUrlError';
	}
	part;
}
const VERSION = /^v\d[a-z\d]*(?:-openai)?$/i;
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
const ROOT_ROUTES =
	/\/(?:health|healthz|props|slots|metrics|version|index\.html|docs|redoc|openapi\.json|completion|infill|embedding|tokenize|detokenize|apply-template|lora-adapters|inference|api\/(?:chat|generate|tags|show|ps|version|embed|pull))$/i;
const ENDPOINT_HEADS = /* @__PURE__ */ new Set([
	...API_ROUTES.map((route) => route.split('/')[1]),
	'health',
]);
const OLLAMA_PORT = '11434';
function resolveBaseUrl(typed) {
	const text = tidied(typed);
	if (text === '') {
		throw new BaseUrlError(
			'empty',
			'The Base URL is empty. Type the address of the server, for example http://192.168.1.20:9931',
		);
	}
	const url = parse(withScheme(text), text.replace(/[?#].*$/, ''));
	const segments = url.pathname.split('/').filter((segment) => segment !== '');
	const { prefix, version } = splitPath(segments, url.port === OLLAMA_PORT);
	const root = url.origin + prefix;
	return { typed, origin: url.origin, root, api: root + version };
}
const FULL_WIDTH = {
	'\uFF1A': ':',
	'\uFF0F': '/',
	'\uFF0E': '.',
	'\u3002': '.',
	'\uFF20': '@',
	'\uFF1F': '?',
	'\uFF03': '#',
};
function tidied(typed) {
	const oneLine = typed
		.replace(/[\s\u200B\uFEFF]+/g, (blank) => (blank.includes(' ') ? ' ' : ''))
		.trim();
	return oneLine
		.replace(/[：／．。＠？＃]/g, (letter) => FULL_WIDTH[letter])
		.replace(/[,;，；]{1,99}$/, '')
		.replace(/^(["'`<“‘«「])(.*)(["'`>”’»」])$/, '$2')
		.trim()
		.replaceAll('\\', '/');
}
function withScheme(text) {
	const once = text.replace(/^(?:https?:\/\/)+(?=https?:\/\/)/i, '');
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(once)?.[1];
	if (scheme !== void 0) {
		if (!/^https?$/i.test(scheme)) {
			throw new BaseUrlError(
				'scheme',
				`The Base URL starts with "${scheme}://". Only http:// and https:// can be used`,
			);
		}
		return once.replace(/^(https?):\/{3,}/i, '$1://');
	}
	const mistyped = /^(https?)(?:[:;]\/*|\/{1,2})(?!\/)(.+)$/i.exec(once);
	if (mistyped) return `${mistyped[1]}://${mistyped[2]}`;
	if (once.startsWith('//')) return `http:${once}`;
	return `http://${once}`;
}
function parse(text, shown) {
	const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';
	if (holdsPassword(authority, text))
		throw new BaseUrlError(
			'credentials',
			'The Base URL contains a user name or password. Take them out of it, choose Basic under Authentication, and type them there; a key belongs into the API Key field',
		);
	checkAuthority(authority, shown);
	if (!URL.canParse(text))
		throw new BaseUrlError(
			'host',
			`The host name "${authority}" in the Base URL "${shown}" is not valid`,
		);
	const url = new URL(text);
	if (url.search !== '')
		throw new BaseUrlError(
			'query',
			'The Base URL contains a query. Remove everything from the question mark on; put a key into the API Key field',
		);
	return url;
}
function holdsPassword(authority, text) {
	if (authority.includes('@')) return true;
	const isPlainAddress = /^(?:[^:]*\.[^:]*|localhost|\[[^\]]*\])(?::\d*)?$/i.test(authority);
	return (
		authority.includes(':') &&
		!isPlainAddress &&
		/[^/]@/.test(text.slice(text.indexOf(authority) + authority.length))
	);
}
function checkAuthority(authority, shown) {
	if (/^[^[\]]*:[^[\]]*:/.test(authority)) {
		throw new BaseUrlError(
			'host',
			`An IPv6 address is written in brackets, as in http://[::1]:9931. The Base URL is "${shown}"`,
		);
	}
	if (authority === '' || authority.startsWith(':') || /^\d+(?::\d*)?$/.test(authority)) {
		throw new BaseUrlError(
			'host',
			`The Base URL "${shown}" has no host name. Write it as http://host:port`,
		);
	}
	if (/\s/.test(authority))
		throw new BaseUrlError('host', `The host name in the Base URL "${shown}" contains a space`);
	const port = /^(?:\[[^\]]*\]|[^:[]*):(.+)$/.exec(authority)?.[1];
	if (port === void 0 || isPort(port)) return;
	throw new BaseUrlError(
		'port',
		`The port "${port}" in the Base URL "${shown}" is not a number from 1 to 65535`,
	);
}
function isPort(text) {
	return /^\d+$/.test(text) && Number(text) > 0 && Number(text) <= 65535;
}
function splitPath(segments, ollama) {
	const at = segments.findLastIndex((segment) => VERSION.test(segment));
	if (at >= 0) {
		const start = startOfApi(segments, at);
		const version = joined(segments.slice(start, at)) + versionPart(segments.slice(at));
		return { prefix: joined(segments.slice(0, start)), version };
	}
	if (segments.at(-1) === ENGINES) return splitPath([...segments, 'v1'], ollama);
	const path = joined(segments);
	const base = withoutEndpoint(path);
	if (ollama && /^\/api(?:\/|$)/i.test(path)) return { prefix: '', version: '/v1' };
	if (base !== path && base !== '') return { prefix: base, version: '' };
	const prefix = base.replace(ROOT_ROUTES, '');
	return { prefix, version: /\/api$/i.test(prefix) ? '' : '/v1' };
}
const ENGINES = 'engines';
function startOfApi(segments, version) {
	return [version - 1, version - 2].find((at) => segments[at] === ENGINES) ?? version;
}
function versionPart([segment = '', ...after]) {
	const version = `/${segment.toLowerCase()}`;
	return ENDPOINT_HEADS.has(after[0]?.toLowerCase())
		? version
		: version + withoutEndpoint(joined(after));
}
function withoutEndpoint(path) {
	const route = API_ROUTES.find((candidate) => path.toLowerCase().endsWith(candidate));
	return route === void 0 ? path : withoutEndpoint(path.slice(0, -route.length));
}
function joined(segments) {
	return segments.map((segment) => `/${segment}`).join('');
}
export { BaseUrlError, resolveBaseUrl };
