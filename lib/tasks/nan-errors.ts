/** Errors of a model whose results are not numbers: NaN or infinity. */
import type { ServerError } from '../errors/server-error';
import type { IndexedText } from './long-texts';
import { excerpt } from './long-texts';

/** What a result is called. */
export interface NanWords {
	/** The text that it belongs to. */
	noun: 'Text' | 'Document';
	result: 'vector' | 'score';
}

/** Ollama's Go ("json: unsupported value: NaN", "embedding contains NaN or Inf values"), oMLX, Python's JSON. */
const NAN_PATTERN =
	/\bnan\b(?!-)|\bnon-?finite\b|\bnot (?:entirely )?finite\b|\bout of range float values\b|\binf(?:inity)? values?\b/i;

/** What to do about such a model. */
export const NAN_SUGGESTION =
	'Half-precision models fail on some texts and graphics cards: use another quantization, or run the model on the CPU (num_gpu 0 or -ngl 0).';

/** Whether a server reports results that are not numbers. */
export function isNanReported({ serverText = '' }: ServerError): boolean {
	return NAN_PATTERN.test(serverText);
}

/** The error of a text whose result is not a number, with its number and beginning; undefined for another error. */
export function explainNan(
	error: ServerError,
	{ index, text }: IndexedText,
	{ noun, result }: NanWords,
): ServerError | undefined {
	if (!isNanReported(error)) return undefined;
	const name = noun.toLowerCase();
	const subject = `The ${result} of ${name} ${index + 1}`;
	return error.copyWith({
		title: result === 'vector' ? `${subject} contains no numbers` : `${subject} is not a number`,
		detail:
			result === 'vector'
				? `The vector of ${name} ${index + 1} ("${excerpt(text)}") contains values that are not numbers`
				: `The score of ${name} ${index + 1} ("${excerpt(text)}") is not a number`,
		suggestion: NAN_SUGGESTION,
		facts: { index },
	});
}
