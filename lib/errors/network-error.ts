/** From an error of a connection to its error. */
import type { ErrorContext } from './create-error';
import type { ErrorType } from './error-types';
import { ServerError } from './server-error';
import { createServerError } from './create-error';
import { parseHostAndPort } from './host-and-port';
import type { JsonRecord } from '../values/records';
import { asArray, asString, isRecord } from '../values/records';

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

/** Codes of Node, undici and OpenSSL. The first match counts. */
const TYPE_BY_CODE: ReadonlyArray<readonly [code: RegExp, type: ErrorType]> = [
	// musl, the C library of n8n's Docker image, has more EAI codes than glibc. The last: the lookup returned something
	// that is not an IP address.
	[/^(?:ENOTFOUND|EAI_.*|ERR_INVALID_IP_ADDRESS)$/, 'dnsLookupFailed'],
	[/^ECONNREFUSED$/, 'connectionRefused'],
	[/^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'connectTimeout'],
	// The last two: a firewall on this machine, or a broadcast address.
	[/^(?:E(?:HOST|NET)(?:UNREACH|DOWN)|EADDRNOTAVAIL|EACCES|EPERM)$/, 'hostUnreachable'],
	[/^UND_ERR_HEADERS_OVERFLOW$/, 'invalidResponse'],
	[/^(?:EPROTO$|ERR_SSL_)/, 'tlsMismatch'],
	[
		/^(?:(?:DEPTH_ZERO_)?SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|ERR_TLS_CERT_ALTNAME_INVALID|CERT_)/,
		'tlsUntrusted',
	],
	[
		/^(?:UND_ERR_SOCKET|ECONNRESET|ECONNABORTED|EPIPE|HPE_INVALID_EOF_STATE)$/,
		'closedBeforeResponse',
	],
	[/^HPE_/, 'notHttp'],
];

function toErrorType(code: string) {
	return TYPE_BY_CODE.find(([pattern]) => pattern.test(code))?.[1];
}

/**
 * Turns a low-level network error (undici, Node) into a `ServerError`.
 *
 * @param hasStarted whether part of the response had arrived
 */
export function toNetworkError(
	error: unknown,
	context: ErrorContext,
	hasStarted = false,
): ServerError {
	if (error instanceof ServerError) return error;
	const links = collectErrors(error);
	// The host's egress filter throws its own classes from the DNS lookup.
	const filterError = links.find(({ name }) => asString(name)?.startsWith('Ssrf'));
	if (filterError)
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
			String(message).endsWith('(Invalid EOF state)') ? (code ?? INVALID_EOF) : code,
		)
		.filter((code) => typeof code === 'string');
	const code = codes.find((candidate) => toErrorType(candidate) !== undefined);
	// Messages of undici and Node ("Invalid EOF state") help with bug reports, but not users.
	const details = {
		code: code ?? codes[0],
		facts: { reason: asString(links[0]?.message) ?? String(error) },
	};
	const isParserError = links.some(({ name }) => name === 'HTTPParserError');
	const beforeResponse = toErrorType(code ?? '') ?? (isParserError ? 'notHttp' : undefined);
	const type = hasStarted ? 'connectionLost' : beforeResponse;
	if (type) return createServerError(type, context, { ...details, about: { code } });
	return createServerError('closedBeforeResponse', context, {
		...details,
		about: { failureReason: details.facts.reason },
	});
}

/**
 * Describes an error between n8n and its HTTP proxy: undici's own errors, or an attempt to reach another host or port
 * than that of the URL. Undefined if no proxy is involved. `address` and `port` are the target of a failed connection
 * attempt, `hostname` is that of a failed DNS lookup.
 */
function describeProxyError({ code, message, address, port, hostname }: JsonRecord, url: string) {
	const status = parseProxyStatus(String(message));
	if (status !== undefined) return `HTTP ${status}`;
	if (code === 'UND_ERR_PRX_TLS') return 'no TLS connection to the proxy';
	// Only opening a tunnel has this timeout: lib/http applies its own timeouts to everything else.
	if (code === 'UND_ERR_HEADERS_TIMEOUT') return 'no response to CONNECT';
	const target = parseHostAndPort(url);
	if (target.host === undefined) return undefined;
	if (typeof port === 'number' && String(port) !== target.port)
		return `${String(code)} ${String(address)}:${port}`;
	const host = target.host.replace(/^\[|\]$/g, '');
	const isOtherHost = typeof hostname === 'string' && hostname.toLowerCase() !== host;
	return isOtherHost ? `${String(code)} ${hostname}` : undefined;
}

/** The status of the response to CONNECT. */
function parseProxyStatus(message: string) {
	if (message.startsWith('Proxy Authentication Required')) return '407';
	return /^Proxy response \((\d+)\)/.exec(message)?.[1];
}
