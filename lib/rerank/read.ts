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
	const seen = new Set<number>();
	const scores: Scored[] = [];
	const places = textIndexes(list as unknown[], count);
	for (const [at, entry] of (list as unknown[]).entries()) {
		const index = places[at];
		const { relevance_score: relevance, score } = recordOf(entry);
		const value = plainNumber(relevance ?? score);
		if (index === undefined || !Number.isInteger(index))
			return { fault: 'a score has no index of its document' };
		if (index < 0 || index >= count)
			return {
				fault: `a score is for document ${index + 1}, but ${count} ${count === 1 ? 'was' : 'were'} sent`,
			};
		if (seen.has(index)) return { fault: `document ${index + 1} has two scores` };
		if (value === undefined) return { fault: `the score of document ${index + 1} is not a number` };
		seen.add(index);
		scores.push({ index, score: value });
	}
	const usage = isRecord(json) && isRecord(json.usage) ? json.usage : {};
	const tokens = [usage.prompt_tokens, usage.total_tokens].find(
		(value) => typeof value === 'number',
	);
	return { scores, ...optional({ tokens }) };
}
