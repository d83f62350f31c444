import { uuid } from '../../../../lib/dify/ids';
import { listVariables } from '../../../../lib/dify/variables';
import type { Operation } from '../../../shared/dify/operations';

export const getAll: Operation = async ({ client, parameters, signal }) =>
	await listVariables(
		client,
		parameters.user,
		uuid(parameters.located('conversationId'), 'conversation ID'),
		parameters.most(),
		undefined,
		signal,
	);
