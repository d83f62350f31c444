/** Limits of servers, learned from their refusals. A cache: entries may vanish at any time. */
import type { Connection } from '../http/connection';
import { batchesOf } from '../servers/batches';
import { modelKey } from '../servers/model-key';
import { LruCache } from '../lru-cache';
import type { FieldChanges } from '../servers/refused-fields';

/** Limits of one server for one model. */
export interface Learned {
	/** Texts in one request. */
	batch?: number;
	/** It takes one text in a request, and no list. */
	takesOneText?: true;
	/** Its own route is missing, as behind a proxy that passes on those of OpenAI's API only. */
	lacksOwnRoute?: true;
	/** Its rerank route is at the root, not below the API. */
	reranksAtRoot?: true;
	/** Tokens in one text. */
	tokens?: number;
	/** Optional fields that it refuses. */
	without?: FieldChanges;
}

const learned = LruCache.shared<Learned>();
/** A text with more characters than this for each token of the limit is sent alone. */
const SAFE_CHARACTERS_PER_TOKEN = 2;

/** What is known so far. Callers write what they learn into it. */
export function learnedOf(connection: Connection, model: string): Learned {
	const key = modelKey({ connection, model });
	const limits = learned.get(key) ?? {};
	learned.set(key, limits);
	return limits;
}

/** Splits texts into batches that the server takes. A text that may be too long for the model goes alone. */
export function batchesFor<T extends { text: string }>(
	inputs: readonly T[],
	batchSize: number,
	{ batch = Infinity, tokens }: Learned,
): T[][] {
	const longest = tokens === undefined ? Infinity : tokens * SAFE_CHARACTERS_PER_TOKEN;
	const texts = inputs.map(({ text }) => text);
	let next = 0;
	return batchesOf(texts, {
		count: Math.min(batchSize, batch),
		alone: (text) => text.length > longest,
	}).map(({ length }) => inputs.slice(next, (next += length)));
}
