import { LruCache } from '../lru-cache';
import type { ServerModel } from './server-model';
import { other } from './types/other';
import type { ServerProps, ServerType } from './types/server-type';
import type { Lessons } from './lessons';

/** Models of one server, or other names that come from outside. */
export const MAX_ENTRIES = 50;

/** What the responses of a server taught, which does not apply to its successor at the same address. */
export class TaughtFacts {
	/** By learning scope and model. */
	readonly lessons: LruCache<Lessons> = new LruCache<Lessons>({ maxEntries: MAX_ENTRIES });
	/** Failures that a repetition did not change, by learning scope and model. */
	readonly lastingFailures: LruCache<string | undefined> = new LruCache<string | undefined>({
		maxEntries: MAX_ENTRIES,
	});
	/** Models that answered. */
	readonly answers: LruCache<true> = new LruCache<true>({ maxEntries: MAX_ENTRIES });
	/** By model. */
	readonly contextSizes: LruCache<number> = new LruCache<number>({ maxEntries: MAX_ENTRIES });
	/** By model and thinking setting. */
	readonly reasoningStarts: LruCache<boolean> = new LruCache<boolean>({ maxEntries: MAX_ENTRIES });
}

/** The facts about one server, for one credential. Times are those of `performance.now()`. */
export class KnownFacts {
	/** Kept after it has expired: if the next identification fails, it is used again. */
	serverType: ServerType = other;
	typeExpiresAt = 0;
	/** Types that responses showed although the identification had another result, by both. */
	readonly contradictions: LruCache<true> = new LruCache<true>({ maxEntries: MAX_ENTRIES });
	/** The beginning of its list. */
	models: readonly ServerModel[] = [];
	identification: Promise<ServerType> | undefined;
	/** Until then, its routes have no version, as those of some FastAPI servers. */
	unversionedUntil = 0;
	/** At the last identification, the server listed its models. */
	hasModelList = false;
	/** Until then, the Base URL is Ollama's native API. */
	nativeUntil = 0;
	/** By model. */
	props: LruCache<ServerProps> = new LruCache<ServerProps>({ maxEntries: MAX_ENTRIES });
	/** Tokens in the chat template of each model; empty if it is not known: then it stays so, for the prompt cache. */
	templateTokens: LruCache<readonly string[]> = new LruCache<readonly string[]>({
		maxEntries: MAX_ENTRIES,
	});
	taught: TaughtFacts = new TaughtFacts();
}

/** By the ID of the server, which contains address and credential. */
export const factsByServer: LruCache<KnownFacts> = LruCache.createShared<KnownFacts>({
	ttlMs: Infinity,
});
