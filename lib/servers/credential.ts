import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import type { Connection } from '../http/connection';
import type { EgressFilter } from '../http/types';
import { connectTo, type ServerSettings } from './connect';
import { failure, invalidInput } from '../errors/failure';
import { secretsOf } from '../errors/secrets';
import { asFailed } from '../errors/server-error';
import { optional, quietly, recordOf, recordsIn } from '../values';
import { ServerPool } from './pool/server-pool';
import {
	type FurtherServer,
	losesEncryption,
	modelNameMapping,
	readFurtherServers,
	withoutDuplicates,
} from './further-servers';

/** The data of a "LocalLlama API" credential. */
interface LocalLlamaCredential {
	baseUrl: string;
	apiKey?: string;
	authentication?: 'bearer' | 'xApiKey';
	extraHeaders?: { header?: Array<{ name?: string; value?: string }> };
	ignoreSslIssues?: boolean;
	maxConcurrentRequests?: number;
	furtherServers?: FurtherServer[];
}

/** One server of a credential, with the settings to reach it. */
export interface CredentialServer extends Omit<LocalLlamaCredential, 'furtherServers'> {
	/** Its position among the further servers, from 1 on; 0 is the server of the Base URL. */
	position: number;
	modelNamed?(asked: string): string;
	/** Of a further server: the Base URL of the first one, whose extra headers are also sent here. */
	firstUrl?: string;
	/** Whether the first server's key is also sent here. */
	sharesKey?: boolean;
	/** The keys of all servers of the credential, as they were typed: a gateway in front of several may show each. */
	keys?: string[];
}

/** Reads the stored data; missing values, and those of another type, count as not set. */
export function readLocalLlamaCredential(
	data: ICredentialDataDecryptedObject,
): LocalLlamaCredential {
	const headers = recordsIn(recordOf(data.extraHeaders).header);
	return {
		baseUrl: typeof data.baseUrl === 'string' ? data.baseUrl : '',
		// In an expression, a key such as 123456 becomes a number.
		apiKey:
			typeof data.apiKey === 'string' || typeof data.apiKey === 'number' ? String(data.apiKey) : '',
		authentication: data.authentication === 'xApiKey' ? 'xApiKey' : 'bearer',
		extraHeaders: {
			header: headers.map(({ name, value }) => ({
				name: String(name ?? ''),
				value: String(value ?? ''),
			})),
		},
		ignoreSslIssues: data.ignoreSslIssues === true,
		maxConcurrentRequests: countOf(data.maxConcurrentRequests),
		furtherServers: readFurtherServers(data.furtherServers),
	};
}

/** A whole number from 0 on, also as text, which expressions may give. */
function countOf(value: unknown): number {
	const count =
		typeof value === 'number' || typeof value === 'string' ? Math.floor(Number(value)) : 0;
	return Number.isFinite(count) ? Math.max(0, count) : 0;
}

/** RFC 9110: a token; visible ASCII, spaces and tabs. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const HEADER_VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/;

/** Headers that the HTTP client sets itself. */
const RESERVED = new Set([
	'connection',
	'content-length',
	'content-type',
	'expect',
	'host',
	'keep-alive',
	// Belongs in HTTP_PROXY: undici refuses it as a request header.
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/**
 * The headers of a credential, by lower-case names. An empty key adds none.
 *
 * @throws {ServerError} of kind `invalidInput` that names the header, never its value
 */
export function credentialHeaders(credential: LocalLlamaCredential): Record<string, string> {
	const { extraHeaders } = credential;
	const headers = keyHeader(credential);
	for (const [index, { name = '', value = '' }] of (extraHeaders?.header ?? []).entries()) {
		const [header, content] = [name.trim(), value.trim()];
		if (header === '' && content === '') continue;
		checkHeader(index + 1, header, content);
		headers[header.toLowerCase()] = content;
	}
	return headers;
}

function keyHeader({ apiKey = '', authentication }: LocalLlamaCredential): Record<string, string> {
	// Keys are pasted with their scheme, and with the line end of a file.
	const key = apiKey.trim().replace(/^(?:Authorization:\s*)?Bearer(?:\s+|$)/i, '');
	if (key === '') return {};
	if (!HEADER_VALUE.test(key))
		throw invalid('The API Key contains characters that cannot be sent in a header');
	return authentication === 'xApiKey' ? { 'x-api-key': key } : { authorization: `Bearer ${key}` };
}

function checkHeader(position: number, header: string, content: string): void {
	// The name is not shown: people paste whole lines "Authorization: Bearer KEY" into it.
	if (!HEADER_NAME.test(header))
		throw invalid(
			`The name of extra header ${position} is not valid: letters, digits and hyphens, without the colon`,
		);
	if (RESERVED.has(header.toLowerCase()))
		throw invalid(`The extra header "${header}" cannot be set: the HTTP client sets it itself`);
	if (!HEADER_VALUE.test(content))
		throw invalid(
			`The value of extra header ${position}, "${header}", contains characters that cannot be sent`,
		);
}

function invalid(message: string) {
	return invalidInput(message, 'Open the credential and correct it.');
}

/**
 * The servers of a credential, without duplicates. Extra headers, the authentication method and the TLS setting apply
 * to all of them; a server's own key is sent only there.
 */
export function serversOf({
	furtherServers = [],
	...first
}: LocalLlamaCredential): CredentialServer[] {
	const keys = [first.apiKey ?? '', ...furtherServers.map(({ apiKey }) => apiKey)];
	const further = furtherServers.map(({ baseUrl, apiKey, model }, index): CredentialServer => {
		const modelNamed = modelNameMapping(model);
		return {
			...first,
			keys,
			position: index + 1,
			baseUrl,
			firstUrl: first.baseUrl,
			...(apiKey === '' ? { sharesKey: true } : { apiKey }),
			...optional({ modelNamed }),
		};
	});
	return withoutDuplicates([{ ...first, keys, position: 0 }, ...further]);
}

/**
 * The connection to one server of a credential. `helpers`: of the node's context, for n8n's egress filter. `more`:
 * settings that override the credential's.
 *
 * @throws {ServerError} of kind `invalidUrl` or `invalidInput`, before anything is sent
 */
export function connectionOf(
	server: CredentialServer,
	helpers?: object,
	more: Partial<ServerSettings> = {},
): Connection {
	if (server.position === 0) return connected(server, helpers, more);
	try {
		return connected(server, helpers, more);
	} catch (error) {
		const { kind, message, meaning, remedy, facts } = asFailed(error).failed;
		const where = `Further server ${server.position}: `;
		throw failure(kind, {}, { message: where + message, meaning: where + meaning, remedy, facts });
	}
}

function connected(
	server: CredentialServer,
	helpers: object | undefined,
	more: Partial<ServerSettings>,
): Connection {
	const { baseUrl, firstUrl, ignoreSslIssues, keys = [], maxConcurrentRequests } = server;
	if (firstUrl !== undefined && losesEncryption(firstUrl, baseUrl)) rejectSharedSecrets(server);
	const headers = credentialHeaders(server);
	const egressFilter = egressFilterOf(helpers);
	return connectTo({
		baseUrl,
		headers,
		keysElsewhere: keysOf(keys),
		ignoreSslIssues,
		maxConcurrentRequests,
		egressFilter,
		host: helpers,
		...more,
	});
}

/** All that a server of the credential may show of it, also where it is not sent: to mask it there. */
export function secretHeadersOf(server: CredentialServer): Record<string, string> {
	return { ...keysOf(server.keys ?? []), ...credentialHeaders(server) };
}

/** Keys that no header can carry are never sent, so no server can show them. */
function keysOf(keys: string[]): Record<string, string> {
	const entries = keys.map((apiKey, position) => {
		const header = quietly(() => keyHeader({ baseUrl: '', apiKey })) ?? {};
		return [`authorization-of-server-${position}`, header.authorization ?? ''];
	});
	return Object.fromEntries(entries) as Record<string, string>;
}

/** Secrets of the first server, which are sent over https there, are not sent over http. */
function rejectSharedSecrets({ apiKey = '', sharesKey, extraHeaders }: CredentialServer): void {
	if (sharesKey === true && apiKey.trim() !== '')
		throw unencrypted(
			'The API Key of the credential',
			'Change its address to https://, or type the key at this server, too.',
		);
	const headers = credentialHeaders({ baseUrl: '', extraHeaders });
	for (const [name, value] of Object.entries(headers))
		if (secretsOf({ [name]: value }).length > 0)
			throw unencrypted(
				'A secret in the extra headers of the credential',
				'Change its address to https://, or make a credential of its own for this server.',
			);
}

function unencrypted(secret: string, remedy: string) {
	return invalidInput(`${secret} is not sent to it without encryption`, remedy, {
		meaning: `The Base URL of the credential begins with https:// and the address of this server with http://, so this would be sent without encryption: ${secret}`,
	});
}

/** The connection to the server of the Base URL only. */
export function localLlamaConnection(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
	more: Partial<ServerSettings> = {},
): Connection {
	const [first] = serversOf(readLocalLlamaCredential(data));
	return connectionOf(first!, helpers, more);
}

/** Connect limit with several servers: one that does not answer must not delay the use of the next. */
const CONNECT_LIMIT_MS = 5_000;

/**
 * The pool of all servers of a "LocalLlama API" credential.
 *
 * @param queueing how requests wait for a place
 * @throws {ServerError} of kind `invalidUrl` or `invalidInput` for any of them, before anything is sent
 */
export function localLlamaServers(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
	queueing?: ServerSettings['queueing'],
): ServerPool {
	const servers = serversOf(readLocalLlamaCredential(data));
	const more: Partial<ServerSettings> = {
		...optional({ queueing }),
		...(servers.length > 1 ? { connectLimitMs: CONNECT_LIMIT_MS } : {}),
	};
	const [first, ...others] = servers.map(({ modelNamed, ...server }) => ({
		connection: connectionOf(server, helpers, more),
		modelNamed,
	}));
	return new ServerPool([first!, ...others]);
}

/** n8n's egress filter; n8n before 2.30 has none. */
export function egressFilterOf(helpers: object | undefined): EgressFilter | undefined {
	const get =
		helpers !== undefined && 'getSecureEgressFilter' in helpers
			? helpers.getSecureEgressFilter
			: undefined;
	return typeof get === 'function'
		? ((get as () => EgressFilter | undefined).call(helpers) ?? undefined)
		: undefined;
}
