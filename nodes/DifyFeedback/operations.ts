/** Ratings of messages of a Dify app. */
import type { DifyCall, DifyOperation } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/define-operation';
import { messageField, readId } from '../shared/dify/dify-fields';
import { userField, readUser } from '../shared/dify/dify-user';
import type { OperationTable } from '../shared/run/operation-table';
import { createOperationTable } from '../shared/run/operation-table';
import { FEEDBACK_LIST } from '../../lib/dify/app';
import { ServerError } from '../../lib/errors/server-error';
import type { DifyClient } from '../../lib/dify/client';
import { apiPath } from '../../lib/dify/api-path';
import {
	booleanField,
	choiceField,
	longTextField,
	optionsCollection,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { asChoice, createFieldError } from '../shared/parameters';
import { isUnset } from '../../lib/values/records';

const feedbackGetAll = defineListOperation({
	action: 'Get many ratings',
	description: 'List all feedback of the app, from its users and from your team in Dify',
	fields: [],
	list: () => FEEDBACK_LIST,
});

const ratedMessageField = messageField(
	'ID of the message, as returned by Dify Chat Message. Not the conversation ID or the task ID.',
);

const ignoreNotRated = booleanField(
	'Ignore If Not Rated',
	'ignoreNotRated',
	true,
	'Whether to succeed when there is no rating to remove. The output item then has "alreadySo". If off, this is an error, as in Dify.',
);

/** `none` removes the rating. */
type Rating = 'like' | 'dislike' | 'none';

const rate: DifyOperation = {
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
		optionsCollection([ignoreNotRated]),
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

const revoke: DifyOperation = {
	name: 'Revoke',
	value: 'revoke',
	action: 'Revoke a rating',
	description: 'Remove the rating of a message, including its comment',
	fields: [ratedMessageField, userField, optionsCollection([ignoreNotRated])],
	execute: revokeRating,
};

async function revokeRating({ client, parameters }: DifyCall) {
	const shouldIgnore = parameters.boolean('options.ignoreNotRated', false);
	const messageId = readId(parameters, 'messageId');
	const item = { messageId, rating: null, content: null, success: true };
	try {
		await sendRating(client, parameters, { rating: null });
		return { json: item };
	} catch (error) {
		const isNotRated = error instanceof ServerError && error.type === 'nothingToRevoke';
		if (shouldIgnore && isNotRated) return { json: { ...item, alreadySo: true } };
		throw error as Error;
	}
}

/** What is sent. */
interface Feedback {
	/** Null revokes the rating. */
	rating: Rating | null;
	/** Null removes the comment. */
	content?: string | null;
}

/** @returns the ID of the message */
async function sendRating(client: DifyClient, parameters: NodeParameters, feedback: Feedback) {
	const messageId = readId(parameters, 'messageId');
	const body = { ...feedback, user: readUser(parameters) };
	await client.sendJson('POST', apiPath`/messages/${messageId}/feedbacks`, {
		json: body,
		// A revocation is not resent: the second time, Dify reports nothing to revoke.
		isIdempotent: feedback.rating !== null,
	});
	return messageId;
}

/** There is no default: a missing rating would delete the stored one (docs/protocols/dify.md 4). */
function readRating(parameters: NodeParameters): Rating {
	const field = parameters.field('rating');
	const value = parameters.value('rating');
	if (isUnset(value)) {
		throw createFieldError(
			field.label,
			'is empty',
			'An empty rating would delete an earlier one in Dify, so it is not sent. To remove a rating, choose none.',
		);
	}
	return asChoice(field, typeof value === 'string' ? value.trim().toLowerCase() : value);
}

/** In the order of n8n's list of actions. */
export const operations: OperationTable<DifyOperation> = createOperationTable([
	rate,
	feedbackGetAll,
	revoke,
]);
