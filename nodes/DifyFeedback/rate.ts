import { rateMessage, type Rating } from '../../lib/dify/app/feedback';
import { userField } from '../shared/dify/fields';
import { messageIdIn, userIn } from '../shared/dify/ids';
import type { DifyOperation } from '../shared/dify/run';
import { choiceField, choices, longTextField, optionsCollection } from '../shared/field-kinds';
import { asChoice, isBlank, wrongField } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';
import { ignoreNotRated, ratedMessageField, revoke } from './revoke';

export const rate: DifyOperation = {
	option: {
		name: 'Rate',
		value: 'rate',
		action: 'Rate a message',
		description: 'Like or dislike an answer, with or without a text',
	},
	fields: [
		ratedMessageField,
		userField,
		choiceField('Rating', 'rating', 'like', {
			options: choices({
				dislike: 'Dislike',
				like: 'Like',
				none: ['None', 'Takes the rating back, as Revoke does'],
			}),
			description:
				'An expression must give like, dislike or none. Each message has one rating of its user: a new one replaces it.',
		}),
		longTextField('Text', 'content', 2, {
			description:
				'Why the answer was good or bad. Without a text, Dify erases that of an earlier rating.',
		}),
		optionsCollection([ignoreNotRated]),
	],
	run: async (call) => {
		const { client, parameters } = call;
		const rating = ratingIn(parameters);
		if (rating === 'none') return await revoke.run(call);
		const content = parameters.freeText('content');
		const rated = await rateMessage(client, {
			messageId: messageIdIn(parameters),
			user: userIn(parameters),
			rating,
			...(content.trim() === '' ? {} : { content }),
		});
		return [{ json: { ...rated, success: true } }];
	},
};

/** There is no default: a missing rating would delete the stored one (docs/protocols/dify.md 4). */
function ratingIn(parameters: NodeParameters): Rating | 'none' {
	const field = parameters.field('rating');
	const value = parameters.value('rating');
	if (isBlank(value))
		throw wrongField(
			field.label,
			'is empty',
			'An empty rating would delete an earlier one in Dify, so it is not sent. To take a rating back, give none.',
		);
	return asChoice(field, typeof value === 'string' ? value.trim().toLowerCase() : value);
}
