import { refusedHere } from '../../../../lib/dify/failure';
import { uuid } from '../../../../lib/dify/ids';
import { updateVariable } from '../../../../lib/dify/variables';
import type { Operation } from '../../../shared/dify/operations';

export const update: Operation = async ({ client, parameters, signal }) => {
	const variable = String(parameters.located('variableId') ?? '').trim();
	if (variable === '')
		throw refusedHere('invalidParam', 'The variable is empty', 'Choose it from the list, or give its name or ID.');
	const conversationId = uuid(parameters.located('conversationId'), 'conversation ID');
	return [await updateVariable(client, parameters.user, conversationId, variable, parameters.raw('value', ''), signal)];
};
