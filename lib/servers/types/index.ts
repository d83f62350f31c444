import { gpustack } from './gpustack';
import type { ServerTypeName, ServerType, IdentityResponses, ProbeResponse } from './server-type';
import { litellm } from './litellm';
import { llamaServer } from './llama-server';
import { lmStudio } from './lm-studio';
import { ollama } from './ollama';
import { other } from './other';
import { vllm } from './vllm';
import { type JsonRecord, isRecord, asNonEmptyString } from '../../values';
import { getModelEntries } from '../models';

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
	gpustack: (responses) =>
		getListEntries(responses).some(({ owned_by: owner }) => owner === 'gpustack') ||
		matchesBody(responses.models, ({ code, reason }) => code === 401 && reason === 'Unauthorized'),
	// By its headers, or by the date that it reports for all models (litellm/constants.py).
	litellm: (responses) =>
		hasHeader(responses, /^x-litellm-/) ||
		getListEntries(responses).some(
			({ created, owned_by: owner }) => created === 1_677_610_602 && owner === 'openai',
		),
	llamaServer: (responses) =>
		// In every response, also in errors; a proxy may rewrite it.
		hasHeader(responses, /^server$/, /llama\.cpp/i) ||
		ownsModels(responses, 'llamacpp') ||
		matchesBody(
			responses.models,
			({ error }) =>
				isRecord(error) &&
				error.message === 'Invalid API Key' &&
				error.type === 'authentication_error',
		),
	ollama: (responses) => {
		const entries = getListEntries(responses);
		if (entries.length > 0) return entries.every(isOllamaEntry);
		return isOllamaVersion(responses) && mayHaveNoModels(responses);
	},
	vllm: (responses) =>
		ownsModels(responses, 'vllm') ||
		matchesBody(responses.models, ({ error }) => error === 'Unauthorized'),
	lmStudio: (responses) =>
		ownsModels(responses, 'organization_owner') ||
		[responses.models, responses.version].some((response) =>
			matchesBody(
				response,
				({ error }) => typeof error === 'string' && /^Unexpected endpoint or method/i.test(error),
			),
		),
} satisfies Partial<Record<ServerTypeName, (responses: IdentityResponses) => boolean>>;

/** The type that these responses match; `other` if they match none. */
export function identifyServerType(responses: IdentityResponses): ServerTypeName {
	const names = Object.keys(IDENTITY_RULES) as Array<keyof typeof IDENTITY_RULES>;
	return names.find((name) => IDENTITY_RULES[name](responses)) ?? 'other';
}

/** Whether the model list is that of a router, which has a process for each model (docs/protocols/llama-server.md 2.10). */
export function isRouter(responses: IdentityResponses) {
	return getListEntries(responses).some(({ status }) => isRecord(status));
}

/** Entries of a list that are checked: gateways list thousands. */
const MAX_LISTED_MODELS = 5_000;

/** The entries of the model list; empty without a list. */
function getListEntries({ models }: IdentityResponses) {
	const isList = models !== undefined && models.status < 300;
	return (isList ? (getModelEntries(models.json) ?? []) : []).slice(0, MAX_LISTED_MODELS);
}

/**
 * Whether all entries have the same owner, so the list is that of one server. Gateways list other owners, or prefix
 * names with the owner (`openai/gpt-4o`).
 */
function ownsModels(responses: IdentityResponses, owner: string) {
	const entries = getListEntries(responses);
	const isOwned = ({ id, owned_by: entryOwner }: JsonRecord) =>
		entryOwner === owner && !(typeof id === 'string' && id.startsWith(`${owner}/`));
	return entries.length > 0 && entries.every(isOwned);
}

/** Whether the JSON object of a response, with any status, passes the test. */
function matchesBody(response: ProbeResponse | undefined, matches: (body: JsonRecord) => boolean) {
	return isRecord(response?.json) && matches(response.json);
}

/** Whether any response has a header whose name and value match. */
function hasHeader(responses: IdentityResponses, name: RegExp, value = /(?:)/) {
	const headers = { ...responses.version?.headers, ...responses.models?.headers };
	return Object.entries(headers).some(([header, text]) => name.test(header) && value.test(text));
}

/** Ollama's names always have a tag; `openai/gpt-4o` of the owner `openai` is from a gateway. */
function isOllamaEntry({ id, owned_by: owner }: JsonRecord) {
	if (typeof id !== 'string' || typeof owner !== 'string') return false;
	const isNamedAfterOwner =
		owner !== '' && id.includes(`${owner}/`) && /:./.test(id.slice(id.lastIndexOf('/')));
	return owner === 'library' || isNamedAfterOwner;
}

/** Whether `/api/version` returns only `{"version":"…"}`: many servers imitate Ollama's API. */
function isOllamaVersion({ version }: IdentityResponses) {
	if (version === undefined || version.status >= 300 || !isRecord(version.json)) return false;
	const names = Object.keys(version.json);
	return names.length === 1 && asNonEmptyString(version.json.version) !== undefined;
}

/** Without models, Ollama sends null as its list; below a path without OpenAI's routes, 404 in plain text. */
function mayHaveNoModels({ models }: IdentityResponses) {
	if (models === undefined) return true;
	if (models.status < 300) return isRecord(models.json) && models.json.data === null;
	return models.json === undefined && !/^\s*</.test(models.text);
}
