import { LruCache } from '../../lru-cache';

/** Behind this, Ollama has most likely unloaded the model, and loading is due anyway. */
const REMEMBERED_MS = 10 * 60_000;
/** A model that is in memory is there in a fraction of this. */
const LOADED_ANEW_MS = 1_000;

/** The sizes; undefined: the server's default. */
const lastUses = LruCache.shared<{ size: number | undefined }>({ maxEntries: 200, ttlMs: REMEMBERED_MS });

/**
 * Ollama runs a model with one size of context: where two nodes ask for different ones, each request loads the model
 * anew (docs/protocols/ollama.md 4.2).
 *
 * @param model server and model
 * @param use the size that was asked for, undefined for the server's default; milliseconds that loading took
 * @returns a remark where the size changed
 */
export function remarkOnContextSize(
	model: string,
	{ size, loadMs = 0 }: { size: number | undefined; loadMs?: number },
): string | undefined {
	const last = lastUses.get(model);
	lastUses.set(model, { size });
	if (last === undefined || last.size === size) return undefined;
	// The default of the server may be the same size: then nothing is loaded.
	const isSure = (last.size !== undefined && size !== undefined) || loadMs >= LOADED_ANEW_MS;
	if (!isSure) return undefined;
	return `Another request asked for this model with ${inWords(last.size)} a moment ago, this one with ${inWords(size)}. Ollama loads the model anew at each change: set the same Context Size in every node that uses it.`;
}

function inWords(size: number | undefined): string {
	return size === undefined ? 'no Context Size' : `the Context Size ${size}`;
}
