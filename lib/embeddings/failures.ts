/** Errors of embeddings that name the text. */
import type { BatchText } from '../batches/client';
import { missingFeature, sizeInWords, startOf } from '../batches/failures';
import { failure, type FailureContext, invalidInput } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { type KindName, kindOf } from '../servers/kinds';
import type { Fault } from './read';
import type { TooLong } from '../servers/text-refusals';

/** Error for a text that is not sent. `what` continues the sentence "Text 3 …". */
export function refusedText(index: number, what: string): ServerError {
	return invalidInput(
		`Text ${index + 1} ${what}`,
		'Filter such items out before the vector store, or set the option Blank Texts to "Embed as a Space" where texts are empty.',
		{
			meaning: `Text ${index + 1} ${what}, so it has no meaning that a vector could stand for`,
			facts: { index },
		},
	);
}

export function textTooLong(
	error: ServerError,
	{ index, text }: BatchText,
	tooLong: TooLong,
	kind: KindName,
): ServerError {
	const { size, most } = sizeInWords(tooLong);
	const { longerTexts = '' } = kindOf(kind).words;
	return error.reworded({
		kind: 'contextOverflow',
		message: `Text ${index + 1} is too long for the embedding model`,
		meaning: `Text ${index + 1}${size} ("${startOf(text)}") is too long for the embedding model${most}`,
		remedy:
			`Split documents into smaller chunks, or set the option Long Texts to cut. ${longerTexts}`.trim(),
		facts: { index, ...tooLong },
	});
}

/** Ollama reports NaN for a whole batch without naming the text. */
export function notANumber(error: ServerError, { index, text }: BatchText): ServerError {
	return error.reworded({
		message: `The vector of text ${index + 1} holds no numbers`,
		meaning: `The model gives a vector for text ${index + 1} ("${startOf(text)}") that holds no numbers (NaN)`,
		remedy:
			'Models in half precision do that on some graphics cards. Run the model on the CPU (PARAMETER num_gpu 0 in its Modelfile), or take another quantization.',
		facts: { index },
	});
}

/** A text that the server refuses while it takes others. */
export function refusedAlone(error: ServerError, { index, text }: BatchText): ServerError {
	return error.reworded({
		message: `The server refuses text ${index + 1}`,
		meaning: `The server refuses text ${index + 1} ("${startOf(text)}"), and takes others`,
		remedy:
			'Look at this text: characters that the model cannot read, or a length that it does not take.',
		facts: { index },
	});
}

/** A text whose answer is no JSON. */
export function unreadableAlone(error: ServerError, { index, text }: BatchText): ServerError {
	return error.reworded({
		message: `The answer of the server for text ${index + 1} cannot be read`,
		meaning: `The answer of the server for text ${index + 1} ("${startOf(text)}") is no JSON`,
		remedy:
			'Where it holds values that are no numbers, the model failed on this text: use another quantization, or run the model on the CPU.',
		facts: { index },
	});
}

export function unusable(
	{ fault, remedy }: Fault,
	context: FailureContext,
	text?: BatchText,
): ServerError {
	const where = text === undefined ? '' : ` (text ${text.index + 1}: "${startOf(text.text)}")`;
	const message = `The server sent embeddings that cannot be used: ${fault}`;
	return failure('invalidAnswer', context, {
		message,
		meaning: `${message}${where}. Nothing of it was handed on`,
		remedy:
			remedy ??
			'Check that the Base URL leads to a server for embeddings, and that the model is one for embeddings.',
		facts: text === undefined ? {} : { index: text.index },
	});
}

export function wrongSize(
	context: FailureContext,
	{
		model,
		length,
		expected,
		option,
	}: { model: string; length: number; expected: number; option: string },
): ServerError {
	const message = `The model "${model}" gives vectors of ${length} numbers, not of ${expected}`;
	return failure('invalidAnswer', context, {
		message,
		meaning: `${message} as the option ${option} says. Nothing was handed on`,
		remedy: 'Choose the model that the store was filled with, or correct the option.',
		facts: { dimensions: length },
	});
}

/** Two servers of one credential run different models under one name. */
export function differentModels(
	context: FailureContext,
	{
		length,
		expected,
		here,
		there,
	}: { length: number; expected: number; here: string; there: string },
): ServerError {
	return failure('invalidAnswer', context, {
		message: 'The servers of the credential run different embedding models',
		meaning: `The servers of the credential run different embedding models: vectors of ${here} have ${length} numbers, those of ${there} have ${expected}. Nothing was handed on`,
		remedy:
			'Run the same model file on each server. Vectors of two models, or of two quantizations of one, cannot be compared.',
		facts: { [here]: length, [there]: expected },
	});
}

/** Rewords the refusal of a server that lacks something (pooling, a route, the model), where it says so. */
export function explained(
	error: ServerError,
	call: { kind: KindName; model: string },
): ServerError {
	if (!/pooling type 'none'/i.test(error.serverText ?? ''))
		return missingFeature(error, call, 'embeddings') ?? error;
	return error.reworded({
		kind: 'notSupported',
		message: 'The server does not combine the vectors of the tokens into one',
		remedy:
			'Choose an embedding model. If it is one, start the server with --pooling mean, cls or last, as the model wants.',
	});
}
