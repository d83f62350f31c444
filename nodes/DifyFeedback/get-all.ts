/** The list of all ratings of an app. */
import type { DifyOperation } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import { FEEDBACK_LIST } from '../../lib/dify/app';

export const feedbackGetAll: DifyOperation = defineListOperation({
	action: 'Get many ratings',
	description: 'List all feedback of the app, from its users and from your team in Dify',
	fields: {},
	list: () => FEEDBACK_LIST,
});
