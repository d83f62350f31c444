/** Removes the rating of a message. */
import type { INodeExecutionData } from 'n8n-workflow';
import type { DifyCall, DifyOperation } from '../shared/dify/dify-operation';
import { readId } from '../shared/dify/dify-fields';
import { userField } from '../shared/dify/dify-user';
import { asType } from '../../lib/dify/create-error';
import { ServerError } from '../../lib/errors/server-error';
import { optionsCollection } from '../shared/field-builders';
import { ignoreNotRatedField, ratedMessageField, sendRating } from './rating';

export const feedbackRevoke: DifyOperation = {
	name: 'Revoke',
	value: 'revoke',
	action: 'Revoke a rating',
	description: 'Remove the rating of a message, including its comment',
	fields: [ratedMessageField, userField, optionsCollection([ignoreNotRatedField])],
	execute: revokeRating,
};

/** Removes the rating. A message without one is an error, unless the option ignores that. */
export async function revokeRating({ client, parameters }: DifyCall): Promise<INodeExecutionData> {
	const shouldIgnore = parameters.boolean('options.ignoreNotRated', false);
	const messageId = readId(parameters, 'messageId');
	const item = { messageId, rating: null, content: null, success: true };
	try {
		await sendRating(client, parameters, { rating: null });
		return { json: item };
	} catch (error) {
		if (!(error instanceof ServerError) || !isNotRated(error)) throw error as Error;
		if (shouldIgnore) return { json: { ...item, alreadySo: true } };
		throw asType(error, 'nothingToRevoke');
	}
}

/** The message was found and its ID is valid, so nothing else of such a request can be wrong. */
function isNotRated({ type, status }: ServerError) {
	return type === 'invalidParam' && status === 400;
}
