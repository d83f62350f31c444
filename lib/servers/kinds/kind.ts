import type { FailureKind } from '../../errors/kinds';
import type { ServerAnswers } from './answers';
import type { ChatAbilities, CompletionAbilities } from './chat-abilities';
import type { ModelAbilities, SlotAbilities } from './model-abilities';
import type { EmbeddingAbilities, MediaAbilities, RerankAbilities } from './task-abilities';
import type { JsonRecord } from '../../values';

/**
 * Names of the server-side parsers for the tool calls of a family of models (lib/chat/text-formats/families.ts).
 */
interface ToolParsers {
	vllm?: string;
	sglang?: string;
}

/** Everything that this package knows about a kind of server, one file per kind. What is missing is not supported. */
export interface ServerKind {
	/** The server's name in sentences. */
	label: string;
	/** Whether the answers are from this kind. Kinds are tested in the order of `kinds/index.ts`. */
	recognizes(answers: ServerAnswers): boolean;
	/** The server's version, if one of the answers contains it. */
	version?(answers: ServerAnswers): string | undefined;
	/** What identifies it in answers that gateways and proxies pass on. */
	signs?: {
		/** The `system_fingerprint` of its answers. */
		fingerprint?: string;
		/** Text of its refusals. */
		refusal?: RegExp;
		/** Its answers may have the signs of servers behind it. */
		passesOnOthers?: true;
	};
	/** It has all routes whatever its model is for: where one is missing, the address is wrong. */
	hasEveryRoute?: true;
	/** What it can do is only tried, as nothing tells it: it is no example of a server that can. */
	isTriedOnly?: true;
	/** Sentences about it for users. */
	words: ServerWords;
	key?: {
		/** It never asks for a key. */
		isNeverNeeded?: true;
		/** It takes the key only as Bearer token. */
		bearerOnly?: true;
	};
	chat: ChatAbilities;
	completion: CompletionAbilities;
	models: ModelAbilities;
	slots?: SlotAbilities;
	embeddings: EmbeddingAbilities;
	rerank: RerankAbilities;
	media: MediaAbilities;
	health: HealthAbilities;
}

interface HealthAbilities {
	/** The health route below the root, if not `/health`. */
	path?: string;
	/**
	 * If the list of models needs no key: a route below the root that needs the key and has no effect. `json`: sent with
	 * POST.
	 */
	guardedRoute?: { path: string; json?: unknown };
	/** Fields that make speed measurements comparable: no early end, no cached prompt. */
	benchmarkFields?: Readonly<JsonRecord>;
	/**
	 * Where it reports its work: `/props`, `/metrics` and `/slots` of the `server`, the same for each model's `process`,
	 * or native lists of `models`.
	 */
	reports?: 'server' | 'process' | 'models';
}

/** What users are told about a kind of server, in whole sentences. */
export interface ServerWords {
	/** What to do about failures, where the general advice is for other servers. */
	remedies?: Readonly<Partial<Record<FailureKind, string>>>;
	/** It has no models at all. */
	noModels: string;
	/** It does not have this model: an alternative to choosing another, in lower case. */
	missingModel?(model: string): string;
	/** It lists this model, but has not loaded it. */
	notLoaded?: string;
	embeddingsOff: string;
	rerankOff: string;
	/** Its model cannot hear. */
	transcriptionOff?: string;
	/** One request needs this many tokens of context; `slots`: its slots, which share the context. */
	moreContext(tokens: number, slots?: number): string;
	/** How to make it take longer texts for vectors and scores. */
	longerTexts?: string;
	/** How to make it parse tool calls itself. */
	parseTools(parsers: ToolParsers): string;
	/** Remedy for a stream that ends too early, if this server has a special cause for that. */
	cutStream?: string;
	/** It cannot load models on request: a way to make it able to. */
	loadsNone?: string;
	/** Its chat template ignores tools, so the model was not told about them. */
	toolsDropped: string;
}
