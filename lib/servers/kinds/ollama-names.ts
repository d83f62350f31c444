/** Names of Ollama's models. */
import { type JsonRecord, recordsIn, text } from '../../values';
import { lookQuietly } from '../look';
import { isNamed } from '../model-names';
import type { Server } from './kind';

/** Where Ollama fetches models that are named without a registry (types/model/name.go). */
const DEFAULT_PLACE = /^(?:https?:\/\/)?(?:registry\.ollama\.ai\/)?(?:library\/)?/;

/** Whether two names mean the same model: without regard to case, with or without registry and `library`. */
export function isSameOllamaName(id: string, name: string): boolean {
	const [one = '', other = ''] = [id, name].map((full) =>
		full.toLowerCase().replace(DEFAULT_PLACE, ''),
	);
	return isNamed(one, other) || isNamed(other, one);
}

/** What Ollama tells of a model that is in memory. */
export async function runningModel(
	server: Server,
	model: string,
	signal?: AbortSignal,
): Promise<JsonRecord | undefined> {
	const running = await lookQuietly(server, '/api/ps', { signal });
	return recordsIn(running?.models).find(({ name }) => isSameOllamaName(text(name) ?? '', model));
}
