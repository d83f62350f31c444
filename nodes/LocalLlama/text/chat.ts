import { toThinking } from '../../../lib/chat/body/thinking-fields';
import { keepAny } from '../../../lib/fields/check-value';
import type { FieldTable, OptionValues, TextField, Values } from '../../../lib/fields/field';
import {
	createEmptyFieldError,
	createFieldError,
	createMissingOptionError,
} from '../../../lib/fields/field-errors';
import { responseFormatFields, toResponseFormat } from '../../shared/chat/response-format';
import { modelField } from '../../shared/fields/model-selection';
import type { LlamaCall, LocalLlamaOperation } from '../run-local-llama';
import { itemOptionsField } from '../operation-fields';
import { findReplacingOption } from '../list-fields';
import type { ResultItem } from '../output';
import { withOutput } from '../output';
import type { Conversation, TextCall } from './generate-text';
import { generateText, resolveTextSettings } from './generate-text';
import { toMetadata } from './result-metadata';
import { binaryFieldsField, readItemFiles } from './item-files';
import { textOptions, thinkingOptions } from './text-fields';
import { parseMessages } from '../../../lib/chat/prepare/parse-messages';
import { getJsonOrThrow } from '../../../lib/chat/check/validate-json';
import type { InputMessage } from '../../../lib/chat/input-message';
import { toInputParts, toSystemMessage } from '../../../lib/chat/input-message';
import { isUnset, omitUndefined } from '../../../lib/values/records';
import { getUnsafeNumberWarnings } from '../../../lib/values/exact-json';
import { getOrigin } from '../../shared/fields/read-values';

/** Options for files, and for a conversation instead of the prompt. */
const messageOptions = {
	binaryFields: binaryFieldsField('They are sent with the last user message.'),
	messages: {
		kind: 'rows',
		label: 'Messages',
		entry: 'Message',
		isSortable: true,
		fields: {
			role: {
				kind: 'choice',
				label: 'Role',
				default: 'user',
				choices: { assistant: 'Assistant', system: 'System', user: 'User' },
				parse: keepAny,
			},
			content: { kind: 'text', label: 'Content', rows: 2, parse: keepAny },
		},
		description:
			'Replaces the prompt. If the last message has the role Assistant, the model continues it.',
	},
	messagesJson: {
		kind: 'json',
		label: 'Messages (JSON)',
		rows: 6,
		default: '[{ "role": "user", "content": "Hello" }]',
		parse: keepAny,
		description:
			'Replaces the prompt with messages from an expression. As in the OpenAI API: an array of role and content, with content as text or as parts with images and audio.',
	},
} as const satisfies FieldTable;

export const responseFormatOptions = {
	...responseFormatFields,
	responseFormat: {
		...responseFormatFields.responseFormat,
		default: 'jsonObject',
		description:
			'How the response is constrained. Text if not set. For a schema or a grammar, also add the option "JSON Schema" or "Grammar".',
	},
} as const satisfies FieldTable;

export const systemField = {
	kind: 'text',
	label: 'System Message',
	rows: 2,
	description:
		'Role and task of the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
} as const satisfies TextField;

const fields = {
	model: modelField('The model to chat with'),
	prompt: {
		kind: 'text',
		label: 'Prompt',
		rows: 4,
		default: '={{ $json.chatInput }}',
		description: 'For a conversation, add the option Messages or Messages (JSON)',
		agent: { name: 'prompt', description: 'The complete question or task for the model' },
	},
	system: systemField,
	options: itemOptionsField({
		...textOptions,
		...messageOptions,
		...thinkingOptions,
		...responseFormatOptions,
	}),
} as const satisfies FieldTable;

type ChatCall = LlamaCall & { values: Values<typeof fields> };

export const textChat: LocalLlamaOperation = withOutput({
	name: 'Chat',
	value: 'chat',
	action: 'Chat with a model',
	description:
		'Respond to a prompt or a conversation, with images and audio if the model supports them',
	mainFields: ['prompt'],
	fields,
	execute: async (call) => await respond(call, await readMessages(call)),
});

/** The call of an operation whose result is a response in any format. */
type ResponseCall = TextCall & {
	values: { readonly options: OptionValues<typeof responseFormatOptions & typeof thinkingOptions> };
};

/** Generates the response to a conversation: text, or data if the response format says so. */
export async function respond(
	call: ResponseCall,
	conversation: Conversation,
): Promise<ResultItem[]> {
	const { options } = call.values;
	const responseFormat = toResponseFormat(options, createMissingOptionError);
	const thinking = toThinking(options);
	const settings = await resolveTextSettings(call, omitUndefined({ responseFormat, thinking }));
	const textSettings = { ...settings, thinkingHistory: 'toolTurns' } as const;
	const result = await generateText(call, textSettings, conversation);
	const json = getJsonOrThrow(result);
	getUnsafeNumberWarnings(json?.unsafeNumbers ?? []).forEach(call.hint);
	return [{ output: json ? json.value : result.text, metadata: toMetadata(result) }];
}

/**
 * Reads the conversation of an item.
 *
 * @throws a `ServerError` of type `invalidInput` if it is empty, or for a file that no model server supports.
 */
async function readMessages(call: ChatCall): Promise<Conversation> {
	const { parts, files } = await readItemFiles(call);
	const messages = readFieldMessages(call, parts.length > 0);
	if (parts.length === 0) return { messages, files };
	const lastUserMessage = messages.findLast(({ type }) => type === 'human');
	if (!lastUserMessage) messages.push({ type: 'human', content: [], files: parts });
	else lastUserMessage.files = parts;
	return { messages, files };
}

/** @param hasFiles which need no prompt */
function readFieldMessages(call: ChatCall, hasFiles: boolean): InputMessage[] {
	const { values } = call;
	const { system, options } = values;
	const systemText = { text: system, origin: getOrigin(values, 'system') };
	const systemMessages = system.trim() ? [toSystemMessage([systemText])] : [];
	const option = findReplacingOption(fields.options.fields, options, ['messages', 'messagesJson']);
	if (option === undefined) return [...systemMessages, ...readPrompt(call, hasFiles)];
	const rows = (options.messages ?? [])
		.map(({ role, content }) => ({ role, content }))
		.filter(({ content }) => !isUnset(content));
	const origin = getOrigin(options, option);
	const messages = parseMessages(option === 'messages' ? rows : options.messagesJson, origin);
	if (messages.length === 0) throw createFieldError(messageOptions[option], 'has no messages');
	return [...systemMessages, ...messages];
}

function readPrompt({ values }: ChatCall, hasFiles: boolean): InputMessage[] {
	const { prompt } = values;
	if (prompt.trim())
		return [{ type: 'human', content: toInputParts(prompt, getOrigin(values, 'prompt')) }];
	if (!hasFiles) throw createEmptyFieldError(fields.prompt);
	return [];
}
