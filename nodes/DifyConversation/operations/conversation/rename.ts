import { renameConversation } from '../../../../lib/dify/conversations';
import { uuid } from '../../../../lib/dify/ids';
import type { Operation } from '../../../shared/dify/operations';

export const rename: Operation = async ({ client, parameters, signal }) => {
	const name = parameters.switched('autoGenerate', false) ? undefined : parameters.text('name');
	return [
		await renameConversation(
			client,
			parameters.user,
			uuid(parameters.located('conversationId'), 'conversation ID'),
			name,
			signal,
		),
	];
};
