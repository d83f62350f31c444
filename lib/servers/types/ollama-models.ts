/** Models of Ollama: their names, and those in memory. */
import type { JsonRecord } from '../../values/records';
import { asRecord, asRecords, asString } from '../../values/records';
import type { ModelServer, QueryOptions } from './server-type';
import { tryProbeObject } from '../probe';
import { matchesModelId } from '../model-names';

/** The registry of models that are named without one (types/model/name.go). */
const DEFAULT_REGISTRY = /^(?:https?:\/\/)?(?:registry\.ollama\.ai\/)?(?:library\/)?/;

/** Whether two names mean the same model: without regard to case, with or without registry and `library`. */
export function isSameOllamaName(id: string, name: string): boolean {
	const toShortName = (fullName: string) => fullName.toLowerCase().replace(DEFAULT_REGISTRY, '');
	const shortId = toShortName(id);
	const shortName = toShortName(name);
	return matchesModelId(shortId, shortName) || matchesModelId(shortName, shortId);
}

/** The facts about a model that is in memory. */
export async function fetchRunningModel(
	server: ModelServer,
	model: string,
	options?: QueryOptions,
): Promise<JsonRecord | undefined> {
	return findRunningModel(await tryProbeObject(server, '/api/ps', options), model);
}

/** The facts about a model in a response of `/api/ps`. */
export function findRunningModel(response: unknown, model: string): JsonRecord | undefined {
	return asRecords(asRecord(response).models).find(({ name }) =>
		isSameOllamaName(asString(name) ?? '', model),
	);
}
