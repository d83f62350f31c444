/** What fails with embeddings, in words that name the text. */
import { failure, type FailureContext, invalidInput } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { traitsOf } from '../servers/kinds';
import type { ServerKind } from '../servers/kinds/kind';
import type { Fault } from './read';
import type { TooLong } from '../servers/text-refusals';

/** The text at fault, with its place in the call. */
export interface Culprit {
	index: number;
	text: string;
}

const SHOWN_CHARACTERS = 80;

/** A text that is not sent. `what` goes on after "Text 3". */
export function refusedText(index: number, what: string): ServerError {
	return invalidInput(
		`Text ${index + 1} ${what}`,
		'Filter such items out before the vector store, or set the option Blank Texts to "Embed as a Space" where texts are empty.',
		{ meaning: `Text ${index + 1} ${what}, so it has no meaning that a vector could stand for`, facts: { index } },
	);
}

export function textTooLong(
	{ status, serverText }: ServerError,
	context: FailureContext,
	{ index, text }: Culprit,
	{ tokens, limit }: TooLong,
): ServerError {
	const size = tokens === undefined ? '' : ` of ${tokens} tokens`;
	const most = limit === undefined ? '' : `, which reads at most ${limit} tokens`;
	return failure('contextOverflow', context, {
		status,
		serverText,
		message: `Text ${index + 1} is too long for the embedding model`,
		meaning: `Text ${index + 1}${size} ("${startOf(text)}") is too long for the embedding model${most}`,
		remedy:
			'Split documents into smaller chunks, or set the option Long Texts to cut or to average. With llama-server, -ub and -b raise the limit up to the context that the model was trained for, for example -ub 2048 -b 2048.',
		facts: { index, tokens, limit },
	});
}

/** Ollama says of a whole batch that it holds NaN. */
export function notANumber(
	{ kind, status, serverText }: ServerError,
	context: FailureContext,
	{ index, text }: Culprit,
): ServerError {
	return failure(kind, context, {
		status,
		serverText,
		message: `The vector of text ${index + 1} holds no numbers`,
		meaning: `The model gives a vector for text ${index + 1} ("${startOf(text)}") that holds no numbers (NaN)`,
		remedy:
			'Models in half precision do that on some graphics cards. Run the model on the CPU (Ollama: PARAMETER num_gpu 0 in its Modelfile), or take another quantization.',
		facts: { index },
	});
}

/** A text that the server refuses while it takes others. */
export function refusedAlone(
	{ kind, status, serverText }: ServerError,
	context: FailureContext,
	{ index, text }: Culprit,
): ServerError {
	return failure(kind, context, {
		status,
		serverText,
		message: `The server refuses text ${index + 1}`,
		meaning: `The server refuses text ${index + 1} ("${startOf(text)}"), and takes others`,
		remedy: 'Look at this text: signs that the model cannot read, or a length that it does not take.',
		facts: { index },
	});
}

export function unusable({ fault, remedy }: Fault, context: FailureContext, culprit?: Culprit): ServerError {
	const where = culprit === undefined ? '' : ` (text ${culprit.index + 1}: "${startOf(culprit.text)}")`;
	const message = `The server sent embeddings that cannot be used: ${fault}`;
	return failure('invalidAnswer', context, {
		message,
		meaning: `${message}${where}. Nothing of it was handed on`,
		remedy:
			remedy ?? 'Check that the Base URL leads to a server for embeddings, and that the model is one for embeddings.',
		facts: culprit === undefined ? {} : { index: culprit.index },
	});
}

export function wrongSize(
	context: FailureContext,
	{ model, length, wanted, option }: { model: string; length: number; wanted: number; option: string },
): ServerError {
	const message = `The model "${model}" gives vectors of ${length} numbers, not of ${wanted}`;
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
	{ length, wanted, here, there }: { length: number; wanted: number; here: string; there: string },
): ServerError {
	return failure('invalidAnswer', context, {
		message: 'The servers of the credential run different embedding models',
		meaning: `The servers of the credential run different embedding models: vectors of ${here} have ${length} numbers, those of ${there} have ${wanted}. Nothing was handed on`,
		remedy:
			'Run the same model file on each server. Vectors of two models, or of two quantizations of one, cannot be compared.',
		facts: { [here]: length, [there]: wanted },
	});
}

/** A refusal with what the server lacks, where it says that. */
export function explained(error: ServerError, context: FailureContext, kind: ServerKind): ServerError {
	const { status, serverText = '' } = error;
	const { advice } = traitsOf(kind);
	if (/pooling type 'none'/i.test(serverText))
		return failure('notSupported', context, {
			status,
			serverText,
			message: 'The server does not combine the vectors of the tokens into one',
			remedy:
				'Choose an embedding model. If it is one, start llama-server with --pooling mean, cls or last, as the model wants.',
		});
	if (error.kind === 'notSupported')
		return failure('notSupported', context, {
			status,
			serverText,
			message: 'The server was not started for embeddings',
			remedy: advice.embeddingsOff,
		});
	const { model = '' } = context;
	if (error.kind !== 'modelNotFound' || advice.missingModel === undefined) return error;
	return failure('modelNotFound', context, {
		status,
		serverText,
		remedy: `Choose the model from the list, or ${advice.missingModel(model)}`,
	});
}

function startOf(text: string): string {
	return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
