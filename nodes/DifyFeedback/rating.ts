/** The rating of a message: its fields, and how it is sent. */
import type { FieldTable, Values, ValueSource } from '../../lib/fields/field';
import { apiPath } from '../../lib/dify/api-path';
import { messageIdField, readUser, userField } from '../shared/dify/common-fields';
import { optionsField } from '../shared/fields/options-field';
import type { DifyCall, DifyOperation } from '../shared/dify/dify-operation';
import { ServerError } from '../../lib/errors/server-error';
import { defineOperation } from '../shared/items/define-operation';
import type { OperationItem } from '../shared/items/operation';
import { checkChoice } from '../../lib/fields/check-value';
import { createEmptyFieldError } from '../../lib/fields/field-errors';
import { isUnset } from '../../lib/values/records';
import { defineListOperation } from '../shared/dify/list-operation';
import { FEEDBACK_LIST } from '../../lib/dify/app';

/** Fields of Rate and Revoke. */
export const ratingFields = {
	messageId: messageIdField(
		'ID of the message, as returned by Dify Chat Message. Not the conversation ID or the task ID.',
	),
	user: userField,
	options: optionsField({
		ignoreNotRated: {
			kind: 'switch',
			label: 'Ignore If Not Rated',
			default: true,
			description:
				'Whether to succeed when there is no rating to remove. The output item then has "alreadySo". If off, this is an error, as in Dify.',
		},
	}),
} as const satisfies FieldTable;

/** The call of an operation with these fields. */
export type RatingCall = DifyCall & { values: Values<typeof ratingFields> };

/** A rating as Dify receives it. */
interface Feedback {
	/** Null revokes the rating. */
	rating: 'like' | 'dislike' | null;
	/** Null removes the comment. */
	content?: string | null;
}

/**
 * Sends a rating of the message and user in the fields.
 *
 * @returns the ID of the message
 */
export async function sendRating(
	{ client, source, values }: RatingCall,
	feedback: Feedback,
): Promise<string> {
	const { messageId } = values;
	const body = { ...feedback, user: readUser(source, values) };
	await client.sendJson('POST', apiPath`/messages/${messageId}/feedbacks`, {
		json: body,
		// A revocation is not resent: the second time, Dify reports nothing to revoke.
		isIdempotent: feedback.rating !== null,
	});
	return messageId;
}

/** Removes the rating of a message. */
export const feedbackRevoke: DifyOperation = defineOperation({
	name: 'Revoke',
	value: 'revoke',
	action: 'Revoke a rating',
	description: 'Remove the rating of a message, including its comment',
	fields: ratingFields,
	execute: revokeRating,
});

/** Removes the rating. A message without one is an error, unless the option ignores that. */
export async function revokeRating(call: RatingCall): Promise<OperationItem> {
	const { ignoreNotRated: shouldIgnore = false } = call.values.options;
	const { messageId } = call.values;
	const item = { messageId, rating: null, content: null, success: true };
	try {
		await sendRating(call, { rating: null });
		return { json: item };
	} catch (error) {
		if (!(error instanceof ServerError) || !isNotRated(error)) throw error as Error;
		if (shouldIgnore) return { json: { ...item, alreadySo: true } };
		throw error.asType('nothingToRevoke');
	}
}

/** The message was found and its ID is valid, so nothing else of such a request can be wrong. */
function isNotRated({ type, status }: ServerError) {
	return type === 'invalidParam' && status === 400;
}

/** What can be selected to like or dislike a message. */
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

/** The list of all ratings of an app. */
export const feedbackGetAll: DifyOperation = defineListOperation({
	action: 'Get many ratings',
	description: 'List all feedback of the app, from its users and from your team in Dify',
	fields: {},
	list: () => FEEDBACK_LIST,
});
