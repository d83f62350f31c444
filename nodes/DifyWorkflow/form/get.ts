import { getHumanForm } from '../../../lib/dify/forms/human-form';
import { simplifyField } from '../../shared/dify/run-options';
import { formTokenField, formTokenIn } from '../fields';
import type { DifyOperation } from '../../shared/dify/run';
import { plain } from '../../shared/dify/plain';

export const formGet: DifyOperation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a form',
		description: 'What a paused run asks: text, fields and buttons',
	},
	fields: [formTokenField, simplifyField],
	run: async ({ client, parameters }) => {
		const form = await getHumanForm(client, formTokenIn(parameters));
		const { raw, formToken, formContent, inputs, actions, expirationTime } = form;
		const fields = inputs.map(({ name, kind, options, default: preset }) => ({
			name,
			kind,
			options,
			default: preset,
		}));
		const simple = { formToken, formContent, inputs: fields, actions, expirationTime };
		const json = parameters.flag('simplify') ? simple : { form_token: formToken, ...raw };
		return [{ json: plain(json) }];
	},
};
