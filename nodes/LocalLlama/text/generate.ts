import { runTurn } from '../../../lib/chat/turn';
import type {
	ChatSettings,
	ChatResult,
	ResponseFormat,
	InputMessage,
} from '../../../lib/chat/types';
import { getJsonWarnings, getRequestedJson } from '../../../lib/chat/validate-completion';
import { rethrowWith } from '../../../lib/errors/server-error';
import { withFileNames, type SentFile } from '../../../lib/tasks/file-errors';
import { omitUndefined } from '../../../lib/values';
import type { OperationItem } from '../../shared/run/operations';
import {
	addFailedTokenTotals,
	type GenerationUsage,
	addTokenTotals,
} from '../../shared/token-totals';
import { countTokens, type LlamaCall } from '../operation';

/** Generates an answer, and types it into the chat. If the chat is gone, the generation is cancelled. */
export async function generate(
	call: LlamaCall,
	settings: ChatSettings,
	messages: readonly InputMessage[],
	files: readonly SentFile[],
): Promise<ChatResult> {
	const { server, typing, priority } = call;
	const gone = new AbortController();
	let typed = Promise.resolve();
	const show = (piece: string) => {
		typed = typed.then(async () => await typing?.write(piece));
		typed.catch(() => gone.abort());
	};
	const isBuffered = typing === undefined;
	const signal = isBuffered ? call.signal : AbortSignal.any([call.signal, gone.signal]);
	const asked = { messages, signal, isBuffered };
	const turn = runTurn(server, { ...settings, priority }, asked, show);
	const answer = await turn
		.catch(rethrowWith((error) => withFileNames(error, files)))
		.catch(async (error: unknown) => {
			// Of a chat that is gone, its own error.
			await typed;
			addFailedTokenTotals(call.context, error);
			throw error;
		});
	await typed;
	reportResult(call, answer);
	return answer;
}

/** Shows the remarks and tokens of an answer in n8n. */
export function reportResult(
	call: LlamaCall,
	answer: Pick<ChatResult, 'warnings'> & GenerationUsage,
): void {
	const { warnings, usage } = answer;
	for (const note of warnings) call.hint(note);
	addTokenTotals(call.context, answer);
	if (usage !== undefined) countTokens(call, usage);
}

/** Metadata of an answer for its item. */
export function toMetadata(answer: Omit<ChatResult, 'text' | 'toolCalls' | 'warnings'>) {
	const { reasoning, finishReason, usage, timings, model, serverType, logFields } = answer;
	return {
		...(reasoning === '' ? {} : { reasoning }),
		finishReason,
		...omitUndefined({
			usage,
			timings,
			model,
			server: serverType,
			timesPreempted: logFields?.timesPreempted,
		}),
	};
}

/**
 * An answer as an item. Requested JSON is parsed.
 *
 * @throws {ServerError} of kind `invalidResponse` with the text, where it is not JSON or does not follow the schema
 */
export function toTextItem(
	call: LlamaCall,
	answer: ChatResult,
	format: ResponseFormat | undefined,
): OperationItem {
	const requested = getRequestedJson(answer, format);
	if (requested !== undefined) getJsonWarnings(requested).forEach((note) => call.hint(note));
	return {
		json: {
			text: answer.text,
			...omitUndefined({ json: requested?.value }),
			...toMetadata(answer),
		},
	};
}
