import type * as http from 'node:http';
import type { Json } from './types';

/** An error in Dify's envelope. */
export class DifyHttpError extends Error {
	constructor(
		readonly status: number,
		readonly code: string,
		message: string,
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

/** The framework does not match the route, or an ID in it: answered with HTML. */
export class NoRoute extends Error {}

/** A redirect of the framework, absolute with the request's host. */
export function redirect(res: http.ServerResponse, location: string): void {
	res.writeHead(308, { Location: location, 'Content-Type': 'text/html; charset=utf-8' });
	res.end('<title>Redirecting...</title>');
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
	nginx502:
		'<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
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
	const body = JSON.stringify(value);
	res.writeHead(status, {
		'Content-Type': 'application/json',
		'Content-Length': Buffer.byteLength(body),
		...headers,
	});
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

/** One page of a list with page numbers. */
export function getPage<T>(query: URLSearchParams, all: readonly T[]) {
	const limit = Number(query.get('limit') ?? 20);
	const page = Number(query.get('page') ?? 1);
	const data = all.slice((page - 1) * limit, page * limit);
	return { data, limit, total: all.length, page };
}

/** Unix seconds as Dify's ISO time without a zone (docs/protocols/dify.md 2.6). */
export function isoTime(seconds: number): string {
	return new Date(seconds * 1000).toISOString().replace(/(\.000)?Z$/, '');
}
