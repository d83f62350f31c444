/** Control tokens in the texts of a conversation. */
import { breakerFor } from '../../servers/control-tokens';
import { isRecord, type JsonRecord, optional } from '../../values';
import type { ChatMessage, ChatRequest, ContentPart, ToolDefinition } from '../types';

type Conversation = Pick<ChatRequest, 'messages' | 'tools'>;

const MOST_IN_NOTE = 5;

/** The request with the control tokens in its texts broken up, and a note that names them. */
export async function withoutControlTokens<T extends Conversation>(
	request: T,
): Promise<{ request: T; notes: string[] }> {
	const found = new Set<string>();
	const onFound = (token: string) => void (found.size <= MOST_IN_NOTE && found.add(token));
	const change = await breakerFor(textsOf(request), onFound);
	if (found.size === 0) return { request, notes: [] };
	return { request: { ...request, ...withTexts(request, change) }, notes: [noteOn([...found])] };
}

/** All texts but those that the model wrote itself. */
function textsOf(conversation: Conversation): string[] {
	const texts: string[] = [];
	withTexts(conversation, (text) => {
		texts.push(text);
		return text;
	});
	return texts;
}

/** Changes all texts but those that the model wrote itself: these go back as it wrote them. */
function withTexts({ messages, tools }: Conversation, change: (text: string) => string) {
	return {
		messages: messages.map((message) => messageWith(message, change)),
		...optional({ tools: tools?.map((tool) => toolWith(tool, change)) }),
	};
}

function messageWith(message: ChatMessage, change: (text: string) => string): ChatMessage {
	switch (message.role) {
		case 'assistant':
			return withCallIds(message, change);
		case 'tool':
			return {
				...message,
				toolCallId: change(message.toolCallId),
				...optional({ name: message.name === undefined ? undefined : change(message.name) }),
				content: change(message.content),
			};
		default:
			return { ...message, content: contentWith(message.content, change) };
	}
}

/** IDs of calls come from elsewhere too, and must stay those of the results. */
function withCallIds(
	message: ChatMessage & { role: 'assistant' },
	change: (text: string) => string,
): ChatMessage {
	const { toolCalls } = message;
	if (toolCalls === undefined) return message;
	return { ...message, toolCalls: toolCalls.map((call) => ({ ...call, id: change(call.id) })) };
}

function contentWith(content: string | ContentPart[], change: (text: string) => string) {
	if (typeof content === 'string') return change(content);
	return content.map((part) =>
		part.type === 'text' ? { ...part, text: change(part.text) } : part,
	);
}

/** The texts of tools come from other servers where tools do (MCP), their names too. */
function toolWith(tool: ToolDefinition, change: (text: string) => string): ToolDefinition {
	const { name, description, parameters } = tool;
	return {
		name: change(name),
		...optional({ description: description === undefined ? undefined : change(description) }),
		parameters: schemaWith(parameters, change) as JsonRecord,
	};
}

/** Names of properties and references to them change in the same way. */
function schemaWith(schema: unknown, change: (text: string) => string): unknown {
	if (typeof schema === 'string') return change(schema);
	if (Array.isArray(schema)) return schema.map((entry) => schemaWith(entry, change));
	if (!isRecord(schema)) return schema;
	const entries = Object.entries(schema).map(
		([key, value]) => [change(key), schemaWith(value, change)] as const,
	);
	return Object.fromEntries(entries);
}

function noteOn(tokens: readonly string[]): string {
	const named = tokens.slice(0, MOST_IN_NOTE).join(', ');
	const more = tokens.length > MOST_IN_NOTE ? ' and others' : '';
	return `Texts of this conversation hold control tokens of models (${named}${more}). They were broken up with an invisible character, so that they cannot begin or end a message.`;
}
