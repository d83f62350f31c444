/** Computes label probabilities from token probabilities. */
import { type JsonRecord, asRecords, withoutEnds } from '../values';
import { stripPunctuation } from './parse-labels';

/**
 * Probability of each label, from the alternatives to the label tokens of the completion; undefined if the server sends
 * none, or if these tokens cannot be identified. Servers list the most likely tokens before the grammar is applied, so
 * tokens that are not labels are omitted, and the others are scaled to add up to 1.
 *
 * @param logprobs as in OpenAI's `logprobs.content` and Ollama's `logprobs`; may include the reasoning
 * @param completion text without reasoning, and the indexes of its labels
 * @returns for each of these labels, in their order, one list with a score from 0 to 1 per label
 */
export function computeLabelScores(
	logprobs: unknown,
	keys: readonly string[],
	completion: { text: string; labels: readonly number[] },
): number[][] | undefined {
	const labelTokens = getCompletionTokens(logprobs, completion.text).filter(
		({ token }) => findKey(token, keys) >= 0,
	);
	const labels = labelTokens.map(({ token }) => findKey(token, keys));
	if (labels.length === 0 || labels.join() !== completion.labels.join()) return undefined;
	const scores: number[][] = [];
	for (const token of labelTokens) {
		const weights = computeWeights(token, keys);
		const total = weights.reduce((sum, weight) => sum + weight, 0);
		if (total <= 0) return undefined;
		scores.push(weights.map((weight) => weight / total));
	}
	return scores;
}

interface CompletionToken {
	token: string;
	/** Alternatives to the token. */
	top: JsonRecord[];
}

/** Tokens of the text, without the reasoning before it. */
function getCompletionTokens(logprobs: unknown, completionText: string): CompletionToken[] {
	const tokens = asRecords(logprobs).map((entry) => ({
		token: String(entry.token),
		top: asRecords(entry.top_logprobs),
	}));
	const fullText = tokens.map(({ token }) => token).join('');
	const start = fullText.lastIndexOf(stripPunctuation(completionText));
	if (start < 0) return [];
	let end = 0;
	return tokens.filter(({ token }) => {
		end += token.length;
		return end > start;
	});
}

/** Probability of each key among the alternatives to a token; all 0 if the server lists no alternatives. */
function computeWeights({ token, top }: CompletionToken, keys: readonly string[]): number[] {
	const weights = keys.map(() => 0);
	if (top.length < 2 || !top.some((option) => option.token === token)) return weights;
	for (const option of top) {
		const key = findKey(option.token, keys);
		if (key >= 0) weights[key]! += toProbability(option);
	}
	return weights;
}

function toProbability({ logprob }: JsonRecord): number {
	return typeof logprob === 'number' ? Math.exp(Math.min(0, logprob)) : 0;
}

/** Index of the label of a token, or -1. Tokens may have a leading space, or JSON quotes. */
function findKey(token: unknown, keys: readonly string[]): number {
	if (typeof token !== 'string') return -1;
	return keys.indexOf(withoutEnds(token, /[\s"[▁Ġ]/, /[\s"\],]/));
}
