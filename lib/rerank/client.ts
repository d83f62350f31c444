import {
	type BatchCall,
	BatchClient,
	type BatchCounts,
	type BatchSettings,
	type BatchText,
	halves,
	type Refused,
} from '../batches/client';
import { missingFeature, sizeInWords, startOf } from '../batches/failures';
import { learnedOf } from '../batches/learned';
import { failure, invalidInput } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import {
	aliasWithoutRerank,
	isIdentified,
	type KindName,
	kindOfRefusal,
	kindOf,
} from '../servers/kinds';
import { breakerFor } from '../servers/control-tokens';
import type { TooLong } from '../servers/text-refusals';
import { type JsonRecord, optional } from '../values';
import { ranked, remarksOn, type RankSettings } from './rank';
import { readScores, type Scored } from './read';

export interface RerankSettings extends RankSettings, BatchSettings {
	longDocuments: 'fail' | 'truncate';
	/** Put in front of the query. */
	instruction: string;
}

export interface Ranking extends BatchCounts {
	/** Best first. A document without text has no score and stands at the end. */
	ranking: Array<{ index: number; score?: number }>;
	remarks: string[];
}

/** A document and the query it is ranked by. */
interface RankedText extends BatchText {
	query: string;
}

/** Orders documents by a query on a server with one set of settings. */
export class RerankClient extends BatchClient<RerankSettings, RankedText, Scored> {
	constructor(connection: Connection, settings: RerankSettings) {
		super(connection, settings, 'reranking');
	}

	/** @throws {ServerError} naming the document, where one is at fault */
	async rerank(query: string, texts: readonly string[], signal?: AbortSignal): Promise<Ranking> {
		if (texts.length === 0) return { requests: 0, truncated: 0, ranking: [], remarks: [] };
		if (query.trim() === '')
			throw invalidInput(
				'The query is empty, so nothing can be ranked by it',
				'Check the expression in the prompt of the vector store.',
			);
		const { topN, instruction, minimumScore, scores: form } = this.settings;
		const fullQuery = instruction + query;
		const all = texts.map((text, index) => ({ index, text, query: fullQuery }));
		const documents = all.filter(({ text }) => text.trim() !== '');
		const blank = all.filter(({ text }) => text.trim() === '').map(({ index }) => ({ index }));
		const top = (ranking: Ranking['ranking']) => (topN > 0 ? ranking.slice(0, topN) : ranking);
		if (documents.length === 0)
			return { requests: 0, truncated: 0, ranking: top(blank), remarks: [] };
		const { result: scores, counts } = await this.atServer(
			signal,
			async (call) => await this.allOf(call, this.batches(documents, call.connection)),
		);
		const { requests, truncated, tokens } = counts;
		const remarks = remarksOn(scores, form, texts);
		if (scores.length < top(documents).length)
			remarks.push(
				`The server returned ${scores.length} scores for ${documents.length} documents. The others are left out.`,
			);
		const unranked = minimumScore === undefined ? blank : [];
		return {
			requests,
			truncated,
			...optional({ tokens }),
			ranking: top([...ranked(scores, this.settings), ...unranked]),
			remarks,
		};
	}

	protected async afterRefusal(
		call: BatchCall,
		batch: RankedText[],
		refused: Refused,
	): Promise<Scored[]> {
		const { error, tooLong, isLast, depth } = refused;
		if (this.learnsOtherRoute(call, refused)) return await this.ofBatch(call, batch);
		if (tooLong === undefined) throw explained(error, call);
		if (batch.length > 1) return await this.allOf(call, halves(batch));
		const [document] = batch as [RankedText];
		if (this.settings.longDocuments === 'fail' || isLast)
			throw documentTooLong(error, document, tooLong, call.kind);
		return await this.truncated(call, document, depth, () => {
			const text = fitBesideQuery(document, tooLong);
			if (text === undefined) throw documentTooLong(error, document, tooLong, call.kind);
			return { ...document, text, isShortened: true };
		});
	}

	protected async send(call: BatchCall, batch: readonly RankedText[]): Promise<Scored[]> {
		const harmless = await withoutControlTokens(batch);
		const { content, context } = await this.ask(call, this.request(call, harmless), (json) =>
			readScores(json, batch.length),
		);
		if ('fault' in content)
			throw failure('invalidAnswer', context, {
				message: `The ranking of the server cannot be used: ${content.fault}`,
				remedy:
					'Check that the Base URL leads to a server with a rerank route, and that the model is a reranker.',
			});
		return content.scores.map(({ index, score }) => ({ index: batch[index]!.index, score }));
	}

	/**
	 * Jina's route below the API, or one at the root with the field names of Jina and of TEI: each server takes its own and
	 * ignores the others.
	 */
	private request({ connection, model, kind }: BatchCall, batch: readonly RankedText[]) {
		const { topN } = this.settings;
		const texts = batch.map(({ text }) => text);
		const [{ query }] = batch as [RankedText];
		const truncate = batch.some(({ isCutByServer }) => isCutByServer === true);
		const { truncateFields } = kindOf(kind).rerank;
		const json: JsonRecord = { model, query, documents: texts };
		// 0 means none to llama-server and all to vLLM.
		if (topN > 0) json.top_n = Math.min(topN, texts.length);
		if (truncate) Object.assign(json, truncateFields);
		if (learnedOf(connection, this.settings.model).reranksAtRoot !== true)
			return { url: `${connection.url.api}/rerank`, json };
		return { url: `${connection.url.root}/rerank`, json: { ...json, texts, truncate } };
	}

	/** Whether a server of an unknown kind lacks the route below its API: TEI has it at the root. */
	private learnsOtherRoute({ connection, kind }: BatchCall, { error, known }: Refused): boolean {
		const isMissing = error.kind === 'wrongPath' && !isIdentified(kind);
		if (!isMissing || known.reranksAtRoot === true) return false;
		learnedOf(connection, this.settings.model).reranksAtRoot = true;
		return true;
	}
}

/** A document with the tokens of the reranker's prompt would stand outside of its place there, and could answer for it. */
async function withoutControlTokens(batch: readonly RankedText[]): Promise<RankedText[]> {
	const texts = batch.flatMap(({ text, query }) => [text, query]);
	const change = await breakerFor(texts);
	return batch.map((one) => ({ ...one, text: change(one.text), query: change(one.query) }));
}

/** The beginning of a document that should fit beside the query; undefined where nothing is left of it. */
function fitBesideQuery({ text }: RankedText, tooLong: TooLong): string | undefined {
	const cut = text.slice(0, Math.floor(text.length * fittingShare(tooLong)));
	const whole = cut.replace(/[\uD800-\uDBFF]$/, '');
	return whole.trim() === '' ? undefined : whole;
}

/** The share of a document that should fit, by the server's own count where it gives one. */
function fittingShare({ limit, tokens }: TooLong): number {
	const isCounted = limit !== undefined && tokens !== undefined && tokens > limit;
	return isCounted ? (limit / tokens) * 0.9 : 0.5;
}

function documentTooLong(
	error: ServerError,
	{ index, text }: RankedText,
	tooLong: TooLong,
	kind: KindName,
): ServerError {
	const { size, most } = sizeInWords(tooLong);
	const { longerTexts = '' } = kindOf(kind).words;
	return error.reworded({
		kind: 'contextOverflow',
		message: `Document ${index + 1} and the query are too long for the reranker`,
		meaning: `Document ${index + 1} ("${startOf(text)}") and the query are together${size} too long for the reranker${most}`,
		remedy:
			`Split documents into smaller chunks before they are stored, or set the option Long Documents to cut. ${longerTexts}`.trim(),
		facts: { index, ...tooLong },
	});
}

/** Rewords the refusal of a server that cannot rerank, where it says so. */
function explained(error: ServerError, call: BatchCall): ServerError {
	const { status, serverText = '' } = error;
	const missing = missingFeature(error, call, 'reranking');
	if (missing !== undefined) return missing;
	if ((status !== 404 && status !== 405) || error.kind === 'modelNotFound') return error;
	if (kindOf(call.kind).hasEveryRoute) return error;
	const { api, root } = call.connection.url;
	const address = aliasWithoutRerank(api);
	if (address !== undefined)
		return error.reworded({
			kind: 'notSupported',
			message: `The address ${address.alias} of ${address.label} has no route for reranking`,
			remedy: `Type ${root} as the Base URL of the credential. The package adds /v1 itself.`,
		});
	const likely = (isIdentified(call.kind) ? undefined : kindOfRefusal(serverText)) ?? call.kind;
	return error.reworded({
		kind: 'notSupported',
		message: 'The server has no route for reranking',
		remedy: kindOf(likely).words.rerankOff,
	});
}
