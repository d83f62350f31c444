import type { INodeProperties } from 'n8n-workflow';

import { countPrompt } from '../../../lib/chat/prompt';
import { countTokens } from '../../../lib/servers/manage/tokens';
import { choiceField, choices, longTextField } from '../../shared/field-kinds';
import { askOfModel } from '../any-server';
import type { LlamaCall, LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { messageFields } from '../text/messages';
import {
	conversationIn,
	specialTokenFields,
	specialTokensIn,
	templateOptions,
	tokenModelField,
} from './fields';

/** Shows a field only for counting a text or a chat, in addition to its own conditions. */
const shownFor = (counted: 'text' | 'chat', field: INodeProperties): INodeProperties => ({
	...field,
	displayOptions: {
		...field.displayOptions,
		show: { ...field.displayOptions?.show, counted: [counted] },
	},
});

const optionShownFor = (counted: 'text' | 'chat', field: INodeProperties): INodeProperties => ({
	...field,
	displayOptions: { show: { '/counted': [counted] } },
});

export const tokenCount: LocalLlamaOperation = {
	option: {
		name: 'Count',
		value: 'count',
		action: 'Count tokens',
		description:
			'How many tokens a text or a conversation has: exact where the server tells, else an estimate',
	},
	fields: [
		tokenModelField,
		choiceField('Count', 'counted', 'text', {
			options: choices({
				chat: ['A Conversation', 'With what the chat template of the model adds'],
				text: 'A Text',
			}),
		}),
		shownFor(
			'text',
			longTextField('Text', 'text', 4, {
				required: true,
			}),
		),
		...messageFields.map((field) => shownFor('chat', field)),
		...optionFields([
			...specialTokenFields.map((field) => optionShownFor('text', field)),
			...templateOptions.map((field) => optionShownFor('chat', field)),
		]),
	],
	run: async (call) => {
		const isChat = call.parameters.choice<'text' | 'chat'>('counted') === 'chat';
		const { tokens, exact } = isChat ? await conversationTokens(call) : await textTokens(call);
		if (!exact)
			call.hint(
				'This server does not tell the tokens of a text, so their number is an estimate from its length ("exact" is false).',
			);
		return [{ json: { tokens, exact } }];
	},
};

async function textTokens(call: LlamaCall) {
	const { parameters } = call;
	const text = parameters.freeText('text');
	const how = specialTokensIn(parameters);
	return await askOfModel(
		call,
		async (connection, ask) => await countTokens(connection, text, { ...ask, ...how }),
	);
}

async function conversationTokens(call: LlamaCall) {
	const conversation = await conversationIn(call);
	return await askOfModel(
		call,
		async (connection, ask) => await countPrompt(connection, conversation, ask),
	);
}
