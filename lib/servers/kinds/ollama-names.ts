/** Names of Ollama's models. */
import { asList, nonEmptyText, recordOf } from '../../values';
import { lookQuietly } from '../look';
import { isNamed } from '../model-names';
import type { Server } from './kind';

/** Where Ollama fetches models that are named without a registry (types/model/name.go). */
const DEFAULT_PLACE = /^(?:https?:\/\/)?(?:registry\.ollama\.ai\/)?(?:library\/)?/;

/** Whether two names mean the same model: without regard to case, with or without registry and `library`. */
export function isSameOllamaName(id: string, name: string): boolean {
	const [one = '', other = ''] = [id, name].map((text) =>
		text.toLowerCase().replace(DEFAULT_PLACE, ''),
	);
	return isNamed(one, other) || isNamed(other, one);
}

/** Names of the models in memory. */
export async function runningModels(server: Server, signal?: AbortSignal): Promise<string[]> {
	const running = await lookQuietly(server, '/api/ps', { signal });
	return asList(running?.models).flatMap((entry) => nonEmptyText(recordOf(entry).name) ?? []);
}
