import { revokeRating } from '../../lib/dify/app/feedback';
import { messageField, userField } from '../shared/dify/fields';
import { messageIdIn, userIn } from '../shared/dify/ids';
import type { DifyOperation } from '../shared/dify/run';
import { booleanField, optionsCollection } from '../shared/field-kinds';

export const ratedMessageField = messageField(
	'ID of the answer, as Dify Chat Message gives it. Not the ID of the conversation or the task.',
);

export const ignoreNotRated = booleanField('Ignore If Not Rated', 'ignoreNotRated', true, {
	description:
		'Whether taking back a rating that does not exist is fine. The item then has "alreadySo". Without this option it is an error, as in Dify.',
});

export const revoke: DifyOperation = {
	option: {
		name: 'Revoke',
		value: 'revoke',
		action: 'Revoke a rating',
		description: 'Take the rating of an answer back, with its text',
	},
	fields: [ratedMessageField, userField, optionsCollection([ignoreNotRated])],
	run: async ({ client, parameters }) => {
		const messageId = messageIdIn(parameters);
		const ignore = parameters.flag('options.ignoreNotRated', false);
		const revoked = await revokeRating(client, messageId, userIn(parameters), ignore);
		return [
			{
				json: {
					messageId,
					rating: null,
					content: null,
					success: true,
					...(revoked ? {} : { alreadySo: true }),
				},
			},
		];
	},
};
