import { explainAppType } from '../../../lib/dify/app-mode';
import { appFileRules } from '../../../lib/dify/files';
import { runWorkflow } from '../../../lib/dify/workflow';
import { userIn } from '../../shared/dify/ids';
import { inputFields, inputsOf } from '../../shared/dify/inputs';
import { filesField, takenFiles, uploadOf, wantedFiles } from '../../shared/dify/run-files';
import { readRunOptions, simplifyField } from '../../shared/dify/run-options';
import { executeOptions, runUserField } from '../fields';
import type { DifyOperation } from '../../shared/dify/run';
import { readOutput, runItem } from '../output';
import { collectionOf } from '../../shared/options-field';

const [inputsMode, ...inputValues] = inputFields;

export const runExecute: DifyOperation = {
	option: {
		name: 'Execute',
		value: 'execute',
		action: 'Run a workflow',
		description: 'Run the published workflow and wait for its outputs',
	},
	fields: [
		runUserField,
		{ ...inputsMode!, description: 'The variables of the start node of the workflow' },
		...inputValues,
		{
			...filesField,
			description:
				'Files for the variable sys.files of older workflows. File variables of the start node belong into the inputs.',
		},
		simplifyField,
		collectionOf(executeOptions),
	],
	run: async (call) => {
		const { context, app, parameters, signal, typing } = call;
		const user = userIn(parameters);
		const { limits, maxRetries, traceId, workflowId } = readRunOptions(parameters);
		const output = readOutput(call, user);
		const events: unknown[] = [];
		await typing?.begin();
		const wanted = await wantedFiles(context, parameters);
		const dropped: string[] = [];
		const inputs = await inputsOf(context, parameters, app, signal, (warning) => void dropped.push(warning));
		const appParameters = wanted.length === 0 ? {} : await app.parameters(signal);
		const files = takenFiles(wanted, appFileRules(appParameters), appParameters);
		const upload = uploadOf(app.client, user, signal);
		const request = { inputs: await inputs(upload), files: await upload(files), user, traceId, workflowId };
		const running = runWorkflow(app.client, request, {
			signal,
			limits,
			retries: maxRetries,
			onDeltas: typing?.show,
			...(output.include.includes('events') ? { onEvent: (event: unknown) => void events.push(event) } : {}),
		});
		const explained = running.then(
			(result) => ({ ...result, warnings: [...dropped, ...result.warnings] }),
			async (error: unknown) => {
				dropped.forEach(call.hint);
				throw await explainAppType(app.client, error, signal);
			},
		);
		return [await runItem(call, { ...output, events }, explained)];
	},
};
