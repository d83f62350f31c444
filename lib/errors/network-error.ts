import { createServerError, type ErrorContext, parseHostAndPort } from './create-error';
import type { ErrorType } from './error-types';
import { mask } from './mask';
import { ServerError } from './server-error';
import { asArray, asString, isRecord, type JsonRecord } from '../values';

/**
 * All errors in a chain: the error, its causes, and those in an AggregateError (several addresses of one host).
 */
function collectErrors(error: unknown, depth = 0): JsonRecord[] {
	if (!isRecord(error) || depth > 5) return [];
	const nestedErrors = [...asArray(error.errors), error.cause];
	return [error, ...nestedErrors.flatMap((nested) => collectErrors(nested, depth + 1))];
}

/** The connection ended right after the head of a response. undici's parser sets no code for this error. */
const INVALID_EOF = 'HPE_INVALID_EOF_STATE';

const CODES_BY_TYPE: Partial<Record<ErrorType, readonly string[]>> = {
	// The last: the lookup returned something that is not an IP address.
	dnsLookupFailed: ['ENOTFOUND', 'EAI_AGAIN', 'ERR_INVALID_IP_ADDRESS'],
	connectionRefused: ['ECONNREFUSED'],
	connectTimeout: ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'],
	// The last two: a firewall on this machine, or a broadcast address.
	hostUnreachable: [
		'EHOSTUNREACH',
		'EHOSTDOWN',
		'ENETUNREACH',
		'ENETDOWN',
		'EADDRNOTAVAIL',
		'EACCES',
		'EPERM',
	],
	invalidResponse: ['UND_ERR_HEADERS_OVERFLOW'],
	tlsMismatch: ['EPROTO'],
	tlsUntrusted: [
		'DEPTH_ZERO_SELF_SIGNED_CERT',
		'SELF_SIGNED_CERT_IN_CHAIN',
		'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		'UNABLE_TO_GET_ISSUER_CERT',
		'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
		'ERR_TLS_CERT_ALTNAME_INVALID',
	],
	closedBeforeResponse: ['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', INVALID_EOF],
};

function toErrorType(code: string): ErrorType | undefined {
	const type = (Object.keys(CODES_BY_TYPE) as ErrorType[]).find((candidate) =>
		CODES_BY_TYPE[candidate]!.includes(code),
	);
	if (type !== undefined) return type;
	if (code.startsWith('HPE_')) return 'notHttp';
	if (code.startsWith('ERR_SSL_')) return 'tlsMismatch';
	if (code.startsWith('CERT_')) return 'tlsUntrusted';
	// musl, the C library of n8n's Docker image, has more of them than glibc.
	return code.startsWith('EAI_') ? 'dnsLookupFailed' : undefined;
}

/** Turns a low-level network error (undici, Node) into a `ServerError`. `hasStarted`: part of the response had arrived. */
export function toNetworkError(
	error: unknown,
	context: ErrorContext,
	hasStarted = false,
): ServerError {
	if (error instanceof ServerError) return error;
	const links = collectErrors(error);
	// The host's egress filter throws its own classes from the DNS lookup.
	const filterError = links.find(({ name }) => typeof name === 'string' && name.startsWith('Ssrf'));
	if (filterError !== undefined)
		return createServerError('blockedByPolicy', context, {
			facts: { reason: asString(filterError.message) },
		});
	const proxyCode = links
		.map((link) => describeProxyError(link, context.url))
		.find((description) => description !== undefined);
	if (proxyCode !== undefined)
		return createServerError('proxyError', context, {
			code: proxyCode,
			about: { code: proxyCode },
		});
	const codes = links
		.map(({ code, message }) =>
			/\(Invalid EOF state\)$/.test(String(message)) ? (code ?? INVALID_EOF) : code,
		)
		.filter((code) => typeof code === 'string');
	const code = codes.find((candidate) => toErrorType(candidate) !== undefined);
	// Messages of undici and Node ("Invalid EOF state") help with bug reports, but not users.
	const details = {
		code: code ?? codes[0],
		facts: { reason: asString(links[0]?.message) ?? String(error) },
	};
	if (hasStarted) return createServerError('connectionLost', context, details);
	if (code !== undefined)
		return createServerError(toErrorType(code)!, context, { ...details, about: { code } });
	if (links.some(({ name }) => name === 'HTTPParserError'))
		return createServerError('notHttp', context, details);
	return createServerError('closedBeforeResponse', context, {
		...details,
		title: 'The request failed before a response arrived',
		detail: mask(
			`The request failed before a response arrived: ${details.facts.reason}`,
			context.secrets,
		),
	});
}

/**
 * Describes an error between n8n and its HTTP proxy: undici's own errors, or an attempt to reach another host or port
 * than that of the URL. Undefined if no proxy is involved. `address` and `port` are the target of a failed connection
 * attempt, `hostname` is that of a failed DNS lookup.
 */
function describeProxyError(
	{ code, message, address, port, hostname }: JsonRecord,
	url: string,
): string | undefined {
	const status = parseProxyStatus(String(message));
	if (status !== undefined) return `HTTP ${status}`;
	if (code === 'UND_ERR_PRX_TLS') return 'no TLS connection to the proxy';
	// Only opening a tunnel has this timeout: lib/http applies its own timeouts to everything else.
	if (code === 'UND_ERR_HEADERS_TIMEOUT') return 'no response to CONNECT';
	const target = parseHostAndPort(url);
	if (isOtherPort(port, target.port)) return `${String(code)} ${String(address)}:${String(port)}`;
	return isOtherHost(hostname, target.host) ? `${String(code)} ${String(hostname)}` : undefined;
}

/** The status of the response to CONNECT. */
function parseProxyStatus(message: string): string | undefined {
	if (message.startsWith('Proxy Authentication Required')) return '407';
	return /^Proxy response \((\d+)\)/.exec(message)?.[1];
}

function isOtherPort(port: unknown, expected: string | undefined): boolean {
	return typeof port === 'number' && expected !== undefined && String(port) !== expected;
}

function isOtherHost(host: unknown, expected: string | undefined): boolean {
	if (typeof host !== 'string' || expected === undefined) return false;
	return host.toLowerCase() !== expected.replace(/^\[|\]$/g, '');
}
