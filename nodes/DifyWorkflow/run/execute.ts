import { explainAppType } from '../../../lib/dify/app/app-mode';
import { runWorkflow } from '../../../lib/dify/run/workflow';
import { userIn } from '../../shared/dify/ids';
import { inputFields } from '../../shared/dify/inputs';
import { filesField } from '../../shared/dify/run-files';
import { readRunOptions, simplifyField } from '../../shared/dify/run-options';
import { runRequest } from '../../shared/dify/run-request';
import { executeOptions, runUserField } from '../fields';
import type { DifyOperation } from '../../shared/dify/run';
import { readOutput, runItem } from '../output';

const [inputsMode, ...inputValues] = inputFields;

export const runExecute: DifyOperation = {
	option: {
		name: 'Execute',
		value: 'execute',
		action: 'Execute a workflow',
		description: 'Run the published workflow and wait for its outputs',
	},
	fields: [
		runUserField,
		{ ...inputsMode!, description: 'The variables of the start node of the workflow' },
		...inputValues,
		{
			...filesField,
			description:
				'Files for the variable sys.files of older workflows. File variables of the start node belong in the inputs.',
		},
		simplifyField,
		...executeOptions,
	],
	run: async (call) => {
		const { client, parameters, typing } = call;
		const user = userIn(parameters);
		const { limits, retries, ...ids } = readRunOptions(parameters);
		const output = readOutput(call, user);
		await typing?.begin();
		const dropped: string[] = [];
		const request = await runRequest(call, user, (warning) => void dropped.push(warning));
		const running = runWorkflow(
			client,
			{ ...request, ...ids },
			{ onDeltas: typing?.show, limits, retries },
		);
		const explained = running.then(
			(result) => ({ ...result, warnings: [...dropped, ...result.warnings] }),
			async (error: unknown) => {
				dropped.forEach(call.hint);
				throw await explainAppType(client, error, 'workflow');
			},
		);
		return [await runItem(call, output, explained)];
	},
};
