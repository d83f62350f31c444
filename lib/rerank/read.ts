/** Reads the answers of rerank routes by what they hold. Pure. */
import { textIndexes } from '../servers/answer-indexes';
import { isRecord, optional, plainNumber, recordOf } from '../values';

export interface Scored {
	/** Of the document in the request. */
	index: number;
	score: number;
}

/**
 * The scores of an answer, in its order. Known forms: `{results: [{index, relevance_score}]}` (Jina, Cohere,
 * llama-server, vLLM, GPUStack), `[{index, score}]` (Text Embeddings Inference), `{data: […]}`. Document texts in it
 * are ignored.
 *
 * @param count of documents that were sent
 */
export function readScores(
	json: unknown,
	count: number,
): { scores: Scored[]; tokens?: number } | { fault: string } {
	const list = isRecord(json) ? [json.results, json.data].find((one) => Array.isArray(one)) : json;
	if (!Array.isArray(list)) return { fault: 'the answer holds no scores' };
	const scores = new Map<number, number>();
	const indexes = textIndexes(list as unknown[], count);
	for (const [at, entry] of (list as unknown[]).entries()) {
		const index = indexes[at];
		const fault = faultOf(index, count, scores);
		if (fault !== undefined || index === undefined)
			return { fault: fault ?? 'a score has no index of its document' };
		const { relevance_score: relevance, score } = recordOf(entry);
		const value = plainNumber(relevance ?? score);
		if (value === undefined) return { fault: `the score of document ${index + 1} is not a number` };
		scores.set(index, value);
	}
	return {
		scores: [...scores].map(([index, score]) => ({ index, score })),
		...optional({ tokens: tokensIn(json) }),
	};
}

function faultOf(
	index: number | undefined,
	count: number,
	scores: ReadonlyMap<number, number>,
): string | undefined {
	if (index === undefined || !Number.isInteger(index))
		return 'a score has no index of its document';
	if (index < 0 || index >= count)
		return `a score is for document ${index + 1}, but ${count} ${count === 1 ? 'was' : 'were'} sent`;
	return scores.has(index) ? `document ${index + 1} has two scores` : undefined;
}

function tokensIn(json: unknown): number | undefined {
	const { prompt_tokens: prompt, total_tokens: total } = recordOf(recordOf(json).usage);
	return [prompt, total].find((value) => typeof value === 'number');
}
