/** Likes or dislikes a message. */
import { checkChoice } from '../../lib/fields/check-value';
import type { FieldTable, ValueSource } from '../../lib/fields/field';
import { createEmptyFieldError } from '../../lib/fields/field-errors';
import { isUnset } from '../../lib/values/records';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { defineOperation } from '../shared/items/define-operation';
import { ratingFields, sendRating } from './rating';
import { revokeRating } from './revoke';

/** What can be selected. */
const RATINGS = {
	dislike: 'Dislike',
	like: 'Like',
	none: ['None', 'Removes the rating, like Revoke'],
} as const;

const { options, ...messageFields } = ratingFields;

const fields = {
	...messageFields,
	rating: {
		kind: 'choice',
		label: 'Rating',
		default: 'like',
		choices: RATINGS,
		description:
			'Expressions must return like, dislike or none. Each user has one rating per message: a new rating replaces it.',
		parse: parseRating,
	},
	content: {
		kind: 'text',
		label: 'Text',
		rows: 2,
		description:
			'Why the response was good or bad. If empty, Dify deletes the comment of an earlier rating.',
	},
	options,
} as const satisfies FieldTable;

export const feedbackRate: DifyOperation = defineOperation({
	name: 'Rate',
	value: 'rate',
	action: 'Rate a message',
	description: 'Like or dislike a message, with an optional comment',
	fields,
	execute: async (call) => {
		const { rating, content: text } = call.values;
		if (rating === 'none') return await revokeRating(call);
		const content = text.trim() === '' ? null : text;
		const messageId = await sendRating(call, { rating, content });
		return { json: { messageId, rating, content, success: true } };
	},
});

/** There is no default: a missing rating would delete the stored one (docs/protocols/dify.md 4). */
function parseRating(value: unknown, { label }: ValueSource): keyof typeof RATINGS {
	if (isUnset(value))
		throw createEmptyFieldError(
			{ label },
			'An empty rating would delete an earlier one in Dify, so it is not sent. To remove a rating, choose none.',
		);
	const rating = typeof value === 'string' ? value.trim().toLowerCase() : value;
	return checkChoice({ label, choices: RATINGS }, rating);
}
