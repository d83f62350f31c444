import { appRoutes } from '../../../lib/dify/app/routes';
import { asList } from '../../../lib/values';
import { messageField, userField } from '../../shared/dify/fields';
import { messageIdIn, userIn } from '../../shared/dify/ids';
import { appOperation } from '../../shared/dify/route-operation';

export const messageGetSuggested = appOperation({
	option: {
		name: 'Get Suggested Questions',
		value: 'getSuggested',
		action: 'Get suggested questions',
		description: 'What the user might ask next. A model writes them, which takes time and tokens.',
	},
	fields: [userField, messageField('ID of the answer after which the user might ask more')],
	route: appRoutes.suggestedQuestions,
	values: { message_id: messageIdIn, user: userIn },
	items: ({ data }, { message_id }) => ({
		messageId: message_id,
		questions: asList(data).filter((question) => typeof question === 'string'),
	}),
});
