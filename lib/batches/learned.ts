/** What servers take, learned from their refusals. Only a hint: it may vanish at any time. */
import type { Connection } from '../http/connection';
import { batchesOf } from '../servers/batches';
import { LruCache } from '../lru-cache';
import type { FieldChanges } from '../servers/refused-fields';

/** What one server takes for one model. */
interface Learned {
	/** Texts in one request. */
	batch?: number;
	/** Tokens of one text. */
	tokens?: number;
	/** Fields that it refuses, without which the answer is the same. */
	without?: FieldChanges;
}

const learned = LruCache.shared<Learned>();
/** In no language does a token stand for fewer characters on average than a text of this many a token suggests. */
const SAFE_CHARACTERS_PER_TOKEN = 2;

/** May be changed by the caller. */
export function learnedOf({ url }: Connection, model: string): Learned {
	const key = `${url.api} ${model}`;
	const known = learned.get(key) ?? {};
	learned.set(key, known);
	return known;
}

/** Places in requests that the server takes: a text that may be too long for the model goes alone. */
export function batchesFor<T extends { text: string }>(
	places: readonly T[],
	batchSize: number,
	{ batch = Infinity, tokens }: Learned,
): T[][] {
	const longest = tokens === undefined ? Infinity : tokens * SAFE_CHARACTERS_PER_TOKEN;
	const texts = places.map(({ text }) => text);
	let next = 0;
	return batchesOf(texts, { count: Math.min(batchSize, batch), alone: (text) => text.length > longest }).map(
		({ length }) => places.slice(next, (next += length)),
	);
}
