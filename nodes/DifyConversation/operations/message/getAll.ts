import { listMessages } from '../../../../lib/dify/conversations';
import { uuid } from '../../../../lib/dify/ids';
import type { Operation } from '../../../shared/dify/operations';

export const getAll: Operation = async ({ client, parameters, signal }) =>
	await listMessages(
		client,
		parameters.user,
		uuid(parameters.located('conversationId'), 'conversation ID'),
		parameters.most(),
		signal,
	);
