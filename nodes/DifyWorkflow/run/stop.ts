import { explainAppType } from '../../../lib/dify/app/app-mode';
import { requestStop, RUN_ROUTES } from '../../../lib/dify/run/run';
import { userIn } from '../../shared/dify/ids';
import { runUserField } from '../fields';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';

export const runStop: DifyOperation = {
	option: {
		name: 'Stop',
		value: 'stop',
		action: 'Stop a run',
		description: 'Ask Dify to stop a run. It accepts any ID, and a paused run stays paused.',
	},
	fields: [
		stringField('Task ID', 'taskId', {
			default: '={{ $json.taskId }}',
			required: true,
			placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
			description: 'The task ID of the run, which is not its workflow run ID',
		}),
		{ ...runUserField, description: 'Who started the run' },
	],
	run: async ({ client, parameters }) => {
		const taskId = parameters.required('taskId');
		await requestStop(client, RUN_ROUTES.workflow, taskId, userIn(parameters)).catch(
			async (error: unknown) => {
				throw await explainAppType(client, error, 'workflow');
			},
		);
		return [{ json: { taskId, stopRequested: true } }];
	},
};
