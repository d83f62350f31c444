/** From scores to a ranking. Pure. */
import type { Scored } from './read';
import { largestOf, smallestOf } from '../values';

export interface RankSettings {
	/** `sigmoid`: for models that give logits. */
	scores: 'received' | 'sigmoid';
	/** Documents with a lower score are left out. */
	minimumScore?: number;
	/** 0: all. */
	topN: number;
}

const FLAT = 1e-3;

/** Best first; equal scores keep the order of the documents. */
export function ranked(
	scores: readonly Scored[],
	{ scores: form, minimumScore = -Infinity, topN }: RankSettings,
): Scored[] {
	const own = scores
		.map(({ index, score }) => ({ index, score: form === 'sigmoid' ? sigmoid(score) : score }))
		.filter(({ score }) => score >= minimumScore)
		.sort((one, other) => other.score - one.score || one.index - other.index);
	return topN > 0 ? own.slice(0, topN) : own;
}

/** Between 0 and 1 for any number. */
export function sigmoid(value: number): number {
	if (value >= 0) return 1 / (1 + Math.exp(-value));
	const small = Math.exp(value);
	return small / (1 + small);
}

/** Warnings about scores that a reranker would hardly give. */
export function remarksOn(
	scores: readonly Scored[],
	form: RankSettings['scores'],
	texts: readonly string[],
): string[] {
	const values = scores.map(({ score }) => score);
	const [least, most] = [smallestOf(values), largestOf(values)];
	const remarks: string[] = [];
	if (form === 'sigmoid' && values.length > 0 && least >= 0 && most <= 1)
		remarks.push(
			'The scores of the server lie between 0 and 1 already. Set Scores to "As Received": the sigmoid presses them together.',
		);
	if (values.length >= 3 && new Set(texts).size >= 3 && most - least < FLAT)
		remarks.push('All documents have about the same score. The model may not be a reranker.');
	return remarks;
}
