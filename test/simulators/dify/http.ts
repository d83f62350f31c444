import type * as http from 'node:http';
import type { Json } from './types';

/**
 * An error in Dify's envelope. `suffix`: the framework appends suggestions to the route's 404 texts (docs/protocols/dify.md
 * 6.3).
 */
export class DifyHttpError extends Error {
	constructor(
		readonly status: number,
		readonly code: string,
		message: string,
		readonly headers: Record<string, string> = {},
	) {
		super(message);
	}
}

export function invalid(message: string): DifyHttpError {
	return new DifyHttpError(400, 'invalid_param', message);
}

export function notFound(message: string): DifyHttpError {
	return new DifyHttpError(404, 'not_found', message);
}

/** Dify's answer when a handler crashes. */
export function crashed(): DifyHttpError {
	return new DifyHttpError(500, 'unknown', 'Internal Server Error');
}

/** Error of a run that fails unexpectedly. */
export function runCrashed(): DifyHttpError {
	const text =
		'The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.';
	return new DifyHttpError(500, 'internal_server_error', text);
}

/** The framework does not match the route, or an ID in it: answered with HTML. */
export class NoRoute extends Error {}

function ascii(json: string): string {
	return json.replace(
		/[\u007f-\uffff]/g,
		(letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}

/** JSON as flask-restx writes it: ASCII only, slashes escaped, with a final line end. For all answers but runs. */
export function asciiJson(value: unknown): string {
	return `${ascii(JSON.stringify(value)).replace(/\//g, '\\/')}\n`;
}

/** JSON of blocking runs: ASCII only, spaces after colon and comma. */
export function blockingJson(value: unknown): string {
	return ascii(spacedJson(value));
}

/** @param pydantic version in pydantic's texts */
export function envelope(error: DifyHttpError, pydantic = '2.11'): Json {
	const message = error.message.replaceAll(
		'https://errors.pydantic.dev/2.11/',
		`https://errors.pydantic.dev/${pydantic}/`,
	);
	return { code: error.code, message, status: error.status };
}

/**
 * Python's `json.dumps` with default separators, used for the replay of a finished run (docs/protocols/dify.md 2.4).
 */
export function spacedJson(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
	if (typeof value === 'object' && value !== null) {
		const pairs = Object.entries(value).filter(([, each]) => each !== undefined);
		return `{${pairs.map(([key, each]) => `${JSON.stringify(key)}: ${spacedJson(each)}`).join(', ')}}`;
	}
	return JSON.stringify(value);
}

/** Python's `repr` of a JSON value, for pydantic's texts. */
export function pythonRepr(value: unknown): string {
	if (value === null || value === undefined) return 'None';
	if (typeof value === 'boolean') return value ? 'True' : 'False';
	if (typeof value === 'string') {
		const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
		const escaped = JSON.stringify(value).slice(1, -1).replace(/\\"/g, '"');
		return `${quote}${quote === "'" ? escaped.replace(/'/g, "\\'") : escaped}${quote}`;
	}
	if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
	if (typeof value === 'object') {
		return `{${Object.entries(value)
			.map(([key, each]) => `${pythonRepr(key)}: ${pythonRepr(each)}`)
			.join(', ')}}`;
	}
	return String(value);
}

function pythonType(value: unknown): string {
	if (value === null || value === undefined) return 'NoneType';
	if (typeof value === 'boolean') return 'bool';
	if (typeof value === 'string') return 'str';
	if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
	return Array.isArray(value) ? 'list' : 'dict';
}

export interface PydanticProblem {
	/** Absent for a check of the whole payload. */
	field?: string;
	text: string;
	type: string;
	input: unknown;
}

/** Shortens long values in the middle, like pydantic. */
function shortRepr(value: unknown): string {
	const whole = [...pythonRepr(value)];
	return whole.length <= 50
		? whole.join('')
		: `${whole.slice(0, 25).join('')}...${whole.slice(-24).join('')}`;
}

/** The ValueError of a pydantic model (docs/protocols/dify.md 6.2). */
export function pydantic(model: string, problems: PydanticProblem[]): DifyHttpError {
	const lines = problems.map(({ field, text, type, input }) => {
		const value = `input_value=${shortRepr(input)}, input_type=${pythonType(input)}`;
		const path = field === undefined ? '' : `${field}\n`;
		return `${path}  ${text} [type=${type}, ${value}]\n    For further information visit https://errors.pydantic.dev/2.11/v/${type}`;
	});
	return invalid(
		`${problems.length} validation error${problems.length === 1 ? '' : 's'} for ${model}\n${lines.join('\n')}`,
	);
}

export const missing = (field: string, payload: Json): PydanticProblem => ({
	field,
	text: 'Field required',
	type: 'missing',
	input: payload,
});

/** A redirect of the framework, absolute with the request's host. */
export function redirect(res: http.ServerResponse, location: string): void {
	const page = `<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be redirected automatically to the target URL: <a href="${location}">${location}</a>. If not, click the link.\n`;
	res.writeHead(308, {
		Location: location,
		'Content-Type': 'text/html; charset=utf-8',
		'Content-Length': Buffer.byteLength(page),
	});
	res.end(page);
}

/** The object without one field. */
export function without(value: Json, field: string): Json {
	return Object.fromEntries(Object.entries(value).filter(([key]) => key !== field));
}

/** Pages and texts of the programs around Dify's API (docs/protocols/dify.md 1.1, 3.10, 5.2, 6.3). */
export const PAGES = {
	werkzeug404:
		'<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n',
	gunicorn500:
		'<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n    <h1><p>Internal Server Error</p></h1>\n    \n  </body>\n</html>\n',
	nextApp:
		'<!DOCTYPE html><html lang="en-US"><head><meta charSet="utf-8"/><title>Dify</title><script src="/_next/static/chunks/main-app.js" async=""></script></head><body><div id="__next"></div></body></html>',
	next404:
		'<!DOCTYPE html><html lang="en-US"><head><meta charSet="utf-8"/><title>404: This page could not be found.</title><script src="/_next/static/chunks/main-app.js" async=""></script></head><body><h1>404</h1></body></html>',
	nginx413:
		'<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
	nginx429:
		'<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
	nginx502:
		'<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
	nginx504:
		'<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
	cloudflare524:
		'<!DOCTYPE html>\n<html lang="en-US"><head><title>api.dify.ai | 524: A timeout occurred</title></head><body><h1>A timeout occurred <span>Error code 524</span></h1></body></html>',
} as const;

export function sendHtml(res: http.ServerResponse, status: number, page: string): void {
	res.writeHead(status, {
		'Content-Type': 'text/html; charset=utf-8',
		'Content-Length': Buffer.byteLength(page),
	});
	res.end(page);
}

export function sendJson(
	res: http.ServerResponse,
	status: number,
	value: unknown,
	headers: Record<string, string> = {},
): void {
	const body = asciiJson(value);
	res.writeHead(status, {
		'Content-Type': 'application/json',
		'Content-Length': Buffer.byteLength(body),
		...headers,
	});
	res.end(body);
}

/** The answer of a blocking run, whose JSON format and content type differ from all others. */
export function sendRun(res: http.ServerResponse, value: unknown): void {
	sendText(res, blockingJson(value), 'application/json; charset=utf-8');
}

/** A form of human input: spaces as in a blocking run, but not escaped to ASCII. */
export function sendForm(res: http.ServerResponse, value: unknown): void {
	sendText(res, spacedJson(value), 'application/json');
}

function sendText(res: http.ServerResponse, body: string, type: string): void {
	res.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
	res.end(body);
}

/** Python's truthiness, by which `user` counts as missing (docs/protocols/dify.md 1.4). */
export function truthy(value: unknown): boolean {
	if (Array.isArray(value)) return value.length > 0;
	if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
	return Boolean(value);
}

export function isJson(value: unknown): value is Json {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(value: string): boolean {
	return UUID.test(value);
}

/** Unix seconds as Dify's ISO time without a zone (docs/protocols/dify.md 2.6). */
export function isoTime(seconds: number): string {
	return new Date(seconds * 1000).toISOString().replace(/(\.000)?Z$/, '');
}
