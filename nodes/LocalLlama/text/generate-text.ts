/** Generates the text of an operation: its settings, one turn, and its report in n8n. */
import { runTurn } from '../../../lib/chat/turn';
import type { ChatResult } from '../../../lib/chat/chat-result';
import type { InputMessage } from '../../../lib/chat/input-message';
import type { ChatSettings, SamplingSettings } from '../../../lib/chat/settings';
import { rethrowWith } from '../../../lib/errors/server-error';
import type { ModelTask } from '../../../lib/servers/types/server-type';
import type { SentFile } from '../../../lib/files/file-errors';
import { withSentFiles } from '../../../lib/files/file-errors';
import type { GenerationUsage } from '../../../lib/n8n/token-totals';
import { addFailedTokenTotals, storeTokenTotals } from '../../../lib/n8n/token-totals';
import type { LlamaCall } from '../run-local-llama';
import { showTokenUsage } from '../show-token-usage';
import type { ModelRequestCall, ModelRequestSettings } from '../model-request-settings';
import { resolveModelRequestSettings } from '../model-request-settings';
import type { SamplingOptionValues } from '../../shared/chat/sampling';
import { toSamplingSettings } from '../../shared/chat/sampling';

/** Settings of an operation that generates text. */
export interface TextSettings extends ModelRequestSettings {
	sampling: SamplingSettings;
}

/** The call of an operation that generates text. */
export type TextCall = ModelRequestCall & { values: { readonly options: SamplingOptionValues } };

/**
 * Reads the settings of an operation that generates text. Without a selected model, it asks the server for its models.
 *
 * @param defaults - Those of the operation, which the options of the item overwrite.
 */
export async function resolveTextSettings(
	call: TextCall,
	defaults: SamplingSettings = {},
	modelTask: ModelTask = 'chat',
): Promise<TextSettings> {
	const sampling = { ...defaults, ...toSamplingSettings(call.values.options) };
	return { ...(await resolveModelRequestSettings(call, modelTask)), sampling };
}

/** What the model gets. */
export interface Conversation {
	messages: readonly InputMessage[];
	/** The files in the messages, for errors. */
	files: readonly SentFile[];
}

/**
 * Generates a response and streams it to the chat, if there is one. If the chat is closed, the generation is canceled. Warnings
 * become hints of the node, and the tokens are counted.
 *
 * @throws a `ServerError`, with the files that may have caused it.
 */
export async function generateText(
	call: LlamaCall,
	settings: Omit<ChatSettings, 'showThinking'>,
	{ messages, files }: Conversation,
): Promise<ChatResult> {
	const { server, chatStream } = call;
	// n8n's Chat page can stop only a message that has begun.
	await chatStream?.begin();
	const closedChat = new AbortController();
	let writes = Promise.resolve();
	const onDelta = (delta: string) => {
		writes = writes.then(async () => await chatStream?.write(delta));
		writes.catch(() => closedChat.abort());
	};
	const isNeededOnlyAtEnd = chatStream === undefined;
	const signal = isNeededOnlyAtEnd
		? call.signal
		: AbortSignal.any([call.signal, closedChat.signal]);
	const chatRequest = { messages, signal, isNeededOnlyAtEnd };
	const turn = runTurn({
		server,
		settings: { ...settings, showThinking: false },
		chatRequest,
		onDelta,
	});
	const result = await turn
		.catch(rethrowWith((error) => withSentFiles(error, files)))
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
	storeTokenTotals(call.context, result);
	if (usage) showTokenUsage(call, usage);
}
