import { describeTool, fitByWords, fitOfTools } from '../../lib/chat/tools-at-once';
import type { ToolDefinition } from '../../lib/chat/types';
import type { Prefixes } from '../../lib/tasks/prefixes';
import { asFailed } from '../../lib/errors/server-error';
import { resultOf } from '../../lib/generators';
import { LruCache } from '../../lib/lru-cache';
import type { ServerModel } from '../../lib/servers/models';
import { listModelsFor } from '../../lib/servers/list-models';
import type { Server } from '../../lib/servers/kinds/kind';
import { Embedder } from '../../lib/tasks/embed';

interface Ranking {
	/** How well each tool fits, in the order of the tools. */
	fit: number[];
	/** What the choice is based on, in words for the log. */
	basis: string;
}

/** Ranks tools by how well they fit a conversation. */
export interface ToolRanking {
	/** @param questions the newest first */
	rank(
		questions: readonly string[],
		tools: readonly ToolDefinition[],
		signal?: AbortSignal,
	): Promise<Ranking>;
}

/** For the list of models and the vectors together: the answer should not wait for them. */
const RANKING_LIMIT_MS = 10_000;
const MODEL_KEPT_MS = 10 * 60_000;

/** Names of embedding models by the server; empty where it has none. */
const models = LruCache.shared<string>({ maxEntries: 100, ttlMs: MODEL_KEPT_MS });
/** Vectors of tools and questions. */
const vectors = LruCache.shared<number[]>({ maxEntries: 2_000 });

/** Ranks by the embedding model of the server, else by words. */
export class RankingAt implements ToolRanking {
	constructor(private readonly server: Server) {}

	async rank(
		questions: readonly string[],
		tools: readonly ToolDefinition[],
		signal?: AbortSignal,
	): Promise<Ranking> {
		const late = AbortSignal.timeout(RANKING_LIMIT_MS);
		const ended = signal === undefined ? late : AbortSignal.any([signal, late]);
		const outcome = await this.rankByVectors(questions, tools, ended).catch(asFailed);
		if (outcome !== undefined && !('failed' in outcome)) return outcome;
		const failed =
			outcome === undefined ? '' : `, as the embeddings failed: ${outcome.failed.message}`;
		const fit = resultOf(fitByWords(questions, tools));
		return { fit, basis: `words${failed}` };
	}

	private async rankByVectors(
		questions: readonly string[],
		tools: readonly ToolDefinition[],
		signal: AbortSignal,
	): Promise<Ranking | undefined> {
		const model = await this.embeddingModel(signal);
		if (model === '') return undefined;
		const questionVectors = await this.vectorsOf(model, questions, 'query', signal);
		const descriptions = tools.map(describeTool);
		const toolVectors = await this.vectorsOf(model, descriptions, 'document', signal);
		return {
			fit: fitOfTools(questionVectors, toolVectors, cosine),
			basis: `the embeddings of ${model}`,
		};
	}

	/** The embedding model that the server names as such, and need not load; empty if there is none. */
	private async embeddingModel(signal: AbortSignal): Promise<string> {
		const key = this.server.url.api;
		const known = models.get(key);
		if (known !== undefined) return known;
		const listed = await listModelsFor(this.server, 'embeddings', signal).catch(() => []);
		const model = listed.find(isReady)?.id ?? '';
		models.set(key, model);
		return model;
	}

	private async vectorsOf(
		model: string,
		texts: readonly string[],
		role: keyof Prefixes,
		signal: AbortSignal,
	): Promise<number[][]> {
		const keyOf = (text: string) => `${this.server.url.api} ${model} ${role} ${text}`;
		const missing = [...new Set(texts)].filter((text) => vectors.get(keyOf(text)) === undefined);
		const client = new Embedder(this.server, {
			model,
			prefixes: {},
			longTexts: 'truncate',
			blankTexts: 'space',
			batchSize: 32,
			priority: 'person',
			limits: {},
			retries: 0,
		});
		const made = await client.embed(missing, role, signal);
		const fresh = new Map(missing.map((text, at) => [text, made.vectors[at]!]));
		for (const [text, vector] of fresh) vectors.set(keyOf(text), vector);
		return texts.map((text) => fresh.get(text) ?? vectors.get(keyOf(text)) ?? []);
	}
}

/** A model that must be loaded first would take the place of the chat model on many servers. */
function isReady({ embeddings, reranks, remoteHost, state }: ServerModel): boolean {
	const isLoaded = state === undefined || state === 'loaded';
	return embeddings === true && reranks !== true && remoteHost === undefined && isLoaded;
}

function cosine(one: readonly number[], other: readonly number[]): number {
	const lengths = Math.sqrt(product(one, one) * product(other, other));
	return lengths === 0 ? 0 : product(one, other) / lengths;
}

function product(one: readonly number[], other: readonly number[]): number {
	return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}
