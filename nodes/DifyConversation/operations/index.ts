import type { Operation } from '../../shared/dify/operations';
import { remove } from './conversation/delete';
import { getAll as getConversations } from './conversation/getAll';
import { rename } from './conversation/rename';
import { getAll as getMessages } from './message/getAll';
import { getSuggested } from './message/getSuggested';
import { getAll as getVariables } from './variable/getAll';
import { update } from './variable/update';

/** Operations by resource and name. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
	'conversation.delete': remove,
	'conversation.getAll': getConversations,
	'conversation.rename': rename,
	'message.getAll': getMessages,
	'message.getSuggested': getSuggested,
	'variable.getAll': getVariables,
	'variable.update': update,
};
