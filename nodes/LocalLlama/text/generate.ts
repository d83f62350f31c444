import { runTurn } from '../../../lib/chat/turn';
import type {
	ChatSettings,
	ChatResult,
	ResponseFormat,
	InputMessage,
	Timings,
} from '../../../lib/chat/types';
import { getJsonWarnings, getRequestedJson } from '../../../lib/chat/validate-json';
import { rethrowWith } from '../../../lib/errors/server-error';
import { withFileNames, type SentFile } from '../../../lib/files/file-errors';
import { omitEmpty, omitUndefined } from '../../../lib/values';
import {
	addFailedTokenTotals,
	type GenerationUsage,
	addTokenTotals,
} from '../../shared/token-totals';
import { countTokens, type LlamaCall } from '../operation';
import { type ResultItem, roundTo } from '../output';

/** Generates a response and streams it to the chat. If the chat is closed, the generation is canceled. */
export async function generate(
	call: LlamaCall,
	settings: ChatSettings,
	messages: readonly InputMessage[],
	files: readonly SentFile[],
): Promise<ChatResult> {
	const { server, typing, priority } = call;
	const closedChat = new AbortController();
	let writes = Promise.resolve();
	const onDelta = (delta: string) => {
		writes = writes.then(async () => await typing?.write(delta));
		writes.catch(() => closedChat.abort());
	};
	const isBuffered = typing === undefined;
	const signal = isBuffered ? call.signal : AbortSignal.any([call.signal, closedChat.signal]);
	const chatRequest = { messages, signal, isBuffered };
	const turn = runTurn(server, { ...settings, priority }, chatRequest, onDelta);
	const result = await turn
		.catch(rethrowWith((error) => withFileNames(error, files)))
		.catch(async (error: unknown) => {
			// Throws the error of a closed chat first.
			await writes;
			addFailedTokenTotals(call.context, error);
			throw error;
		});
	await writes;
	reportResult(call, result);
	return result;
}

/** Shows warnings and token counts of a result in n8n. */
export function reportResult(
	call: LlamaCall,
	result: Pick<ChatResult, 'warnings'> & GenerationUsage,
): void {
	const { warnings, usage } = result;
	warnings.forEach(call.hint);
	addTokenTotals(call.context, result);
	if (usage !== undefined) countTokens(call, usage);
}

/** Metadata of a result for its item. */
export function toMetadata(result: Omit<ChatResult, 'text' | 'toolCalls' | 'warnings'>) {
	const { reasoning, finishReason, model, serverType, logFields } = result;
	return {
		...(reasoning === '' ? {} : { reasoning }),
		finishReason,
		...toUsageMetadata(result),
		model,
		server: serverType,
		timesPreempted: logFields?.timesPreempted,
	};
}

/** Timings that repeat a count of the usage, or the speed per token instead of per second. */
const REPEATED_TIMINGS: ReadonlySet<string> = new Set([
	'cache_n',
	'prompt_n',
	'prompt_per_token_ms',
	'predicted_n',
	'predicted_per_token_ms',
]);

/** Usage and timings, with each number once and rounded. */
export function toUsageMetadata({ usage, timings }: Pick<ChatResult, 'usage' | 'timings'>) {
	const cachedTokens = usage?.cachedTokens ?? timings?.cache_n;
	return omitEmpty({
		usage: usage && { ...usage, ...omitUndefined({ cachedTokens }) },
		timings: roundTimings(timings ?? {}),
	});
}

function roundTimings(timings: Timings): Timings {
	return Object.fromEntries(
		Object.entries(timings)
			.filter(([name]) => !REPEATED_TIMINGS.has(name))
			.map(([name, value]) => [name, roundTo(value, name.endsWith('_ms') ? 1 : 2)]),
	);
}

/**
 * Converts a result to an item. Requested JSON is parsed.
 *
 * @throws {ServerError} `invalidResponse` with the text, if it is not JSON or does not follow the schema
 */
export function toTextItem(
	call: LlamaCall,
	result: ChatResult,
	format: ResponseFormat | undefined,
): ResultItem {
	const requested = getRequestedJson(result, format);
	if (requested !== undefined) getJsonWarnings(requested).forEach(call.hint);
	return {
		output: requested === undefined ? result.text : requested.value,
		metadata: toMetadata(result),
	};
}
