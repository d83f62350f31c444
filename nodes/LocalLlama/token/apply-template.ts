import { applyTemplate as promptOf } from '../../../lib/chat/prompt';
import { askOfModel } from '../any-server';
import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { messageFields } from '../text/messages';
import { conversationIn, templateOptions, tokenModelField } from './fields';

export const tokenApplyTemplate: LocalLlamaOperation = {
	option: {
		name: 'Apply Template',
		value: 'applyTemplate',
		action: 'Apply the chat template of a model',
		description: 'Shows the prompt that the model reads for a conversation: llama-server only',
	},
	fields: [tokenModelField, ...messageFields, ...optionFields(templateOptions)],
	run: async (call) => {
		const conversation = await conversationIn(call);
		const prompt = await askOfModel(
			call,
			async (connection, ask) => await promptOf(connection, conversation, ask),
		);
		return [{ json: { prompt } }];
	},
};
