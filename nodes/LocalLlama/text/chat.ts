import { responseFormatFields, toOptionFields } from '../../shared/chat/generation-fields';
import { modelField } from '../../shared/model-field';
import { createOptionsField } from '../options';
import { withOutput } from '../operation';
import { toTextItem, generate, textOptions, thinkingOptions, readChatSettings } from './generate';
import { messageFields, messageOptions, readMessages } from './messages';

export const textChat = withOutput({
	name: 'Chat',
	value: 'chat',
	action: 'Chat with a model',
	description:
		'Respond to a prompt or a conversation, with images and audio if the model supports them',
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
	run: async (call) => {
		const settings = await readChatSettings(call);
		const { messages, files } = await readMessages(call);
		const result = await generate(call, settings, messages, files);
		return [toTextItem(call, result, settings.parameters.responseFormat)];
	},
});
