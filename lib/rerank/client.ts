import { batchesOf } from '../servers/batches';
import { tokensOf } from '../servers/manage/tokenize';
import { batchLimitIn, tooLongIn, type TooLong } from '../servers/text-refusals';
import { failure, type FailureContext, invalidInput } from '../errors/failure';
import { asFailed, type ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { Limits } from '../http/limits';
import { aliasWithoutRerank, kindOfRefusal, traitsOf } from '../servers/kinds';
import type { ServerKind } from '../servers/kinds/kind';
import { requireModel } from '../servers/model-names';
import { type Attempt, ServerPool } from '../servers/pool/server-pool';
import { noteOnMove } from '../servers/pool/moves';
import { fitKinds } from '../servers/purpose';
import { retryIdempotent, retryOptions } from '../servers/retry';
import { inSpan } from '../tracing/span';
import { isRecord } from '../values';
import { ranked, remarksOn, type RankSettings } from './rank';
import { readScores, type Scored } from './read';

export interface RerankSettings extends RankSettings {
	model: string;
	longDocuments: 'fail' | 'truncate';
	/** Documents in one request. */
	batchSize: number;
	/** Put in front of the query. */
	instruction: string;
	limits: Partial<Limits>;
	retries: number;
}

export interface Ranking {
	/** Best first. A document without text has no score and stands at the end. */
	ranking: Array<{ index: number; score?: number }>;
	/** As far as the server counts them. */
	tokens?: number;
	requests: number;
	truncated: number;
	/** Which of several servers answered. */
	server?: string;
	remarks: string[];
}

interface Document {
	index: number;
	text: string;
	isShortened?: boolean;
	/** The server was told to keep its beginning only. */
	isCutByServer?: boolean;
}

interface Call extends Attempt {
	kind: ServerKind;
	query: string;
	signal?: AbortSignal;
	done: { tokens?: number; requests: number; truncated: number };
}

const SHOWN_CHARACTERS = 80;
/** What a model puts between query and document. */
const BETWEEN_TOKENS = 4;
const MAX_DEPTH = 12;
const DETOKENIZE_LIMIT_MS = 60_000;

/** Orders documents by a query on the servers of a credential with one set of settings. */
export class RerankClient {
	private readonly servers: ServerPool;
	private readonly kindOf = fitKinds('reranking');
	/** Documents that a server takes in one request, once it said so. */
	private most = Infinity;

	constructor(
		servers: Connection | ServerPool,
		readonly settings: RerankSettings,
	) {
		requireModel(settings.model);
		this.servers = ServerPool.of(servers);
	}

	/** @throws {ServerError} naming the document, where one is at fault */
	async rerank(query: string, texts: readonly string[], signal?: AbortSignal): Promise<Ranking> {
		const done = { requests: 0, truncated: 0 };
		if (texts.length === 0) return { ...done, ranking: [], remarks: [] };
		if (query.trim() === '')
			throw invalidInput(
				'The query is empty, so nothing can be ranked by it',
				'Check the expression in the prompt of the vector store.',
			);
		const documents = texts.map((text, index) => ({ index, text })).filter(({ text }) => text.trim() !== '');
		const blank = texts.flatMap((text, index) => (text.trim() === '' ? [{ index }] : []));
		const { topN } = this.settings;
		if (documents.length === 0) return { ...done, ranking: topN > 0 ? blank.slice(0, topN) : blank, remarks: [] };
		// All of a call goes to one server: scores of two can only be compared where both run the very same model.
		const served = await this.servers.run(
			async (attempt) => {
				const kind = await this.kindOf(attempt, signal);
				const own: Call['done'] = { requests: 0, truncated: 0 };
				return await inSpan(
					attempt.connection,
					{ operation: 'rerank', model: attempt.model, provider: kind },
					async (connection) => {
						const asked = this.settings.instruction + query;
						const call: Call = { ...attempt, connection, kind, query: asked, signal, done: own };
						return { scores: await this.scoreAll(call, this.batches(documents)), done: own };
					},
					() => ({ usage: { promptTokens: own.tokens } }),
				);
			},
			{
				model: this.settings.model.trim(),
				limits: this.settings.limits,
				idempotent: true,
				signal,
				retry: (connection) => retryIdempotent(connection, retryOptions(this.settings)),
			},
		);
		const { scores } = served.value;
		const { root } = served.connection.url;
		const best = ranked(scores, this.settings);
		const moved = noteOnMove(served.passedOver, root);
		const remarks = [...(moved === undefined ? [] : [moved]), ...remarksOn(scores, this.settings.scores, texts)];
		const wanted = topN > 0 ? Math.min(topN, documents.length) : documents.length;
		if (scores.length < wanted)
			remarks.push(
				`The server returned ${scores.length} scores for ${documents.length} documents. The others are left out.`,
			);
		const unranked = this.settings.minimumScore === undefined ? blank : [];
		const ranking = [...best, ...unranked];
		return {
			...served.value.done,
			...(this.servers.hasSeveral ? { server: root } : {}),
			ranking: topN > 0 ? ranking.slice(0, topN) : ranking,
			remarks,
		};
	}

	private batches(documents: readonly Document[]): Document[][] {
		const texts = documents.map(({ text }) => text);
		let next = 0;
		return batchesOf(texts, { count: Math.min(this.settings.batchSize, this.most) }).map(({ length }) =>
			documents.slice(next, (next += length)),
		);
	}

	private async scoreAll(call: Call, batches: readonly Document[][]): Promise<Scored[]> {
		const scores: Scored[] = [];
		for (const batch of batches) scores.push(...(await this.score(call, batch)));
		return scores;
	}

	private async score(call: Call, batch: Document[], depth = 0): Promise<Scored[]> {
		const outcome = await this.send(call, batch).catch(asFailed);
		if (!('failed' in outcome)) return outcome;
		const error = outcome.failed;
		if (call.signal?.aborted === true) throw error;
		const most = batchLimitIn(error);
		if (most !== undefined && batch.length > most) {
			this.most = most;
			return await this.scoreAll(call, this.batches(batch));
		}
		const tooLong = tooLongIn(error);
		const isTooMuch = tooLong !== undefined || error.kind === 'tooLarge';
		if (batch.length > 1 && isTooMuch) {
			const middle = Math.ceil(batch.length / 2);
			return await this.scoreAll(call, [batch.slice(0, middle), batch.slice(middle)]);
		}
		if (tooLong === undefined) throw this.explained(error, call);
		const [document] = batch as [Document];
		if (this.settings.longDocuments === 'fail' || depth >= MAX_DEPTH)
			throw this.tooLong(error, call, document, tooLong);
		// Told to cut from the start, a server does not say how many documents it cut.
		if (cutsItself(call.kind) && document.isCutByServer !== true) {
			call.done.truncated++;
			return await this.score(call, [{ ...document, isCutByServer: true }], depth + 1);
		}
		const text = await this.shortened(call, document, tooLong);
		if (text === undefined) throw this.tooLong(error, call, document, tooLong);
		const scores = await this.score(call, [{ ...document, text, isShortened: true }], depth + 1);
		if (document.isShortened !== true && document.isCutByServer !== true) call.done.truncated++;
		return scores;
	}

	private async send(call: Call, batch: readonly Document[]): Promise<Scored[]> {
		const { connection, model, limits, retry } = call;
		const about = { model };
		const { url, json } = this.request(call, batch);
		call.done.requests++;
		const answer = await connection.answer(url, {
			json,
			signal: call.signal,
			about,
			limits,
			retry: retry?.(),
			reuse: true,
		});
		if (!Array.isArray(answer.json) && !isRecord(answer.json)) throw connection.refusal(answer, about);
		const read = readScores(answer.json, batch.length);
		if ('fault' in read) {
			if (isRecord(answer.json) && 'error' in answer.json) throw connection.refusal(answer, about);
			throw failure('invalidAnswer', connection.contextOf(answer.url, about), {
				message: `The ranking of the server cannot be used: ${read.fault}`,
				remedy: 'Check that the Base URL leads to a server with a rerank route, and that the model is a reranker.',
			});
		}
		if (read.tokens !== undefined) call.done.tokens = (call.done.tokens ?? 0) + read.tokens;
		return read.scores.map(({ index, score }) => ({ index: batch[index]!.index, score }));
	}

	/** By its own route, or by that of Jina. */
	private request({ connection: { url }, model, kind, query }: Call, batch: readonly Document[]) {
		const { topN } = this.settings;
		const texts = batch.map(({ text }) => text);
		const truncate = batch.some(({ isCutByServer }) => isCutByServer === true);
		const { rerankRequest, truncateFields } = traitsOf(kind);
		const own = rerankRequest?.({ query, texts, truncate });
		if (own !== undefined) return { url: url.root + own.path, json: own.json };
		return {
			url: `${url.api}/rerank`,
			json: {
				model,
				query,
				documents: texts,
				// 0 means none to llama-server and all to vLLM.
				...(topN > 0 ? { top_n: Math.min(topN, texts.length) } : {}),
				...(truncate ? truncateFields : {}),
			},
		};
	}

	/** The beginning of a document that fits beside the query; undefined where the query alone is too long. */
	private async shortened(
		{ connection, kind, query, signal }: Call,
		{ text }: Document,
		{ limit, tokens }: TooLong,
	): Promise<string | undefined> {
		if (traitsOf(kind).llamaApi === 'oneModel' && limit !== undefined) {
			const asked = await tokensOf(connection, query, { special: false, signal });
			const held = await tokensOf(connection, text, { special: false, signal });
			if (asked !== undefined && held !== undefined) {
				const budget = limit - asked.length - BETWEEN_TOKENS;
				if (budget < 1) return undefined;
				// Where they fit by this count, the model puts more between them.
				const kept = held.slice(0, Math.min(budget, Math.floor(held.length * 0.95)));
				const url = `${connection.url.root}/detokenize`;
				const options = { json: { tokens: kept }, once: false, timeoutMs: DETOKENIZE_LIMIT_MS, signal };
				const { content } = await connection.json(url, options);
				if (typeof content === 'string' && content.trim() !== '') return content;
			}
		}
		const share = limit !== undefined && tokens !== undefined && tokens > limit ? (limit / tokens) * 0.9 : 0.5;
		const cut = text.slice(0, Math.floor(text.length * share)).replace(/[\uD800-\uDBFF]$/, '');
		return cut.trim() === '' ? undefined : cut;
	}

	private tooLong(
		{ status, serverText, url }: ServerError,
		call: Call,
		{ index, text }: Document,
		facts: TooLong,
	): ServerError {
		const { tokens, limit } = facts;
		const size = tokens === undefined ? '' : ` of ${tokens} tokens`;
		const most = limit === undefined ? '' : `, which reads at most ${limit} tokens`;
		const start = text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
		return failure('contextOverflow', contextOf(call, url), {
			status,
			serverText,
			message: `Document ${index + 1} and the query are too long for the reranker`,
			meaning: `Document ${index + 1} ("${start}") and the query are together${size} too long for the reranker${most}`,
			remedy:
				'Split documents into smaller chunks before they are stored, or set the option Long Documents to cut. With llama-server, -ub and -b raise the limit, for example -ub 2048 -b 2048.',
			facts: { index, ...facts },
		});
	}

	/** What the server lacks, where its refusal tells. */
	private explained(error: ServerError, call: Call): ServerError {
		const { connection, kind, model } = call;
		const { status, serverText = '', url } = error;
		const { advice } = traitsOf(kind);
		const context = contextOf(call, url);
		if (error.kind === 'notSupported')
			return failure('notSupported', context, {
				status,
				serverText,
				message: 'The server was not started for reranking',
				remedy: advice.rerankOff,
			});
		if (error.kind === 'modelNotFound' && advice.missingModel !== undefined)
			return failure('modelNotFound', context, {
				status,
				serverText,
				remedy: `Choose the model from the list, or ${advice.missingModel(model)}`,
			});
		if (status !== 404 && status !== 405) return error;
		const { api, root } = connection.url;
		const found = aliasWithoutRerank(api);
		if (found !== undefined)
			return failure('notSupported', context, {
				status,
				serverText,
				message: `The address ${found.alias} of ${found.label} has no route for reranking`,
				remedy: `Type ${root} as the Base URL of the credential. The package adds /v1 itself.`,
			});
		const likely = (kind === 'other' ? kindOfRefusal(serverText) : undefined) ?? kind;
		return failure('notSupported', context, {
			status,
			serverText,
			message: 'The server has no route for reranking',
			remedy: traitsOf(likely).advice.rerankOff,
		});
	}
}

/** Whether it keeps the beginning of a long document where it is told to. */
function cutsItself(kind: ServerKind): boolean {
	const { rerankRequest, truncateFields } = traitsOf(kind);
	return rerankRequest !== undefined || truncateFields !== undefined;
}

function contextOf({ connection, model }: Call, url = connection.url.api): FailureContext {
	return connection.contextOf(url, { model });
}
