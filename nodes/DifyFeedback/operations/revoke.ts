import { revokeRating } from '../../../lib/dify/feedback';
import { uuid } from '../../../lib/dify/ids';
import type { Operation } from '../../shared/dify/operations';

export const revoke: Operation = async ({ client, parameters, signal }) => {
	const messageId = uuid(parameters.raw('messageId', ''), 'message ID');
	const revoked = await revokeRating(
		client,
		messageId,
		parameters.user,
		parameters.flag('ignoreNotRated', false),
		signal,
	);
	return [{ messageId, rating: null, content: null, success: true, ...(revoked ? {} : { alreadySo: true }) }];
};
