import { followRun, runWorkflow } from '../../../lib/dify/run/start-run';
import { DEFAULT_USER } from '../../shared/dify/fields';
import { readUser } from '../../shared/dify/ids';
import { inputFields } from '../../shared/dify/inputs';
import { readRunTimeouts, readRunOptions, simplifyField } from '../../shared/dify/run-options';
import { buildRunRequest } from '../../shared/dify/run-request';
import type { DifyOperation } from '../../shared/dify/dify-operation';
import { optionsCollection } from '../../shared/field-builders';
import { executeOptions, followOptions, runIdField, readRunId, runUserField } from '../fields';
import { readOutputOptions, toRunItem } from '../output';

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
		{ ...inputsMode!, description: "Variables of the workflow's start node" },
		...inputValues,
		simplifyField,
		optionsCollection(executeOptions),
	],
	run: async (call) => {
		const { client, parameters, typing } = call;
		const user = readUser(parameters);
		const { timeouts, retries, ...ids } = readRunOptions(parameters);
		const output = readOutputOptions(call, user);
		await typing?.begin();
		const inputWarnings: string[] = [];
		const request = await buildRunRequest(call, user, {
			filesPath: 'options.files',
			onWarning: (warning) => void inputWarnings.push(warning),
		});
		const options = { onDeltas: typing?.show, timeouts, retries };
		const running = runWorkflow(client, { ...request, ...ids }, options);
		running.catch(() => inputWarnings.forEach(call.hint));
		return [await toRunItem(call, output, running, inputWarnings)];
	},
};

export const runFollow: DifyOperation = {
	option: {
		name: 'Follow',
		value: 'follow',
		action: 'Follow a run',
		description: 'Attach to an existing run and wait for its outputs',
	},
	fields: [
		runIdField,
		{
			...runUserField,
			description: `The user who started the run. Other users cannot follow it. ${DEFAULT_USER}`,
		},
		simplifyField,
		optionsCollection(followOptions),
	],
	run: async (call) => {
		const { client, parameters, typing } = call;
		const user = readUser(parameters);
		const runId = readRunId(parameters);
		const timeouts = readRunTimeouts(parameters);
		const output = readOutputOptions(call, user);
		const continueAfterPause = output.onPause === 'wait';
		await typing?.begin();
		const following = followRun(client, runId, user, {
			onDeltas: typing?.show,
			// Human input may take any time.
			timeouts: continueAfterPause ? { ...timeouts, idleMs: 0 } : timeouts,
			continueAfterPause,
		});
		return [await toRunItem(call, output, following)];
	},
};
