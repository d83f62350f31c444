/** Reads the answers of rerank routes by what they hold. Pure. */
import { isRecord } from '../values';

export interface Scored {
	/** Of the document in the request. */
	index: number;
	score: number;
}

/**
 * The scores of an answer, in its order. Known forms: `{results: [{index, relevance_score}]}` (Jina, Cohere,
 * llama-server, vLLM, GPUStack), `[{index, score}]` (Text Embeddings Inference), `{data: […]}`. Texts are never taken
 * from it.
 *
 * @param count of documents that were sent
 */
export function readScores(json: unknown, count: number): { scores: Scored[]; tokens?: number } | { fault: string } {
	const list = isRecord(json) ? [json.results, json.data].find((one) => Array.isArray(one)) : json;
	if (!Array.isArray(list)) return { fault: 'the answer holds no scores' };
	const seen = new Set<number>();
	const scores: Scored[] = [];
	for (const entry of list as unknown[]) {
		const { index, relevance_score: relevance, score = relevance } = isRecord(entry) ? entry : {};
		const value = relevance ?? score;
		if (typeof index !== 'number' || !Number.isInteger(index)) return { fault: 'a score has no index of its document' };
		if (index < 0 || index >= count)
			return { fault: `a score is for document ${index + 1}, but ${count} ${count === 1 ? 'was' : 'were'} sent` };
		if (seen.has(index)) return { fault: `document ${index + 1} has two scores` };
		if (typeof value !== 'number' || !Number.isFinite(value))
			return { fault: `the score of document ${index + 1} is no number` };
		seen.add(index);
		scores.push({ index, score: value });
	}
	const usage = isRecord(json) && isRecord(json.usage) ? json.usage : {};
	const tokens = [usage.prompt_tokens, usage.total_tokens].find((value) => typeof value === 'number');
	return { scores, ...(tokens === undefined ? {} : { tokens }) };
}
