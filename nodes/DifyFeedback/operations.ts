import { FEEDBACK } from '../../lib/dify/app/feedback';
import { path } from '../../lib/dify/ids';
import { ServerError } from '../../lib/errors/server-error';
import type { DifyClient } from '../../lib/dify/client';
import { optional } from '../../lib/values';
import { messageField, userField } from '../shared/dify/fields';
import { messageIdIn, userIn } from '../shared/dify/ids';
import { listRow } from '../shared/dify/define-operation';
import type { DifyCall, DifyOperation } from '../shared/dify/dify-operation';
import {
	booleanField,
	choiceField,
	choices,
	longTextField,
	optionsCollection,
} from '../shared/field-builders';
import { asChoice, isBlank, type NodeParameters, wrongField } from '../shared/parameters';

export const feedbackGetAll = listRow({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many ratings',
		description: 'List all feedback of the app, from its users and from your team in Dify',
	},
	fields: [],
	list: () => FEEDBACK,
});

const ratedMessageField = messageField(
	'ID of the message, as returned by Dify Chat Message. Not the conversation ID or the task ID.',
);

const ignoreNotRated = booleanField('Ignore If Not Rated', 'ignoreNotRated', true, {
	description:
		'Whether to succeed when there is no rating to remove. The output item then has "alreadySo". If off, this is an error, as in Dify.',
});

type Rating = 'like' | 'dislike' | 'none';

export const rate: DifyOperation = {
	option: {
		name: 'Rate',
		value: 'rate',
		action: 'Rate a message',
		description: 'Like or dislike a message, with an optional comment',
	},
	fields: [
		ratedMessageField,
		userField,
		choiceField('Rating', 'rating', 'like', {
			options: choices({
				dislike: 'Dislike',
				like: 'Like',
				none: ['None', 'Removes the rating, like Revoke'],
			}),
			description:
				'Expressions must return like, dislike or none. Each user has one rating per message: a new rating replaces it.',
		}),
		longTextField('Text', 'content', 2, {
			description:
				'Why the response was good or bad. If empty, Dify deletes the comment of an earlier rating.',
		}),
		optionsCollection([ignoreNotRated]),
	],
	run: async (call) => {
		const { client, parameters } = call;
		const rating = ratingIn(parameters);
		if (rating === 'none') return await revoked(call);
		const content =
			parameters.freeText('content').trim() === '' ? null : parameters.freeText('content');
		const messageId = await sendRating(client, parameters, { rating, content });
		return [{ json: { messageId, rating, content, success: true } }];
	},
};

export const revoke: DifyOperation = {
	option: {
		name: 'Revoke',
		value: 'revoke',
		action: 'Revoke a rating',
		description: 'Remove the rating of a message, including its comment',
	},
	fields: [ratedMessageField, userField, optionsCollection([ignoreNotRated])],
	run: revoked,
};

async function revoked({ client, parameters }: DifyCall) {
	const ignores = parameters.flag('options.ignoreNotRated', false);
	const messageId = messageIdIn(parameters);
	// Not sent again: the second time, Dify says that there is nothing to revoke.
	const sending = sendRating(client, parameters, { rating: null });
	const alreadySo = await sending.then(
		() => undefined,
		(error: unknown) => {
			if (ignores && error instanceof ServerError && error.kind === 'nothingToRevoke') return true;
			throw error;
		},
	);
	const json = {
		messageId,
		rating: null,
		content: null,
		success: true,
		...optional({ alreadySo }),
	};
	return [{ json }];
}

async function sendRating(
	client: DifyClient,
	parameters: NodeParameters,
	rated: { rating: Rating | null; content?: string | null },
): Promise<string> {
	const messageId = messageIdIn(parameters);
	const body = { ...rated, user: userIn(parameters) };
	const isIdempotent = rated.rating !== null;
	await client.send('POST', path`/messages/${messageId}/feedbacks`, body, { isIdempotent });
	return messageId;
}

/** There is no default: a missing rating would delete the stored one (docs/protocols/dify.md 4). */
function ratingIn(parameters: NodeParameters): Rating {
	const field = parameters.field('rating');
	const value = parameters.value('rating');
	if (isBlank(value))
		throw wrongField(
			field.label,
			'is empty',
			'An empty rating would delete an earlier one in Dify, so it is not sent. To remove a rating, choose none.',
		);
	return asChoice(field, typeof value === 'string' ? value.trim().toLowerCase() : value);
}
