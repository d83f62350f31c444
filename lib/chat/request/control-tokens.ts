/**
 * Control tokens in texts. A server tokenizes the prompt as a whole, so `<|im_end|><|im_start|>system` in a user's text
 * or a document begins a message of the system (docs/protocols/llama-server.md 2.7). An invisible character in each of
 * them makes them plain text.
 */
import type { Connection } from '../../http/connection';
import { timeSlices } from '../../http/time-slices';
import { kindOf } from '../../servers/kinds';
import { textOf } from './content';
import {
	append,
	isRecord,
	type JsonRecord,
	literalPattern,
	optional,
	recordOf,
} from '../../values';
import type { ChatMessage, ChatRequest, ContentPart, ToolDefinition } from '../types';
import { templateIn } from './tool-template';

type Conversation = Pick<ChatRequest, 'messages' | 'tools'>;
type AddressedModel = Pick<ChatRequest, 'serverKind' | 'model'>;

/**
 * Everything written like a control token: `<|im_end|>`, `<｜User｜>`, `<end_of_turn>`, `[INST]`, `[|user|]`, GLM's `[gMASK]`,
 * MiniMax's `]~b]`, `]~!b[` and `[e~[`. HTML tags are, too.
 */
const TOKEN_LIKE =
	/<[^\s<>]{1,62}>|\[\/?[A-Z_]{3,40}\]|\[\|[^\s[\]]{1,60}\|\]|\[gMASK\]|\]~!?b[\][]|\[e~\[/g;
/** Nobody writes these in other texts than those about templates. */
const HAS_BARS = /^[<[][|｜]|[|｜][>\]]$/;
const IN_BRACKETS = /^[[\]]/;
export const ZERO_WIDTH_SPACE = '\u200B';
/** For so many at once the vocabulary is asked, and for so many in all; what is beyond that is broken up. */
const ASKED_AT_ONCE = 200;
const MOST_ASKED = 2_000;
const MOST_IN_NOTE = 5;
const LONGEST_TOKEN = 64;
/** Characters of a large text that are searched at once. */
const PART_LENGTH = 1_000_000;

/** The markers of the roles of well-known families, for servers that do not tell their template. */
const WELL_KNOWN = new Set([
	...['<|im_start|>', '<|im_end|>', '<|endoftext|>', '<|im_user|>', '<|im_assistant|>'],
	...['<|im_system|>', '<|im_middle|>', '<|begin_of_text|>', '<|end_of_text|>'],
	...['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>', '<|eom_id|>'],
	...['<|header_start|>', '<|header_end|>', '<|eot|>', '<start_of_turn>', '<end_of_turn>'],
	...[
		'<|turn>',
		'<turn|>',
		'<|system|>',
		'<|user|>',
		'<|assistant|>',
		'<|observation|>',
		'<|end|>',
	],
	...['<|start|>', '<|channel|>', '<|message|>', '<|return|>', '<|call|>'],
	...['<|start_of_role|>', '<|end_of_role|>', '<|START_OF_TURN_TOKEN|>', '<|END_OF_TURN_TOKEN|>'],
	...['<|SYSTEM_TOKEN|>', '<|USER_TOKEN|>', '<|CHATBOT_TOKEN|>'],
	...['<｜User｜>', '<｜Assistant｜>', '<｜begin▁of▁sentence｜>', '<｜end▁of▁sentence｜>'],
	...['<｜tool▁outputs▁begin｜>', '<｜tool▁outputs▁end｜>', '<|im_sep|>', '<|eom|>'],
	...['<|tool_response>', '<tool_response|>', '<|system_start|>', '<|system_end|>'],
	...['<|user_start|>', '<|user_end|>', '<seed:bos>', '<seed:eos>', '[gMASK]'],
	...['[INST]', '[/INST]', '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CALLS]'],
	...['[TOOL_RESULTS]', '[/TOOL_RESULTS]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]'],
	...['[|system|]', '[|user|]', '[|assistant|]', '[|endofturn|]', ']~b]', ']~!b[', '[e~['],
]);

/** Whether a text of the conversation holds anything that is written like a control token. */
export function holdsTokenLike(messages: readonly ChatMessage[]): boolean {
	return messages
		.filter(({ role }) => role !== 'assistant')
		.some(({ content }) => textOf(content, '\n').search(TOKEN_LIKE) >= 0);
}

/**
 * The request with the control tokens of the model in its texts broken up, and a note that names them. The server is
 * asked only where a text looks like one.
 */
export async function withoutControlTokens<T extends Conversation & AddressedModel>(
	connection: Connection,
	request: T,
): Promise<{ request: T; notes: string[] }> {
	const tokens = await controlTokensIn(connection, request, textsOf(request));
	if (tokens.length === 0) return { request, notes: [] };
	const change = breaker(tokens);
	return { request: { ...request, ...withTexts(request, change) }, notes: [noteOn(tokens)] };
}

/** Breaks up the control tokens of the model that these texts hold, in any text. */
export async function breakerFor(
	connection: Connection,
	model: AddressedModel,
	texts: readonly string[],
): Promise<(text: string) => string> {
	const tokens = await controlTokensIn(connection, model, texts);
	return tokens.length === 0 ? (text) => text : breaker(tokens);
}

/** Breaks up every occurrence, overlapping ones too. All other text keeps its bytes. */
export function breaker(tokens: readonly string[]): (text: string) => string {
	const any = tokens.map(literalPattern).join('|');
	const beginning = new RegExp(`(?=${any})[^]`, 'g');
	return (text) => text.replace(beginning, `$&${ZERO_WIDTH_SPACE}`);
}

async function controlTokensIn(
	connection: Connection,
	model: AddressedModel,
	texts: readonly string[],
): Promise<string[]> {
	const suspects = await tokenLikeIn(texts);
	if (suspects.size === 0) return [];
	return await controlTokensAmong(connection, model, [...suspects]);
}

async function controlTokensAmong(
	connection: Connection,
	{ serverKind, model }: AddressedModel,
	suspects: string[],
): Promise<string[]> {
	const { chat } = kindOf(serverKind);
	const props = recordOf(await chat.template?.(connection, model));
	const { template } = templateIn(props);
	if (template === undefined) return suspects.filter((suspect) => WELL_KNOWN.has(suspect));
	const isOfTemplate = templateTokens(template, props);
	const inQuestion = suspects.filter((suspect) => !isOfTemplate(suspect));
	const known = suspects.filter(isOfTemplate);
	const unasked = inQuestion.splice(MOST_ASKED);
	for (let at = 0; at < inQuestion.length; at += ASKED_AT_ONCE) {
		const group = inQuestion.slice(at, at + ASKED_AT_ONCE);
		const inVocabulary = await chat.controlTokens?.(connection, model, group);
		append(known, inVocabulary ?? group.filter((suspect) => WELL_KNOWN.has(suspect)));
	}
	return [...known, ...unasked];
}

/** What the template itself writes around messages. Its tags without bars, such as `<think>`, are ordinary text. */
function templateTokens(
	template: string,
	{ bos_token: first, eos_token: last }: JsonRecord,
): (text: string) => boolean {
	const written = new Set(template.match(TOKEN_LIKE));
	return (text) =>
		text === first ||
		text === last ||
		(written.has(text) && (HAS_BARS.test(text) || IN_BRACKETS.test(text) || WELL_KNOWN.has(text)));
}

/** Everything that is written like a control token. Large texts are searched in parts, so that n8n can go on between. */
async function tokenLikeIn(texts: readonly string[]): Promise<Set<string>> {
	const suspects = new Set<string>();
	const pause = timeSlices();
	for (const text of texts) {
		for (let at = 0; at < text.length; at += PART_LENGTH) {
			const part = text.slice(at, at + PART_LENGTH + LONGEST_TOKEN);
			for (const suspect of part.match(TOKEN_LIKE) ?? []) suspects.add(suspect);
			await pause();
		}
	}
	return suspects;
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

/** The texts of tools come from other servers where tools do (MCP). Their names have only letters and digits. */
function toolWith(tool: ToolDefinition, change: (text: string) => string): ToolDefinition {
	const { description, parameters } = tool;
	return {
		...tool,
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
	const more = tokens.length > MOST_IN_NOTE ? ` and ${tokens.length - MOST_IN_NOTE} more` : '';
	return `Texts of this conversation hold control tokens of the model (${named}${more}). They were broken up with an invisible character, so that they cannot begin or end a message. Control Tokens in Texts: Leave sends them unchanged.`;
}
