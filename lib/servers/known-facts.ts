import { randomUUID } from 'node:crypto';
import { keep, keepWithin } from '../kept';
import type { LruCache } from '../lru-cache';
import type { ServerModel } from './server-model';
import { other } from './types/other';
import type { ServerProps, ServerType } from './types/server-type';
import type { BodyChange, KnownRoutes } from './lessons';

/** Models that are kept of the list of one server. */
export const MAX_MODELS = 50;

/** What does not apply to the successor of a server at the same address. The rows of `KEPT` say who writes it. */
export class SuccessionFacts {
	/** Unique: what executions learned belongs to it. */
	readonly id: string = randomUUID();
	/** By model. */
	props: LruCache<ServerProps> = keepWithin<ServerProps>('props');
	/** By model. */
	modelFacts: LruCache<ServerModel> = keepWithin<ServerModel>('modelFacts');
	/** Tokens in the chat template of each model; empty if it is not known: then it stays so, for the prompt cache. */
	readonly templateTokens: LruCache<readonly string[]> =
		keepWithin<readonly string[]>('templateTokens');
	/** By learning scope and model. */
	readonly routes: LruCache<KnownRoutes> = keepWithin<KnownRoutes>('routes');
	/** By learning scope and model. */
	readonly historyForms: LruCache<readonly BodyChange[]> =
		keepWithin<readonly BodyChange[]>('historyForms');
	/** By model. */
	readonly contextSizes: LruCache<number> = keepWithin<number>('contextSizes');
	/** By model and thinking setting. */
	readonly reasoningStarts: LruCache<boolean> = keepWithin<boolean>('reasoningStarts');
}

/** The facts about one server, for one credential. Times are those of `performance.now()`. */
export class KnownFacts {
	/** Kept after it has expired: if the next identification fails, it is used again. */
	serverType: ServerType = other;
	typeExpiresAt = 0;
	/** Types that responses showed although the identification had another result, by both. */
	readonly contradictions: LruCache<true> = keepWithin<true>('contradictions');
	/** The beginning of its list. */
	models: readonly ServerModel[] = [];
	identification: Promise<ServerType> | undefined;
	/** At the last identification, the server listed its models. */
	hasModelList = false;
	succession: SuccessionFacts = new SuccessionFacts();
}

/** By the ID of the server, which contains address and credential. */
export const factsByServer: LruCache<KnownFacts> = keep<KnownFacts>('serverFacts');

/** Servers whose routes have no version, as those of some FastAPI servers. */
export const unversionedApis: LruCache<true> = keep<true>('apiRoots');

/** Servers whose Base URL is Ollama's native API. */
export const nativeApis: LruCache<true> = keep<true>('nativeAddresses');
