/** Reads the completion of a classification. */
import { createCompletionError } from '../chat/read/completion-error';
import { CompletionReader } from '../chat/read/completion-reader';
import type { Usage } from '../chat/chat-result';
import type { ErrorType } from '../errors/error-types';
import type { HttpResponse } from '../http/types';
import type { LabelSet } from './labels';

/** What the model wrote. */
export interface LabelCompletion {
	/** The text, or the reasoning if the text is empty: the label may be there. */
	text: string;
	/** Indexes of the labels in the text; undefined if it names none. */
	labels: number[] | undefined;
	/** Whether it was cut off at the token limit. */
	isTruncated: boolean;
	/** As in OpenAI's `logprobs.content` and Ollama's `logprobs`. */
	logprobs: unknown;
	usage: Usage | undefined;
	/** The model that the response names. */
	model: string | undefined;
}

/** Errors of a response without a label, which the model may correct. */
const EMPTY_ERRORS: ReadonlySet<ErrorType | undefined> = new Set(['emptyResponse', 'onlyThinking']);

/** @throws a `ServerError` for a response that failed without a text. */
export async function readLabelCompletion(
	response: HttpResponse,
	options: LabelSet,
): Promise<LabelCompletion> {
	const { secrets } = response.errorContext;
	const reader = new CompletionReader({ mayStartInReasoning: true, keepsLogprobs: true, secrets });
	const completion = await reader.receive(response, {
		findError: ({ text, failure }) =>
			text !== '' || failure === undefined || EMPTY_ERRORS.has(failure.errorType)
				? undefined
				: createCompletionError(failure, response),
	});
	const { text, reasoning, finishReason, usage, model, logprobs } = completion;
	const output = text.trim() ? text : reasoning;
	return {
		text: output,
		labels: options.parse(output),
		isTruncated: finishReason === 'length',
		logprobs,
		usage,
		model,
	};
}
