import { updateVariable } from '../../../lib/dify/app/variables';
import { conversationField, locatorField, userField } from '../../shared/dify/fields';
import { conversationIdIn, userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';

const variableField = locatorField('Variable', 'variableId', 'searchVariables', { required: true });
const [fromList, byId] = variableField.modes!;
const byName = {
	displayName: 'By Name',
	name: 'name',
	type: 'string' as const,
	placeholder: 'e.g. language',
};

export const variableUpdate: DifyOperation = {
	option: {
		name: 'Update',
		value: 'update',
		action: 'Update a variable',
		description: 'Set a variable of a conversation with a chatflow',
	},
	fields: [
		userField,
		conversationField({ required: true }),
		{ ...variableField, modes: [fromList!, byName, byId!] },
		stringField('Value', 'value', {
			description: 'The new value. For a variable that is no text, write JSON: 5, true, [1, 2].',
		}),
	],
	run: async ({ client, parameters }) => {
		const variable = parameters.required(
			'variableId',
			'Choose the variable from the list, or give its name or ID.',
		);
		const conversationId = conversationIdIn(parameters);
		const value = parameters.value('value');
		return [
			{ json: await updateVariable(client, userIn(parameters), conversationId, variable, value) },
		];
	},
};
