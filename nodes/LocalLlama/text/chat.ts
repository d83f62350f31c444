import { readThinking } from '../../shared/chat/thinking';
import { readResponseFormat, responseFormatFields } from '../../shared/chat/response-format';
import { toOptionFields } from '../../shared/chat/optional-fields';
import { modelField } from '../../shared/model-selection';
import type { LlamaCall, LocalLlamaOperation } from '../run-local-llama';
import { createOptionsField } from '../operation-fields';
import { agentField } from '../agent-field';
import { findReplacingOption } from '../list-fields';
import { withOutput } from '../output';
import type { Conversation } from './generate-text';
import { generateText, resolveTextSettings } from './generate-text';
import { toMetadata } from './result-metadata';
import { binaryFieldsField, readItemFiles } from './item-files';
import { textOptions, thinkingOptions } from './text-fields';
import type { INodeProperties } from 'n8n-workflow';
import { parseMessages } from '../../../lib/chat/prepare/parse-messages';
import { getJsonOrThrow } from '../../../lib/chat/check/validate-json';
import type { InputMessage } from '../../../lib/chat/input-message';
import { asRecord, asRecords, isUnset, omitUndefined } from '../../../lib/values/records';
import { getUnsafeNumberWarnings } from '../../../lib/values/exact-json';
import {
	choiceField,
	jsonField,
	longTextField,
	fixedCollectionField,
} from '../../shared/field-builders';
import type { NodeParameters } from '../../shared/parameters';

const messageFields: INodeProperties[] = [
	...agentField(
		longTextField('Prompt', 'prompt', 4, {
			default: '={{ $json.chatInput }}',
			description: 'For a conversation, add the option Messages or Messages (JSON)',
		}),
		{ name: 'prompt', description: 'The complete question or task for the model' },
	),
	longTextField(
		'System Message',
		'system',
		2,
		'Role and task of the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
	),
];

/** Options for files, and for a conversation instead of the prompt. */
const messageOptions: INodeProperties[] = [
	binaryFieldsField('They are sent with the last user message.'),
	fixedCollectionField(
		'Messages',
		'messages',
		'Message',
		[
			choiceField('Role', 'role', 'user', {
				assistant: 'Assistant',
				system: 'System',
				user: 'User',
			}),
			longTextField('Content', 'content', 2),
		],
		{
			typeOptions: { multipleValues: true, sortable: true },
			description:
				'Replaces the prompt. If the last message has the role Assistant, the model continues it.',
		},
	),
	jsonField('Messages (JSON)', 'messagesJson', '[{ "role": "user", "content": "Hello" }]', {
		typeOptions: { rows: 6 },
		description:
			'Replaces the prompt with messages from an expression. As in the OpenAI API: an array of role and content, with content as text or as parts with images and audio.',
	}),
];

export const textChat: LocalLlamaOperation = withOutput({
	name: 'Chat',
	value: 'chat',
	action: 'Chat with a model',
	description:
		'Respond to a prompt or a conversation, with images and audio if the model supports them',
	mainFields: ['prompt'],
	fields: [
		modelField('The model to chat with'),
		...messageFields,
		createOptionsField([
			...textOptions,
			...messageOptions,
			...thinkingOptions,
			...toOptionFields(
				responseFormatFields,
				'jsonObject',
				'How the response is constrained. Text if not set. For a schema or a grammar, also add the option "JSON Schema" or "Grammar".',
			),
		]),
	],
	execute: async (call) => {
		const responseFormat = readResponseFormat(call.parameters, 'options.');
		const thinking = readThinking(call.parameters, 'options.');
		const settings = await resolveTextSettings(call, omitUndefined({ responseFormat, thinking }));
		const conversation = await readMessages(call);
		const textSettings = { ...settings, thinkingHistory: 'toolTurns' } as const;
		const result = await generateText(call, textSettings, conversation);
		const json = getJsonOrThrow(result);
		getUnsafeNumberWarnings(json?.unsafeNumbers ?? []).forEach(call.hint);
		return [{ output: json ? json.value : result.text, metadata: toMetadata(result) }];
	},
});

/**
 * Reads the conversation of an item.
 *
 * @throws a `ServerError` of type `invalidInput` if it is empty, or for a file that no model server supports.
 */
async function readMessages(call: LlamaCall): Promise<Conversation> {
	const { parts, files } = await readItemFiles(call);
	const messages = readFieldMessages(call, parts.length > 0);
	if (parts.length === 0) return { messages, files };
	const lastUserMessage = messages.findLast(({ type }) => type === 'human');
	if (!lastUserMessage) messages.push({ type: 'human', content: '', files: parts });
	else lastUserMessage.files = parts;
	return { messages, files };
}

/** @param hasFiles which need no prompt */
function readFieldMessages({ parameters }: LlamaCall, hasFiles: boolean): InputMessage[] {
	const system = parameters.rawString('system');
	const systemMessages: InputMessage[] = system.trim() ? [{ type: 'system', content: system }] : [];
	const option = findReplacingOption(parameters, ['messages', 'messagesJson']);
	if (option === undefined) return [...systemMessages, ...readPrompt(parameters, hasFiles)];
	const path = `options.${option}`;
	const value = parameters.value(path);
	const rows = asRecords(asRecord(value).message).filter(({ content }) => !isUnset(content));
	const messages = parseMessages(option === 'messages' ? rows : value);
	if (messages.length === 0) throw parameters.createError(path, 'has no messages');
	return [...systemMessages, ...messages];
}

function readPrompt(parameters: NodeParameters, hasFiles: boolean): InputMessage[] {
	const prompt = parameters.rawString('prompt');
	if (prompt.trim()) return [{ type: 'human', content: prompt }];
	if (!hasFiles) throw parameters.createEmptyError('prompt');
	return [];
}
