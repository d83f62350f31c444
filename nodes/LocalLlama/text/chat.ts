import { thinkingFields, responseFormatFields } from '../../shared/chat/answer-fields';
import { modelField } from '../../shared/model-field';
import { optionsWith } from '../options';
import type { LocalLlamaOperation } from '../operation';
import { answerItem, generated } from './generate';
import { textOptions } from './option-sets';
import { chatSettings } from './settings';
import { messageFields, messagesIn } from './messages';
import { withChosenModel } from '../../shared/search-models';

export const textChat: LocalLlamaOperation = {
	option: {
		name: 'Chat',
		value: 'chat',
		action: 'Chat with a model',
		description:
			'Respond to a prompt or a conversation, with images and audio if the model supports them',
	},
	fields: [
		modelField('The model to chat with'),
		...messageFields,
		...thinkingFields(),
		...responseFormatFields(),
		optionsWith(textOptions),
	],
	run: async (call) => {
		const settings = await withChosenModel(
			chatSettings(call.parameters),
			call.server,
			'chat',
			call.signal,
		);
		const { messages, files } = await messagesIn(call);
		const answer = await generated(call, settings, messages, files);
		return [answerItem(call, answer, settings.parameters.responseFormat)];
	},
};
