import { localError } from '../../lib/dify/errors/failure';
import { optionalUuid } from '../../lib/dify/ids';
import { listVariables } from '../../lib/dify/app/variables';
import { editorList, editorUser, editorValue, matching } from '../shared/dify/editor';

/** Variables of the conversation in the node. */
export const searchVariables = editorList(async ({ context, client, filter }) => {
	const conversationId = optionalUuid(editorValue(context, 'conversationId'), 'conversation ID');
	if (conversationId === undefined)
		throw localError(
			'invalidId',
			'The list needs a conversation',
			'Choose it in Conversation first, or give the variable by name.',
		);
	const variables = await listVariables(client, editorUser(context), conversationId, 'all');
	const named = variables.map(({ id, name, value_type: type }) => ({
		name: `${String(name)} (${String(type)})`,
		value: String(id),
	}));
	return matching(named, filter);
});
