import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { difyActionNode, difyExecute } from '../shared/dify/description';
import { searchConversations } from '../shared/dify/search-conversations';
import { searchVariables } from './search-variables';
import { actionSubtitle } from '../shared/run/operations';
import { operations } from './resources';

export class DifyConversation implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Conversation',
		name: 'difyConversation',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: actionSubtitle(operations.properties),
		description:
			'Conversations of a Dify app: lists, renames and deletes them, reads messages, sets variables',
		builderHint: BUILDER_HINTS.difyConversation,
		defaults: { name: 'Dify Conversation' },
		usableAsTool: true,
		properties: operations.properties,
	};

	methods = { listSearch: { searchConversations, searchVariables } };

	execute = difyExecute(operations);
}
