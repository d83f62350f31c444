/** The history as messages of a request: converted, trimmed, without markup of calls that did not run. */
import { withoutCallMarkup } from '../../text/calls/without-call-markup';
import { trimHistory } from './trim-history';
import { toolCallCache } from '../tools/tool-call-cache';
import type { InputMessage } from '../input-message';
import type { ChatMessage } from '../chat-message';
import { isOfModel } from '../chat-message';
import type { ChatSettings } from '../settings';
import { convertMessages } from './convert-messages';
import { assertShortConversation, assertShortTexts, cutResults } from './limit-texts';

/** The messages of a turn, before the request is built. */
export interface PreparedMessages {
	messages: ChatMessage[];
	/** Sentences for the user about shortened results and omitted turns. */
	warnings: string[];
}

/**
 * The messages of a turn that fit into the history budget.
 *
 * @throws {ServerError} of type `invalidInput` for content that model servers cannot read, or that is too long
 */
export function prepareMessages(
	source: readonly InputMessage[],
	{ thinkingHistory, historyBudget = 0, toolCallsInText }: ChatSettings,
): PreparedMessages {
	assertShortTexts(source);
	const converted = convertMessages(source, thinkingHistory, (id) => toolCallCache.get(id));
	const allMessages =
		toolCallsInText === 'leave' ? converted : converted.flatMap(withoutUnexecutedCalls);
	const cut = cutResults(allMessages);
	const { messages, warnings } = trimToBudget(cut.messages, historyBudget);
	assertShortConversation(messages);
	// The budget may omit or shorten a result that was cut, and has its own warning.
	const cutWarnings = messages.flatMap((message) => cut.warnings.get(message) ?? []);
	return { messages, warnings: [...warnings, ...cutWarnings] };
}

function trimToBudget(allMessages: ChatMessage[], historyBudget: number): PreparedMessages {
	if (historyBudget === 0) return { messages: allMessages, warnings: [] };
	const { messages, omittedTurns, shortenedResults } = trimHistory(allMessages, historyBudget);
	const changes = [
		...(shortenedResults === 0 ? [] : [`old tool results were shortened: ${shortenedResults}`]),
		...(omittedTurns === 0 ? [] : [`the oldest ones were omitted: ${omittedTurns}`]),
	];
	const warning = `Earlier turns exceed the History Budget of ${historyBudget} tokens, so ${changes.join(', and ')}.`;
	return { messages, warnings: changes.length === 0 ? [] : [warning] };
}

/** A response of the model without markup of calls that did not run. No message if nothing is left of it. */
function withoutUnexecutedCalls(message: ChatMessage): ChatMessage[] {
	if (!isOfModel(message)) return [message];
	const content = withoutCallMarkup(message.content);
	const isEmpty = content === '' && !message.toolCalls?.length;
	return isEmpty ? [] : [{ ...message, content }];
}
