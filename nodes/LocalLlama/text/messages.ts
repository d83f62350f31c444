import type { INodeProperties } from 'n8n-workflow';

import { parseMessages } from '../../../lib/chat/parse-messages';
import type { InputMessage } from '../../../lib/chat/types';
import type { SentFile } from '../../../lib/tasks/file-errors';
import { asRecord, asRecords } from '../../../lib/values';
import {
	choiceField,
	toOptions,
	jsonField,
	longTextField,
	fixedCollectionField,
} from '../../shared/field-builders';
import { isUnset, createFieldError } from '../../shared/parameters';
import type { LlamaCall } from '../operation';
import { binaryFieldsField, readItemFiles } from './files';

type MessageSource = 'prompt' | 'list' | 'json';

const systemField = longTextField('System Message', 'system', 2, {
	description:
		'Role and task of the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
});

const binaryField = binaryFieldsField('They are sent with the last user message.');

export const messageFields: INodeProperties[] = [
	choiceField('Source for Messages', 'messageSource', 'prompt', {
		options: toOptions({
			json: ['JSON', 'An array of messages with role and content, from an expression'],
			list: ['Define Below', 'Messages defined in this node'],
			prompt: ['Prompt', 'A single prompt with an optional system message'],
		}),
	}),
	{ ...systemField, displayOptions: { show: { messageSource: ['prompt', 'list'] } } },
	longTextField('Prompt', 'prompt', 4, {
		default: '={{ $json.chatInput }}',
		required: true,
		displayOptions: { show: { messageSource: ['prompt'] } },
	}),
	fixedCollectionField('Messages', 'messages', 'Message', {
		values: [
			choiceField('Role', 'role', 'user', {
				options: toOptions({
					assistant: 'Assistant',
					system: 'System',
					user: 'User',
				}),
			}),
			{
				displayName: 'Content',
				name: 'content',
				type: 'string',
				typeOptions: { rows: 2 },
				default: '',
			},
		],
		typeOptions: { multipleValues: true, sortable: true },
		displayOptions: { show: { messageSource: ['list'] } },
		description: 'If the last message has the role Assistant, the model continues it',
	}),
	jsonField('Messages (JSON)', 'messagesJson', '[{ "role": "user", "content": "Hello" }]', {
		typeOptions: { rows: 6 },
		displayOptions: { show: { messageSource: ['json'] } },
		description:
			'As in the OpenAI API: role and content, with content as text or as parts with images and audio',
	}),
	binaryField,
];

/**
 * Reads the conversation of an item.
 *
 * @throws {ServerError} `invalidInput` if it is empty, or for a file that no model server supports
 */
export async function readMessages(
	call: LlamaCall,
): Promise<{ messages: InputMessage[]; files: SentFile[] }> {
	const messages = readFieldMessages(call);
	const { blocks, files } = await readItemFiles(call);
	if (blocks.length === 0) return { messages, files };
	const lastUserIndex = messages.findLastIndex(({ type }) => type === 'human');
	if (lastUserIndex < 0)
		return { messages: [...messages, { type: 'human', content: blocks }], files };
	const { content } = messages[lastUserIndex]!;
	const withFiles = { type: 'human' as const, content: [...toContentParts(content), ...blocks] };
	return { messages: messages.with(lastUserIndex, withFiles), files };
}

function readFieldMessages({ parameters }: LlamaCall): InputMessage[] {
	const source = parameters.choice<MessageSource>('messageSource');
	if (source === 'json')
		return assertMessages(
			parseMessages(parameters.value('messagesJson')),
			parameters,
			'messagesJson',
		);
	const system = parameters.rawString('system');
	const head: InputMessage[] = system.trim() === '' ? [] : [{ type: 'system', content: system }];
	if (source === 'prompt') {
		const prompt = parameters.rawString('prompt');
		const hasFiles = parameters.rawString('binaryFields').trim() !== '';
		if (prompt.trim() === '' && !hasFiles)
			throw createFieldError(parameters.field('prompt').label, 'is empty');
		return prompt.trim() === '' ? head : [...head, { type: 'human', content: prompt }];
	}
	const rows = asRecords(asRecord(parameters.value('messages')).message).filter(
		({ content }) => !isUnset(content),
	);
	return [...head, ...assertMessages(parseMessages(rows), parameters, 'messages')];
}

function assertMessages(
	messages: InputMessage[],
	parameters: LlamaCall['parameters'],
	field: string,
): InputMessage[] {
	if (messages.length === 0)
		throw createFieldError(parameters.field(field).label, 'has no messages');
	return messages;
}

function toContentParts(content: unknown): unknown[] {
	if (Array.isArray(content)) return content as unknown[];
	return content === '' ? [] : [{ type: 'text', text: content }];
}
