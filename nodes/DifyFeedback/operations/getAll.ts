import { listFeedback } from '../../../lib/dify/feedback';
import type { Operation } from '../../shared/dify/operations';

export const getAll: Operation = async ({ client, parameters, signal }) =>
	await listFeedback(client, parameters.most(), signal);
