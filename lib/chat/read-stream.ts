/** Reads a streamed completion: of a chat, Classify, Complete and the speed test. */
import { createServerError, type ErrorContext } from '../errors/create-error';
import { captureError, type ServerError } from '../errors/server-error';
import type { HttpResponse } from '../http/types';
import type { CompletionAccumulator } from './completion-accumulator';
import type { FailedCompletion } from './types';
import type { TextAndReasoning } from '../text/reasoning';

interface StreamHandlers {
	/** Called with the output of each event. A promise is awaited before the next one. */
	onDelta?(delta: TextAndReasoning): Promise<void> | undefined;
	/** Called after events with output. */
	onContent?(): void;
	signal?: AbortSignal;
}

/** Errors of a stream that breaks after its last output are ignored: the completion has arrived. */
export async function readStream(
	response: HttpResponse,
	accumulator: CompletionAccumulator,
	handlers: StreamHandlers = {},
): Promise<ReturnType<CompletionAccumulator['end']>> {
	try {
		for await (const events of response.events()) {
			const eventsBefore = accumulator.contentEvents;
			for (const data of events) {
				const delta = accumulator.push(data);
				const written = handlers.onDelta?.(delta);
				if (written !== undefined) await written;
			}
			if (accumulator.contentEvents > eventsBefore) {
				response.markContent();
				handlers.onContent?.();
			}
			if (accumulator.isOver) break;
			if (accumulator.isFinished) response.expectEnd();
		}
	} catch (error) {
		if (!isComplete(accumulator, handlers)) throw captureError(error);
	}
	return accumulator.end(response.getNonEventLines());
}

function isComplete({ isFinished }: CompletionAccumulator, { signal }: StreamHandlers): boolean {
	return isFinished && signal?.aborted !== true;
}

/** The error of a completion that cannot be used. */
export function createCompletionError(
	{ errorType, serverText, status }: Pick<FailedCompletion, 'errorType' | 'serverText' | 'status'>,
	context: ErrorContext,
): ServerError {
	return createServerError(errorType, context, { serverText, status });
}
