import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { asRecord, asRecords } from '../values/records';

const AUTHENTICATIONS = ['xApiKey', 'basic', 'none'] as const;

/** Types that can be selected. */
const SERVER_TYPES = ['llamaServer', 'ollama', 'vllm', 'other'] as const;

/** The data of a "LocalLlama API" credential. */
export type LocalLlamaCredential = Partial<ReturnType<typeof readLocalLlamaCredential>>;

/** Reads the stored data; missing values, and those of another type, count as not set. */
export function readLocalLlamaCredential(data: ICredentialDataDecryptedObject): {
	baseUrl: string;
	apiKey: string;
	authentication: string;
	user: string;
	password: string;
	extraHeaders: {
		name: string;
		value: string;
	}[];
	ignoreSslIssues: boolean;
	maxConcurrentRequests: number;
	serverType: 'llamaServer' | 'ollama' | 'vllm' | 'other' | undefined;
} {
	return {
		baseUrl: typeof data.baseUrl === 'string' ? data.baseUrl : '',
		apiKey: toText(data.apiKey),
		authentication: AUTHENTICATIONS.find((option) => option === data.authentication) ?? 'bearer',
		user: toText(data.user),
		password: toText(data.password),
		extraHeaders: readHeaderRows(data).map(({ name, value }) => ({
			name: String(name ?? '').trim(),
			value: String(value ?? '').trim(),
		})),
		ignoreSslIssues: data.ignoreSslIssues === true,
		maxConcurrentRequests: parseCount(data.maxConcurrentRequests),
		serverType: SERVER_TYPES.find((type) => type === data.serverType),
	};
}

/** Whether no field contains an expression, which could give each item another value. n8n hides those in rows from the mark. */
export function isSameForEachItem(data: ICredentialDataDecryptedObject): boolean {
	return data.sameForEachItem === true && readHeaderRows(data).length === 0;
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
