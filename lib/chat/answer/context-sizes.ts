import { LruCache } from '../../lru-cache';

/** After this, Ollama has probably unloaded the model, and must load it anyway. */
const REMEMBERED_MS = 10 * 60_000;
/** A shorter load time means that the model was already in memory. */
const LOADED_ANEW_MS = 1_000;

/** Context size of each model's last request; undefined: the server's default. */
const lastUses = LruCache.shared<{ size: number | undefined }>({
	maxEntries: 200,
	ttlMs: REMEMBERED_MS,
});

/**
 * Ollama runs a model with one context size: if two nodes request different ones, each request reloads the model
 * (docs/protocols/ollama.md 4.2).
 *
 * @param model key of server and model
 * @param use the requested size, undefined for the server's default; load time in milliseconds
 * @returns a note for the user if the size changed
 */
export function remarkOnContextSize(
	model: string,
	{ size, loadMs = 0 }: { size: number | undefined; loadMs?: number },
): string | undefined {
	const last = lastUses.get(model);
	lastUses.set(model, { size });
	if (last === undefined || last.size === size) return undefined;
	// The server's default may be the same size, so that nothing is reloaded.
	const isSure = (last.size !== undefined && size !== undefined) || loadMs >= LOADED_ANEW_MS;
	if (!isSure) return undefined;
	return `Another request asked for this model with ${inWords(last.size)} a moment ago, this one with ${inWords(size)}. The server loads the model anew at each change: set the same Context Size in every node that uses it.`;
}

function inWords(size: number | undefined): string {
	return size === undefined ? 'no Context Size' : `the Context Size ${size}`;
}
