/** Reads the stream of a response into a completion. */
import { asServerErrorOrThrow } from '../../errors/server-error';
import { BodyTooLargeError } from '../../http/body-limits';
import { yieldToEventLoop } from '../../http/yield-to-event-loop';
import type { HttpResponse } from '../../http/types';
import type { TextAndReasoning } from '../../text/reasoning';
import { tryOrUndefined } from '../../values/try-or-undefined';
import { maskCompletion, MaskedOutput } from './masked-output';
import type { CompletionAccumulator, EndedResponse } from './completion-accumulator';

interface StreamHandlers {
	/** Called with the output of each event. A promise is awaited before the next one. */
	onDelta?(delta: TextAndReasoning): Promise<void> | void;
	/** Called after events with output. */
	onContent?(): void;
	signal?: AbortSignal;
}

/**
 * Reads a stream to its end. Errors of a stream that breaks after its last output, or after JSON that fits the schema that was
 * sent, are ignored: the completion has arrived.
 *
 * @returns the completion, and as `rest` the text and thinking that no delta contained, because they were held back until the
 *   end. Secrets are masked in all of it.
 * @throws a `ServerError` for a stream that breaks before its last output, or was stopped
 */
export async function readStream(
	response: HttpResponse,
	accumulator: CompletionAccumulator,
	{ onDelta = () => {}, onContent = () => {}, signal }: StreamHandlers = {},
): Promise<EndedResponse> {
	const { secrets } = response.errorContext;
	const output = new MaskedOutput(secrets);
	try {
		for await (const parts of response.parts()) {
			const eventsBefore = accumulator.contentEvents;
			for (const { text, type } of parts) {
				const written = onDelta(output.maskDelta(accumulator.push(text, type)));
				if (written) await written;
			}
			if (accumulator.contentEvents > eventsBefore) {
				response.markContent();
				onContent();
			}
			if (accumulator.isOver) break;
			if (accumulator.isFinished) response.expectEnd();
		}
	} catch (error) {
		if (error instanceof BodyTooLargeError)
			tryOrUndefined(() => accumulator.pushBeginning(error.received));
		const isComplete = accumulator.isFinished || accumulator.isWhole();
		if (!isComplete || signal?.aborted) throw asServerErrorOrThrow(error);
	}
	if (accumulator.isLong) await yieldToEventLoop();
	const steps = accumulator.prepareEnd();
	while (steps.next().done !== true) await yieldToEventLoop();
	const { rest, completion } = accumulator.end();
	if (accumulator.isLong) await yieldToEventLoop();
	return { rest: output.end(rest), completion: maskCompletion(completion, secrets) };
}
