import { gpustack } from './gpustack';
import type { ServerType, IdentityResponses, ProbeResponse } from './server-type';
import type { ServerTypeName } from '../../server-type-name';
import { litellm } from './litellm';
import { llamaServer } from './llama-server';
import { lmStudio } from './lm-studio';
import { ollama } from './ollama';
import { other } from './other';
import { vllm } from './vllm';
import { TASK_LIMITS } from '../../task-limits';
import type { JsonRecord } from '../../values/records';
import { asRecord, asString, isNonEmpty, isRecord } from '../../values/records';
import { getModelEntries } from '../parse-models';

/** The table of server types. */
export const SERVER_TYPES: Readonly<Record<ServerTypeName, ServerType>> = {
	gpustack,
	litellm,
	llamaServer,
	ollama,
	vllm,
	lmStudio,
	other,
};

/** In the order in which they are tested: gateways first. */
const IDENTITY_RULES = {
	gpustack: ({ entries, body: { code, reason } }) =>
		entries.some(({ owned_by: owner }) => owner === 'gpustack') ||
		(code === 401 && reason === 'Unauthorized'),
	// By its headers, or by the date that it reports for all models (litellm/constants.py).
	litellm: ({ entries, headers }) =>
		Object.keys(headers).some((name) => name.startsWith('x-litellm-')) ||
		entries.some(({ created, owned_by: owner }) => created === 1_677_610_602 && owner === 'openai'),
	llamaServer: ({ entries, body: { error }, headers: { server = '' } }) =>
		// In every response, also in errors; a proxy may rewrite it.
		/llama\.cpp/i.test(server) ||
		isOwnedBy(entries, 'llamacpp') ||
		(isRecord(error) &&
			error.message === 'Invalid API Key' &&
			error.type === 'authentication_error'),
	ollama: ({ entries, models, apiVersion }) =>
		entries.length > 0
			? entries.every(isOllamaEntry)
			: isOllamaVersion(apiVersion) && mayHaveNoModels(models),
	vllm: ({ entries, body: { error } }) => isOwnedBy(entries, 'vllm') || error === 'Unauthorized',
	lmStudio: ({ entries, body, apiVersion }) =>
		isOwnedBy(entries, 'organization_owner') ||
		[body, asRecord(apiVersion?.json)].some(({ error }) =>
			/^Unexpected endpoint or method/i.test(asString(error) ?? ''),
		),
} satisfies Record<Exclude<ServerTypeName, 'other'>, (evidence: Evidence) => boolean>;

/** What the responses of a server show. */
interface Evidence extends IdentityResponses {
	/** The entries of the model list that are checked; empty without a list. */
	entries: JsonRecord[];
	/** The JSON object of the response to the model list, with any status; empty for anything else. */
	body: JsonRecord;
	/** Headers of both responses, by lower-case names. */
	headers: Record<string, string>;
}

function toEvidence({ models, apiVersion }: IdentityResponses): Evidence {
	return {
		models,
		apiVersion,
		entries: getListEntries({ models }),
		body: asRecord(models?.json),
		headers: { ...apiVersion?.headers, ...models?.headers },
	};
}

/** The type that these responses match; `other` if they match none. */
export function identifyServerType(responses: IdentityResponses): ServerTypeName {
	const evidence = toEvidence(responses);
	const names = Object.keys(IDENTITY_RULES) as Array<keyof typeof IDENTITY_RULES>;
	return names.find((name) => IDENTITY_RULES[name](evidence)) ?? 'other';
}

/** What a response shows of the server that generated it. */
export interface ResponseOrigin {
	/** By lower-case names. */
	headers: Readonly<Record<string, string>>;
	/** `system_fingerprint` of a completion. */
	fingerprint?: string;
}

/** The fingerprint of llama-server: number and commit of its build (docs/protocols/llama-server.md 8.1). */
const LLAMA_SERVER_BUILD = /^b\d{1,9}-[0-9a-f]{7,40}$/;

/** The type that a response to a generation shows; undefined for most of them. */
export function identifyByResponse({
	headers,
	fingerprint = '',
}: ResponseOrigin): ServerTypeName | undefined {
	if (Object.keys(headers).some((name) => name.startsWith('x-litellm-'))) return 'litellm';
	if (fingerprint === 'fp_ollama') return 'ollama';
	const isLlamaServer =
		/llama\.cpp/i.test(headers.server ?? '') || LLAMA_SERVER_BUILD.test(fingerprint);
	return isLlamaServer ? 'llamaServer' : undefined;
}

/** Types that forward the responses of other servers. */
const GATEWAYS: readonly ServerTypeName[] = ['gpustack', 'litellm'];

/** What was known of a server, and what its response shows. */
interface ComparedTypes {
	known: ServerTypeName;
	shown: ServerTypeName;
}

/** Whether a response that shows one type cannot be of a server of another type. */
export function isContradicted({ known, shown }: ComparedTypes): boolean {
	return known !== shown && !GATEWAYS.includes(known);
}

/** Whether the model list is that of a router, which has a process for each model (docs/protocols/llama-server.md 2.10). */
export function isRouter(responses: IdentityResponses): boolean {
	return getListEntries(responses).some(({ status }) => isRecord(status));
}

/** The entries of the model list that are checked; empty without a list. */
function getListEntries({ models }: IdentityResponses) {
	const isList = models !== undefined && models.status < 300;
	return (isList ? (getModelEntries(models.json) ?? []) : []).slice(0, TASK_LIMITS.probe.entries);
}

/**
 * Whether all entries have the same owner, so the list is that of one server. Gateways list other owners, or prefix
 * names with the owner (`openai/gpt-4o`).
 */
function isOwnedBy(entries: readonly JsonRecord[], owner: string) {
	const isOwned = ({ id, owned_by: entryOwner }: JsonRecord) =>
		entryOwner === owner && !(typeof id === 'string' && id.startsWith(`${owner}/`));
	return entries.length > 0 && entries.every(isOwned);
}

/** Ollama's names always have a tag; `openai/gpt-4o` of the owner `openai` is from a gateway. */
function isOllamaEntry({ id, owned_by: owner }: JsonRecord) {
	if (typeof id !== 'string' || typeof owner !== 'string') return false;
	const isNamedAfterOwner =
		owner !== '' && id.includes(`${owner}/`) && /:./.test(id.slice(id.lastIndexOf('/')));
	return owner === 'library' || isNamedAfterOwner;
}

/** Whether `/api/version` returns only `{"version":"…"}`: many servers imitate Ollama's API. */
function isOllamaVersion(response: ProbeResponse | undefined) {
	const body = asRecord(response?.json);
	const hasOnlyVersion = Object.keys(body).length === 1 && isNonEmpty(asString(body.version));
	return hasOnlyVersion && response!.status < 300;
}

/** Without models, Ollama sends null as its list; below a path without OpenAI's routes, 404 in plain text. */
function mayHaveNoModels(models: ProbeResponse | undefined) {
	if (models === undefined) return true;
	if (models.status < 300) return isRecord(models.json) && models.json.data === null;
	return models.json === undefined && !/^\s*</.test(models.text);
}

/** Whether a server type has an API of its own below `/api`, beside that of OpenAI. */
export function hasNativeApi(serverType: ServerTypeName | undefined): boolean {
	return serverType !== undefined && SERVER_TYPES[serverType].routes?.chat !== undefined;
}
