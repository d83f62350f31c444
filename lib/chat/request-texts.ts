/** The texts of a request by who wrote them: for calls that a response may quote, and for what else it repeats. */
import type { Origin, OriginText } from '../origin';
import { isOfOthers, isOutside } from '../origin';
import type { ChatMessage } from './chat-message';
import type { CompletionRequest } from './completion';
import type { ToolDefinition } from './tool-definition';

type TextSources = Pick<CompletionRequest, 'messages' | 'tools'>;

/** The texts that neither the author of the workflow nor this node wrote. */
export function getTextsOfOthers(request: TextSources): string[] {
	return getTexts(request, isOfOthers);
}

/** The texts in which a call is a quotation: of users, and those of which nobody knows who wrote them. */
export function getQuotableTexts(request: TextSources): string[] {
	return getTexts(request, isOutside);
}

/** The texts of some origins. Those of one message are one text, as servers get it, also around an image. */
function getTexts(
	{ messages, tools }: TextSources,
	matches: (origin: Origin) => boolean,
): string[] {
	const sources = [...messages.map(toOriginTexts), ...tools.map(toDefinitionTexts)];
	return sources.flatMap((texts) => {
		const matching = texts.filter(({ origin }) => matches(origin)).map(({ text }) => text);
		const joined = matching.join('\n');
		return joined === '' ? [] : [joined];
	});
}

function toOriginTexts(message: ChatMessage): OriginText[] {
	if (message.role === 'tool') return [{ text: message.content, origin: message.origin }];
	if (message.role !== 'assistant')
		return message.content.flatMap((part) =>
			part.type === 'text' ? [{ text: part.text, origin: part.origin }] : [],
		);
	const { origin, reasoning, toolCalls = [] } = message;
	// Whatever a memory keeps as its text, a model thought and called.
	const ofModel = [reasoning ?? '', ...toolCalls.map((call) => call.arguments)];
	return [
		{ text: message.content, origin },
		...ofModel.filter(Boolean).map((text) => ({ text, origin: 'model' as const })),
	];
}

function toDefinitionTexts({ name, description, schema, origin }: ToolDefinition): OriginText[] {
	return [{ text: [name, description, JSON.stringify(schema)].join('\n'), origin }];
}
