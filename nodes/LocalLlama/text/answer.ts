import type { ChatClient } from '../../../lib/chat/client';
import type { FinishedAnswer, ResponseFormat, SourceMessage } from '../../../lib/chat/types';
import { requestedJson, jsonNotes } from '../../../lib/chat/checked-json';
import { readToEnd } from '../../../lib/generators';
import { optional } from '../../../lib/values';
import type { OperationItem } from '../../shared/run/operations';
import { countFailed, type CountedGeneration, countGeneration } from '../../shared/token-totals';
import { countTokens, type LlamaCall } from '../operation';

/** Generates an answer, and streams it into the chat. */
export async function generated(
	call: LlamaCall,
	client: ChatClient,
	messages: readonly SourceMessage[],
): Promise<FinishedAnswer> {
	const isUnread = call.typing === undefined;
	const generation = client.generate({
		messages,
		signal: call.signal,
		whole: isUnread,
		reuse: isUnread,
	});
	// If the chat is gone, the generation is cancelled.
	const answer = await readToEnd(generation, async (piece) => await call.typing?.type(piece)).catch(
		(error: unknown) => {
			countFailed(call.context, error);
			throw error;
		},
	);
	reportAnswer(call, answer);
	return answer;
}

/** Shows the remarks and tokens of an answer in n8n. */
export function reportAnswer(
	call: LlamaCall,
	answer: Pick<FinishedAnswer, 'notes'> & CountedGeneration,
): void {
	const { notes, usage } = answer;
	for (const note of notes) call.hint(note);
	countGeneration(call.context, answer);
	if (usage !== undefined) countTokens(call, usage);
}

/** Metadata of an answer for its item. */
export function answerFacts(answer: Omit<FinishedAnswer, 'text' | 'toolCalls' | 'notes'>) {
	const { reasoning, finishReason, usage, timings, model, serverKind, log } = answer;
	return {
		...(reasoning === '' ? {} : { reasoning }),
		finishReason,
		...optional({
			usage,
			timings,
			model,
			server: serverKind,
			placesGivenUp: log?.placesGivenUp,
		}),
	};
}

/**
 * An answer as an item. Requested JSON is parsed.
 *
 * @throws {ServerError} of kind `invalidAnswer` with the text, where it is not JSON or does not follow the schema
 */
export async function answerItem(
	call: LlamaCall,
	answer: FinishedAnswer,
	format: ResponseFormat | undefined,
): Promise<OperationItem> {
	const requested = format === undefined ? undefined : await requestedJson(answer, format);
	if (requested !== undefined) jsonNotes(requested).forEach((note) => call.hint(note));
	return {
		json: { text: answer.text, ...optional({ json: requested?.value }), ...answerFacts(answer) },
	};
}
