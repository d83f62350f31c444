/** Removes the rating of a message. */
import { ServerError } from '../../lib/errors/server-error';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { defineOperation } from '../shared/items/define-operation';
import type { OperationItem } from '../shared/items/operation';
import type { RatingCall } from './rating';
import { ratingFields, sendRating } from './rating';

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
