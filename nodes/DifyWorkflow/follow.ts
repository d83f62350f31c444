/** Operation Follow of a run. */
import { followRun } from '../../lib/dify/run/follow-run';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { readId, simplifyField } from '../shared/dify/dify-fields';
import { DEFAULT_USER, readUser } from '../shared/dify/dify-user';
import { optionsCollection } from '../shared/field-builders';
import { readRequestSettings } from '../shared/timeout-fields';
import { runUserField, runIdField, onPauseWaiting, common, followTotalTimeout } from './fields';
import { readOutputOptions, getKeptValues, toRunItem } from './run-item';

export const runFollow: DifyOperation = {
	name: 'Follow',
	value: 'follow',
	action: 'Follow a run',
	description: 'Attach to an existing run and wait for its outputs',
	fields: [
		runIdField,
		{
			...runUserField,
			description: `The user who started the run. Other users cannot follow it. ${DEFAULT_USER}`,
		},
		simplifyField,
		optionsCollection([...common, followTotalTimeout, onPauseWaiting]),
	],
	execute: async (call) => {
		const { client, parameters, chatStream } = call;
		const user = readUser(parameters);
		const runId = readId(parameters, 'workflowRunId');
		const { timeouts } = readRequestSettings(parameters);
		const output = readOutputOptions(call, user);
		const continueAfterPause = output.onPause === 'wait';
		await chatStream?.begin();
		const following = followRun(client, {
			runId,
			user,
			onDeltas: chatStream?.show,
			// Human input may take any time.
			timeouts: continueAfterPause ? { ...timeouts, idleMs: 0 } : timeouts,
			continueAfterPause,
			...getKeptValues(output),
		});
		return await toRunItem(call, { running: following, output });
	},
};
