import { type JsonRecord, optional } from '../../values';
import type { Question } from './questions';
import type { Decision } from './wire';

/** A decision as users read it. */
export interface DecidedAnswer {
	/** The option, the level in words, or whether it is yes; null where the model named none. */
	answer: string | boolean | null;
	/** The probability of the answer. */
	probability?: number;
	/** The probability of each option. */
	probabilities?: JsonRecord;
	/** Of a score: the mean level, from 0 on. */
	score?: number;
	/** Of a score: the number of its level. */
	level?: number;
	/** Whether the answer is missing, or less likely than the threshold. */
	undecided: boolean;
	/** The model's text, if it names no option. */
	text?: string;
}

/** @param threshold the least probability of an answer, from 0 to 1; 0: any */
export function answerTo(
	{ kind, options }: Question,
	{ option, probabilities, score, unread }: Decision,
	threshold: number,
): DecidedAnswer {
	const probability = option === undefined ? undefined : rounded(probabilities?.[option]);
	const isUnsure = threshold > 0 && (probability ?? 0) < threshold;
	return {
		answer: answerOf(kind, options, option),
		...optional({
			probability,
			probabilities:
				probabilities &&
				Object.fromEntries(options.map(({ name }, at) => [name, rounded(probabilities[at])])),
			score: rounded(score),
			level: kind === 'score' ? option : undefined,
			text: unread,
		}),
		undecided: option === undefined || isUnsure,
	};
}

function answerOf(
	kind: Question['kind'],
	options: Question['options'],
	option: number | undefined,
): DecidedAnswer['answer'] {
	if (option === undefined) return null;
	return kind === 'yesNo' ? option === 0 : options[option]!.name;
}

/** To six decimals. */
export function rounded(probability: number | undefined): number | undefined {
	return probability === undefined ? undefined : Math.round(probability * 1e6) / 1e6;
}
