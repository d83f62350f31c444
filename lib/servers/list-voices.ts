/** Lists the voices of a speech server. */
import { createServerError } from '../errors/create-error';
import { isErrorResponse } from '../errors/error-body';
import { toErrorContext } from '../http/request-errors';
import { asNonEmptyString, asRecord, findList } from '../values/records';
import { fetchApiRoot } from './list-models';
import { isListMissing, probe, toProbeError } from './probe';
import type { ModelServer, ProbeResponse } from './types/server-type';

/** A voice. */
export interface Voice {
	/** As requests name it. */
	id: string;
	/** For the list: with the language, if the server reports it. */
	label: string;
}

/** Longer lists are truncated. speaches lists the voices of all its models. */
const MAX_VOICES = 5_000;

/**
 * The voices of a server, each once.
 *
 * @throws a `ServerError` if it does not list them.
 */
export async function listVoices(server: ModelServer, signal?: AbortSignal): Promise<Voice[]> {
	const response = await probeVoices(server, signal);
	if (isErrorResponse(response) && !isListMissing(response))
		throw toProbeError(server, response.finalUrl, response);
	const voices = isListMissing(response) ? undefined : parseVoices(response.json);
	if (voices !== undefined && voices.length > 0) return voices;
	const context = toErrorContext(server, { url: response.finalUrl });
	throw createServerError('featureDisabled', context, { about: { listsNoVoices: true } });
}

/** An API without a version in its path is found by its list of models. */
async function probeVoices(
	server: ModelServer,
	signal: AbortSignal | undefined,
): Promise<ProbeResponse> {
	const response = await probeRoutes(server, server.getApiUrl(), signal);
	if (response.status !== 404) return response;
	const { apiUrl } = await fetchApiRoot(server, { signal });
	return apiUrl === server.url.api ? response : await probeRoutes(server, apiUrl, signal);
}

/** Of speaches and servers like it; GPUStack's. */
const ROUTES = ['/audio/voices', '/voices'] as const;

/** The first route that exists, otherwise the response of the first one. */
async function probeRoutes(
	server: ModelServer,
	apiUrl: string,
	signal: AbortSignal | undefined,
): Promise<ProbeResponse> {
	const [first, second] = ROUTES;
	const response = await probe(server, apiUrl + first, { signal });
	if (response.status !== 404) return response;
	const other = await probe(server, apiUrl + second, { signal });
	return isErrorResponse(other) ? response : other;
}

/**
 * Parses a list of voices: names, or objects with `id` or `name` (speaches).
 *
 * @returns undefined if the response is no list.
 */
export function parseVoices(json: unknown): Voice[] | undefined {
	const list = findList(json, ['voices', 'data']);
	if (!list) return undefined;
	const voices = new Map<string, Voice>();
	for (const entry of list.slice(0, MAX_VOICES)) {
		const voice = toVoice(entry);
		if (voice && !voices.has(voice.id)) voices.set(voice.id, voice);
	}
	return [...voices.values()];
}

function toVoice(entry: unknown): Voice | undefined {
	if (typeof entry === 'string') return entry === '' ? undefined : { id: entry, label: entry };
	const { id, voice_id: voiceId, name, language, locale } = asRecord(entry);
	const [value] = [id, voiceId, name].flatMap((text) => asNonEmptyString(text) ?? []);
	if (value === undefined) return undefined;
	const displayName = asNonEmptyString(name) ?? value;
	const title = displayName === value ? value : `${displayName} (${value})`;
	const spoken = asNonEmptyString(language ?? locale);
	return { id: value, label: spoken === undefined ? title : `${title}, ${spoken}` };
}
