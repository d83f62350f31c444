/** What gives a server away: one table, by which a server is recognized by its answers. */
import { isRecord, type JsonRecord, asNonEmptyString } from '../../values';
import { getModelEntries } from '../models';
import type { IdentityResponses, ServerTypeName, ProbeResponse } from './server-type';

/** In the order in which they are tested: gateways first. */
const IDENTITY_RULES: ReadonlyArray<
	readonly [ServerTypeName, (answers: IdentityResponses) => boolean]
> = [
	[
		'gpustack',
		(answers) =>
			getListEntries(answers).some(({ owned_by: owner }) => owner === 'gpustack') ||
			matchesBody(answers.models, ({ code, reason }) => code === 401 && reason === 'Unauthorized'),
	],
	[
		'litellm',
		// By its headers, or by the date that it gives all models (litellm/constants.py).
		(answers) =>
			hasHeader(answers, /^x-litellm-/) ||
			getListEntries(answers).some(
				({ created, owned_by: owner }) => created === 1_677_610_602 && owner === 'openai',
			),
	],
	[
		'llamaServer',
		(answers) =>
			// In every answer, also in errors; a proxy may rewrite it.
			hasHeader(answers, /^server$/, /llama\.cpp/i) ||
			ownsModels(answers, 'llamacpp') ||
			matchesBody(
				answers.models,
				({ error }) =>
					isRecord(error) &&
					error.message === 'Invalid API Key' &&
					error.type === 'authentication_error',
			),
	],
	[
		'ollama',
		(answers) => {
			const entries = getListEntries(answers);
			if (entries.length > 0) return entries.every(isOllamaEntry);
			return isOllamaVersion(answers) && mayHaveNoModels(answers);
		},
	],
	[
		'vllm',
		(answers) =>
			ownsModels(answers, 'vllm') ||
			matchesBody(answers.models, ({ error }) => error === 'Unauthorized'),
	],
	[
		'lmStudio',
		(answers) =>
			ownsModels(answers, 'organization_owner') ||
			[answers.models, answers.version].some((reply) =>
				matchesBody(
					reply,
					({ error }) => typeof error === 'string' && /^Unexpected endpoint or method/i.test(error),
				),
			),
	],
];

/** The kind that these answers fit; `other` where they fit none. */
export function identifyServerType(answers: IdentityResponses): ServerTypeName {
	return IDENTITY_RULES.find(([, fits]) => fits(answers))?.[0] ?? 'other';
}

/** Entries of a list that are looked at: gateways list thousands. */
const MAX_ENTRIES = 5_000;

/** The entries of the list of models; none without a list. */
export function getListEntries({ models }: IdentityResponses): JsonRecord[] {
	const isList = models !== undefined && models.status < 300;
	return (isList ? (getModelEntries(models.json) ?? []) : []).slice(0, MAX_ENTRIES);
}

/**
 * Whether the list is that of one server: the owner of every entry is the same. A gateway lists other owners, or puts
 * the owner in front of the names (`openai/gpt-4o`).
 */
function ownsModels(answers: IdentityResponses, owner: string): boolean {
	const entries = getListEntries(answers);
	const isOwned = ({ id, owned_by: by }: JsonRecord) =>
		by === owner && !(typeof id === 'string' && id.startsWith(`${owner}/`));
	return entries.length > 0 && entries.every(isOwned);
}

/** Whether the JSON object of an answer, with any status, passes the test. */
function matchesBody(
	reply: ProbeResponse | undefined,
	fits: (body: JsonRecord) => boolean,
): boolean {
	return isRecord(reply?.json) && fits(reply.json);
}

/** Whether any answer has a header whose name and value match. */
function hasHeader(answers: IdentityResponses, name: RegExp, value = /(?:)/): boolean {
	const replies = [answers.models, answers.version].filter((reply) => reply !== undefined);
	return replies.some(({ headers }) =>
		Object.entries(headers).some(([header, text]) => name.test(header) && value.test(text)),
	);
}

/** Its names always have a tag; `openai/gpt-4o` of the owner `openai` is one of a gateway. */
function isOllamaEntry({ id, owned_by: owner }: JsonRecord): boolean {
	if (typeof id !== 'string' || typeof owner !== 'string') return false;
	const isOfOther = owner !== '' && id.includes(`${owner}/`) && /:[^/]+$/.test(id);
	return owner === 'library' || isOfOther;
}

/** Whether `/api/version` answers `{"version":"…"}` and nothing else: many servers imitate Ollama's API. */
function isOllamaVersion({ version }: IdentityResponses): boolean {
	if (version === undefined || version.status >= 300 || !isRecord(version.json)) return false;
	const names = Object.keys(version.json);
	return names.length === 1 && asNonEmptyString(version.json.version) !== undefined;
}

/** An Ollama without models sends null as its list; one behind a path without OpenAI's routes 404 in plain text. */
function mayHaveNoModels({ models }: IdentityResponses): boolean {
	if (models === undefined) return true;
	if (models.status < 300) return isRecord(models.json) && models.json.data === null;
	return models.json === undefined && !/^\s*</.test(models.text);
}
