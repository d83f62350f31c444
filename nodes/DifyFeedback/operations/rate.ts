import { refusedHere } from '../../../lib/dify/failure';
import { rateMessage, type Rating } from '../../../lib/dify/feedback';
import { optionalUuid, uuid } from '../../../lib/dify/ids';
import type { Operation } from '../../shared/dify/operations';
import { revoke } from './revoke';

export const rate: Operation = async (call) => {
	const { client, parameters, signal } = call;
	const rating = ratingOf(parameters.raw('rating', ''));
	if (rating === 'none') return await revoke(call);
	const content = parameters.text('content');
	const rated = await rateMessage(
		client,
		{
			messageId: uuid(parameters.raw('messageId', ''), 'message ID'),
			user: parameters.user,
			rating,
			...(content.trim() === '' ? {} : { content }),
			earlierContent: parameters.choiceOption('earlierText', ['keep', 'erase']),
			conversationId: optionalUuid(parameters.option('conversationId'), 'conversation ID'),
		},
		signal,
	);
	return [{ ...rated, success: true }];
};

/** A rating that is missing would delete what is stored (contract dify 4), so nothing is taken for granted. */
function ratingOf(value: unknown): Rating | 'none' {
	const rating = typeof value === 'string' ? value.trim().toLowerCase() : value;
	if (rating === 'like' || rating === 'dislike' || rating === 'none') return rating;
	const given = value === undefined || value === null || value === '' ? 'empty' : JSON.stringify(value).slice(0, 100);
	throw refusedHere(
		'invalidParam',
		`The rating must be like, dislike or none, but is ${given}`,
		'An empty rating would delete an earlier one in Dify, so it is not sent. To take a rating back, give none.',
	);
}
