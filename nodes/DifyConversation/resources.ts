import { resourceTable } from '../shared/run/operations';
import { conversationDelete } from './conversation/delete';
import { conversationGetAll } from './conversation/get-all';
import { conversationRename } from './conversation/rename';
import { messageGetAll } from './message/get-all';
import { messageGetSuggested } from './message/routes';
import { variableGetAll } from './variable/get-all';
import { variableUpdate } from './variable/update';

/** What the node can do. */
export const operations = resourceTable([
	{
		option: { name: 'Conversation', value: 'conversation' },
		operations: [conversationGetAll, conversationRename, conversationDelete],
	},
	{
		option: { name: 'Message', value: 'message' },
		operations: [messageGetAll, messageGetSuggested],
	},
	{ option: { name: 'Variable', value: 'variable' }, operations: [variableGetAll, variableUpdate] },
]);
