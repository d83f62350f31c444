import { suggestedQuestions } from '../../../../lib/dify/conversations';
import { uuid } from '../../../../lib/dify/ids';
import type { Operation } from '../../../shared/dify/operations';

export const getSuggested: Operation = async ({ client, parameters, signal }) => {
	const messageId = uuid(parameters.raw('messageId', ''), 'message ID');
	return [{ messageId, questions: await suggestedQuestions(client, parameters.user, messageId, signal) }];
};
