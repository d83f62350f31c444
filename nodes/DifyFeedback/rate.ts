/** Likes or dislikes a message. */
import type { DifyOperation } from '../shared/dify/dify-operation';
import { userField } from '../shared/dify/dify-user';
import { choiceField, longTextField, optionsCollection } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { asChoice, createEmptyFieldError } from '../shared/parameters';
import { isUnset } from '../../lib/values/records';
import { ignoreNotRatedField, ratedMessageField, sendRating } from './rating';
import { revokeRating } from './revoke';

/** What can be selected. `none` removes the rating. */
type RatingChoice = 'like' | 'dislike' | 'none';

export const feedbackRate: DifyOperation = {
	name: 'Rate',
	value: 'rate',
	action: 'Rate a message',
	description: 'Like or dislike a message, with an optional comment',
	fields: [
		ratedMessageField,
		userField,
		choiceField(
			'Rating',
			'rating',
			'like',
			{
				dislike: 'Dislike',
				like: 'Like',
				none: ['None', 'Removes the rating, like Revoke'],
			},
			'Expressions must return like, dislike or none. Each user has one rating per message: a new rating replaces it.',
		),
		longTextField(
			'Text',
			'content',
			2,
			'Why the response was good or bad. If empty, Dify deletes the comment of an earlier rating.',
		),
		optionsCollection([ignoreNotRatedField]),
	],
	execute: async (call) => {
		const { client, parameters } = call;
		const rating = readRating(parameters);
		if (rating === 'none') return await revokeRating(call);
		const text = parameters.rawString('content');
		const content = text.trim() === '' ? null : text;
		const messageId = await sendRating(client, parameters, { rating, content });
		return { json: { messageId, rating, content, success: true } };
	},
};

/** There is no default: a missing rating would delete the stored one (docs/protocols/dify.md 4). */
function readRating(parameters: NodeParameters): RatingChoice {
	const field = parameters.field('rating');
	const value = parameters.value('rating');
	if (isUnset(value)) {
		throw createEmptyFieldError(
			field.label,
			'An empty rating would delete an earlier one in Dify, so it is not sent. To remove a rating, choose none.',
		);
	}
	return asChoice(field, typeof value === 'string' ? value.trim().toLowerCase() : value);
}
