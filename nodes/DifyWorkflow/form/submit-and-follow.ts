import { simplifyField } from '../../shared/dify/run-options';
import { followOptions, runIdField, runIdIn } from '../fields';
import { answerFields, submitAnswer } from './submit';
import type { DifyOperation } from '../../shared/dify/run';
import { followedItem } from '../run/follow';
import { optionsCollection } from '../../shared/field-kinds';

export const formSubmitAndFollow: DifyOperation = {
	option: {
		name: 'Submit and Follow',
		value: 'submitAndFollow',
		action: 'Submit a form and follow the run',
		description:
			'Answer what a paused run asks, and wait for the outputs of the run (Dify 1.14 and newer)',
	},
	fields: [...answerFields, runIdField, simplifyField, optionsCollection(followOptions)],
	run: async (call) => {
		// Checked before the form is submitted, which is possible only once.
		runIdIn(call.parameters);
		const { formToken } = await submitAnswer(call);
		return [await followedItem(call, formToken)];
	},
};
