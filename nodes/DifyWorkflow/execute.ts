/** Operation Execute of a run. */
import { runWorkflow } from '../../lib/dify/run/run-workflow';
import { prepareRun } from '../shared/dify/prepare-run';
import { filesField } from '../shared/dify/run-files';
import { inputFields } from '../shared/dify/run-inputs';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { simplifyField, RUN_OPTIONS, RETRY_CONDITION } from '../shared/dify/dify-fields';
import { readUser } from '../shared/dify/dify-user';
import { optionsCollection } from '../shared/field-builders';
import { runUserField, onPause, common } from './fields';
import { readOutputOptions, getKeptValues, toRunItem } from './run-item';

const [inputsMode, ...inputValues] = inputFields;

export const runExecute: DifyOperation = {
	name: 'Execute',
	value: 'execute',
	action: 'Execute a workflow',
	description: 'Run the published workflow and wait for its outputs',
	fields: [
		runUserField,
		{ ...inputsMode!, description: "Variables of the workflow's start node" },
		...inputValues,
		simplifyField,
		optionsCollection([
			...common,
			{
				...filesField,
				description:
					'Files for the variable sys.files of older workflows. File variables of the start node belong in the inputs.',
			},
			{
				...RUN_OPTIONS.maxRetries,
				description: `How often to restart a run ${RETRY_CONDITION}`,
			},
			RUN_OPTIONS.totalTimeout,
			RUN_OPTIONS.traceId,
			onPause,
			{
				...RUN_OPTIONS.workflowId,
				description:
					'ID of a published version of the workflow. Leave empty to use the latest version. The output of a run contains the version that ran.',
			},
		]),
	],
	execute: async (call) => {
		const user = readUser(call.parameters);
		const output = readOutputOptions(call, user);
		const request = await prepareRun(call, { user, filesPath: 'options.files' });
		const running = runWorkflow(call.client, { ...request, ...getKeptValues(output) });
		return await toRunItem(call, { running, output, inputWarnings: request.warnings });
	},
};
