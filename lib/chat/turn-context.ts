import type { QueueStats } from '../http/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import type { DisplayedText } from './displayed-text';
import { createQuotationCheck } from '../text/quotations';
import type { RawToolCall } from '../text/text-tool-calls';
import { getText } from './content';
import type { ToolNames } from './tool-names';
import type { ChatMessage, ChatRequest, ChatSettings, ToolDefinition, Usage } from './types';

/** What all attempts of a turn share. */
export interface TurnContext {
	server: ModelServer;
	serverType: ServerType;
	settings: ChatSettings;
	chatRequest: ChatRequest;
	queueStats: QueueStats;
	toolNames: ToolNames;
	/** Whether a call in the response text is a quotation from the conversation, without the corrections of this turn. */
	isQuotation: (call: RawToolCall) => boolean;
	display: DisplayedText;
	/** By `performance.now()`. */
	startedAt: number;
	/** The sum of all attempts so far. */
	usage?: Usage;
}

/**
 * Returns a function that checks whether a call in the text of a response is quoted from the request. In tool
 * descriptions and in earlier output of the model, only complete calls count. Tool calls of the model never count.
 */
export function createRequestQuotationCheck(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[] = [],
): TurnContext['isQuotation'] {
	const getTexts = (source: readonly ChatMessage[]) =>
		source.map(({ content }) => getText(content, '\n'));
	const inputMessages = messages.filter(({ role }) => role !== 'assistant');
	const modelMessages = messages.filter(
		(message) => message.role === 'assistant' && !message.toolCalls?.length,
	);
	const toolTexts = tools.flatMap(({ description, parameters }) =>
		collectStrings([description, parameters]),
	);
	return createQuotationCheck(getTexts(inputMessages), [...getTexts(modelMessages), ...toolTexts]);
}

function collectStrings(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return typeof value === 'object' && value !== null
		? Object.values(value).flatMap(collectStrings)
		: [];
}
