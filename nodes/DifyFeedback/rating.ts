/** The rating of a message: its fields, and how it is sent. */
import type { FieldTable, Values } from '../../lib/fields/field';
import { apiPath } from '../../lib/dify/api-path';
import { messageIdField, readUser, userField } from '../shared/dify/common-fields';
import { optionsField } from '../shared/fields/options-field';
import type { DifyCall } from '../shared/dify/dify-operation';

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
