import { renameConversation } from '../../../lib/dify/app/conversations';
import { conversationField, userField } from '../../shared/dify/fields';
import { conversationIdIn, userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { booleanField, stringField } from '../../shared/field-kinds';

export const conversationRename: DifyOperation = {
	option: {
		name: 'Rename',
		value: 'rename',
		action: 'Rename a conversation',
		description: 'Give it a name, or let Dify think of one',
	},
	fields: [
		userField,
		conversationField({ required: true }),
		booleanField('Let Dify Choose the Name', 'autoGenerate', false, {
			description: 'Whether a model thinks of a name from the messages of the conversation',
		}),
		stringField('Name', 'name', {
			required: true,
			displayOptions: { show: { autoGenerate: [false] } },
		}),
	],
	run: async ({ client, parameters }) => {
		const name = parameters.flag('autoGenerate') ? undefined : parameters.freeText('name');
		return [
			{
				json: await renameConversation(
					client,
					userIn(parameters),
					conversationIdIn(parameters),
					name,
				),
			},
		];
	},
};
