/** Removes the rating of a message. */
import type { INodeExecutionData } from 'n8n-workflow';
import type { DifyCall, DifyOperation } from '../shared/dify/dify-operation';
import { readId } from '../shared/dify/dify-fields';
import { userField } from '../shared/dify/dify-user';
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
		const isNotRated = error instanceof ServerError && error.type === 'nothingToRevoke';
		if (shouldIgnore && isNotRated) return { json: { ...item, alreadySo: true } };
		throw error as Error;
	}
}
