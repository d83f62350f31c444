/** Remembers the context size that was last requested for each Ollama model. */
import { LruCache } from '../lru-cache';
import { asFiniteNumber } from '../values';
import type { ModelServer, ServerType } from './types/server-type';

/** By credential and model. */
const contextSizes = new LruCache<number>();

/** A warning if a recent request used another context size: Ollama reloads the model for each change. */
export function getReloadWarnings(
	{ label }: ServerType,
	server: ModelServer,
	model: string,
	context: unknown,
): string[] {
	const size = asFiniteNumber(context);
	if (size === undefined) return [];
	const key = JSON.stringify([server.id, model.trim().replace(/:latest$/i, '')]);
	const previousSize = contextSizes.get(key);
	contextSizes.set(key, size);
	if (previousSize === undefined || previousSize === size) return [];
	return [
		`This request runs the model with a context of ${size} tokens, and an earlier one did with ${previousSize}. ${label} loads the model again for each change, so set the same Context Size in all nodes.`,
	];
}
