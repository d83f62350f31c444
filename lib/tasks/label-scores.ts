/** How likely each label is, by the probabilities of tokens. */
import { type JsonRecord, asRecords, withoutEnds } from '../values';
import { stripPunctuation } from './parse-labels';

/**
 * The probability of each label, from the alternatives to the tokens that are the labels of the answer; undefined where
 * the server sends none, or where these tokens cannot be identified. Servers list the likeliest tokens before the
 * grammar is applied, so tokens that are no label are left out, and the rest is scaled to add up to 1.
 *
 * @param logprobs in the form of OpenAI's `logprobs.content`, which Ollama's `logprobs` has too; may include the
 *   thinking
 * @param answer the text without thinking, and the indexes of the labels that it names
 * @returns for each of these labels, in their order, one list with a score from 0 to 1 per label
 */
export function computeLabelScores(
	logprobs: unknown,
	keys: readonly string[],
	answer: { text: string; labels: readonly number[] },
): number[][] | undefined {
	const labelTokens = answerTokens(logprobs, answer.text).filter(
		({ token }) => keyIn(token, keys) >= 0,
	);
	const labels = labelTokens.map(({ token }) => keyIn(token, keys));
	if (labels.length === 0 || labels.join() !== answer.labels.join()) return undefined;
	const scores: number[][] = [];
	for (const token of labelTokens) {
		const weights = weightsOf(token, keys);
		const total = weights.reduce((sum, weight) => sum + weight, 0);
		if (total <= 0) return undefined;
		scores.push(weights.map((weight) => weight / total));
	}
	return scores;
}

interface AnswerToken {
	token: string;
	/** The alternatives to it. */
	top: JsonRecord[];
}

/** The tokens of the answer, without those of thinking before it. */
function answerTokens(logprobs: unknown, answer: string): AnswerToken[] {
	const tokens = asRecords(logprobs).map((one) => ({
		token: String(one.token),
		top: asRecords(one.top_logprobs),
	}));
	const wholeText = tokens.map(({ token }) => token).join('');
	const from = wholeText.lastIndexOf(stripPunctuation(answer));
	if (from < 0) return [];
	let end = 0;
	return tokens.filter(({ token }) => {
		end += token.length;
		return end > from;
	});
}

/** The probability of each key among the alternatives to a token; all 0 where the server lists no alternatives. */
function weightsOf({ token, top }: AnswerToken, keys: readonly string[]): number[] {
	const weights = keys.map(() => 0);
	if (top.length < 2 || !top.some((option) => option.token === token)) return weights;
	for (const option of top) {
		const key = keyIn(option.token, keys);
		if (key >= 0) weights[key]! += probabilityOf(option);
	}
	return weights;
}

function probabilityOf({ logprob }: JsonRecord): number {
	return typeof logprob === 'number' ? Math.exp(Math.min(0, logprob)) : 0;
}

/** The index of the label that a token stands for, or -1. Tokens may have a space in front, or the quotes of JSON. */
function keyIn(token: unknown, keys: readonly string[]): number {
	if (typeof token !== 'string') return -1;
	return keys.indexOf(withoutEnds(token, /[\s"[▁Ġ]/, /[\s"\],]/));
}
