/** The rating of a message: its fields, and how it is sent. */
import type { INodeProperties } from 'n8n-workflow';
import { messageField, readId } from '../shared/dify/dify-fields';
import { readUser } from '../shared/dify/dify-user';
import type { DifyClient } from '../../lib/dify/client';
import { apiPath } from '../../lib/dify/api-path';
import { booleanField } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';

export const ratedMessageField: INodeProperties = messageField(
	'ID of the message, as returned by Dify Chat Message. Not the conversation ID or the task ID.',
);

export const ignoreNotRatedField: INodeProperties = booleanField(
	'Ignore If Not Rated',
	'ignoreNotRated',
	true,
	'Whether to succeed when there is no rating to remove. The output item then has "alreadySo". If off, this is an error, as in Dify.',
);

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
	client: DifyClient,
	parameters: NodeParameters,
	feedback: Feedback,
): Promise<string> {
	const messageId = readId(parameters, 'messageId');
	const body = { ...feedback, user: readUser(parameters) };
	await client.sendJson('POST', apiPath`/messages/${messageId}/feedbacks`, {
		json: body,
		// A revocation is not resent: the second time, Dify reports nothing to revoke.
		isIdempotent: feedback.rating !== null,
	});
	return messageId;
}
