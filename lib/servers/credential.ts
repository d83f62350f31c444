/** The data of a "LocalLlama API" credential. */
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { asRecord, asRecords } from '../values/records';
import type { SelectableServerType } from './types/server-type';
import { SELECTABLE_SERVER_TYPES } from './types/server-type';

/** How a key is sent; the first is the default. */
export const AUTHENTICATIONS = ['bearer', 'xApiKey', 'basic', 'none'] as const;

export type Authentication = (typeof AUTHENTICATIONS)[number];

/** A header that the user adds to every request. */
export interface ExtraHeader {
	/** Trimmed; may be empty. */
	name: string;
	/** Trimmed; may be empty. */
	value: string;
}

/** The data of a credential, with a value for every field. Texts are empty if they are not set. */
export interface StoredCredential {
	/** As typed. */
	baseUrl: string;
	/** As typed. */
	apiKey: string;
	authentication: Authentication;
	/** For Basic. */
	user: string;
	/** For Basic. */
	password: string;
	extraHeaders: ExtraHeader[];
	ignoreSslIssues: boolean;
	/** 0: as many as the server has slots. */
	maxConcurrentRequests: number;
	/** Undefined: Automatic. */
	serverType: SelectableServerType | undefined;
}

/** Data of which fields may be missing, as that of a Dify credential. */
export type LocalLlamaCredential = Partial<StoredCredential>;

/** Reads the stored data; missing values, and those of another type, count as not set. */
export function readLocalLlamaCredential(data: ICredentialDataDecryptedObject): StoredCredential {
	const [defaultAuthentication] = AUTHENTICATIONS;
	return {
		baseUrl: typeof data.baseUrl === 'string' ? data.baseUrl : '',
		apiKey: toText(data.apiKey),
		authentication:
			AUTHENTICATIONS.find((option) => option === data.authentication) ?? defaultAuthentication,
		user: toText(data.user),
		password: toText(data.password),
		extraHeaders: readHeaderRows(data).map(({ name, value }) => ({
			name: String(name ?? '').trim(),
			value: String(value ?? '').trim(),
		})),
		ignoreSslIssues: data.ignoreSslIssues === true,
		maxConcurrentRequests: parseCount(data.maxConcurrentRequests),
		serverType: SELECTABLE_SERVER_TYPES.find((type) => type === data.serverType),
	};
}

/** Whether no field contains an expression, which could give each item another value. n8n hides those in rows from the mark. */
export function isSameForEachItem(data: ICredentialDataDecryptedObject): boolean {
	return data.sameForEachItem === true && readHeaderRows(data).length === 0;
}

/**
 * Whether n8n left out the extra headers, because an expression in them failed: it does so where there is no workflow
 * (`ignoreCredentialExpressionResolveError`), and otherwise adds every field with its default.
 */
export function lacksHeaders(data: ICredentialDataDecryptedObject): boolean {
	const isComplete = ['serverType', 'ignoreSslIssues', 'maxConcurrentRequests'].every((name) =>
		Object.hasOwn(data, name),
	);
	return isComplete && !('extraHeaders' in data);
}

/**
 * The data for a list in the editor: without the extra headers whose expressions have no value there. Of a failed one,
 * n8n leaves out all headers; one such as `$execution.id` has no value.
 *
 * @returns the same object if nothing is missing
 */
export function withResolvedHeaders(
	data: ICredentialDataDecryptedObject,
): ICredentialDataDecryptedObject {
	if (lacksHeaders(data)) return { ...data, extraHeaders: {} };
	const rows = readHeaderRows(data);
	const resolved = rows.filter((row) =>
		[row.name, row.value].every((text) => text !== undefined && text !== null),
	);
	const header = resolved as ICredentialDataDecryptedObject[];
	return resolved.length === rows.length ? data : { ...data, extraHeaders: { header } };
}

function readHeaderRows(data: ICredentialDataDecryptedObject) {
	return asRecords(asRecord(data.extraHeaders).header);
}

/** In an expression, a key such as 123456 becomes a number. */
function toText(value: unknown) {
	return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** An integer from 0, also as text, which expressions may return. */
function parseCount(value: unknown) {
	const count =
		typeof value === 'number' || typeof value === 'string' ? Math.floor(Number(value)) : 0;
	return Number.isFinite(count) ? Math.max(0, count) : 0;
}
