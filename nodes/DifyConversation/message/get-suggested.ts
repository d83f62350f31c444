import { suggestedQuestions } from '../../../lib/dify/app/conversations';
import { messageField, userField } from '../../shared/dify/fields';
import { messageIdIn, userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';

export const messageGetSuggested: DifyOperation = {
	option: {
		name: 'Get Suggested Questions',
		value: 'getSuggested',
		action: 'Get suggested questions',
		description:
			'What the user might ask next. A model of the app thinks of them, which takes time and tokens.',
	},
	fields: [userField, messageField('ID of the answer after which the user might ask more')],
	run: async ({ client, parameters }) => {
		const messageId = messageIdIn(parameters);
		return [
			{
				json: {
					messageId,
					questions: await suggestedQuestions(client, userIn(parameters), messageId),
				},
			},
		];
	},
};
