/** The context that models of Ollama were last asked to run with. */
import { LruCache } from '../lru-cache';
import { asFiniteNumber } from '../values';
import type { ModelServer, ServerType } from './types/server-type';

/** By credential and model. */
const sizes = new LruCache<number>();

/** A hint if a recent request ran the model with another context: Ollama loads it again for each other one. */
export function hintOnReload(
	{ label }: ServerType,
	server: ModelServer,
	model: string,
	context: unknown,
): string[] {
	const size = asFiniteNumber(context);
	if (size === undefined) return [];
	const key = JSON.stringify([server.id, model.trim().replace(/:latest$/i, '')]);
	const earlier = sizes.get(key);
	sizes.set(key, size);
	if (earlier === undefined || earlier === size) return [];
	return [
		`This request runs the model with a context of ${size} tokens, and an earlier one did with ${earlier}. ${label} loads the model again for each change, so set the same Context Size in all nodes.`,
	];
}
