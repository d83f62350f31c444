/** Operation Execute of a run. */
import type { FieldTable } from '../../lib/fields/field';
import { runWorkflow } from '../../lib/dify/run/run-workflow';
import { readUser, simplifyField } from '../shared/dify/common-fields';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { prepareRun } from '../shared/dify/prepare-run';
import { filesField } from '../shared/dify/run-files';
import { inputFields } from '../shared/dify/run-inputs';
import { RETRY_CONDITION, RUN_OPTIONS } from '../shared/dify/run-options';
import { optionsField } from '../shared/fields/options-field';
import { defineOperation } from '../shared/items/define-operation';
import { common, onPause, runUserField } from './fields';
import { getKeptValues, toRunItem, toRunOutput } from './run-item';

const fields = {
	user: runUserField,
	...inputFields,
	inputsMode: {
		...inputFields.inputsMode,
		description: "Variables of the workflow's start node",
	},
	simplify: simplifyField,
	options: optionsField({
		...common,
		files: {
			...filesField,
			description:
				'Files for the variable sys.files of older workflows. File variables of the start node belong in the inputs.',
		},
		maxRetries: {
			...RUN_OPTIONS.maxRetries,
			description: `How often to restart a run ${RETRY_CONDITION}`,
		},
		totalTimeout: RUN_OPTIONS.totalTimeout,
		traceId: RUN_OPTIONS.traceId,
		onPause,
		workflowId: {
			...RUN_OPTIONS.workflowId,
			description:
				'ID of a published version of the workflow. Leave empty to use the latest version. The output of a run contains the version that ran.',
		},
	}),
} as const satisfies FieldTable;

export const runExecute: DifyOperation = defineOperation({
	name: 'Execute',
	value: 'execute',
	action: 'Execute a workflow',
	description: 'Run the published workflow and wait for its outputs',
	fields,
	execute: async (call) => {
		const { client, source, values } = call;
		const { options } = values;
		const user = readUser(source, values);
		const output = toRunOutput(values, user);
		const { files } = options;
		const request = await prepareRun(call, { user, inputs: values, files, options });
		const running = runWorkflow(client, { ...request, ...getKeptValues(output) });
		return await toRunItem(call, { running, output, inputWarnings: request.warnings });
	},
});
