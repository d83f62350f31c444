/** Operation Follow of a run. */
import type { FieldTable } from '../../lib/fields/field';
import { followRun } from '../../lib/dify/run/follow-run';
import { DEFAULT_USER, readUser, simplifyField } from '../shared/dify/common-fields';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { optionsField } from '../shared/fields/options-field';
import { toRequestSettings } from '../shared/fields/request-options';
import { defineOperation } from '../shared/items/define-operation';
import { common, followTotalTimeout, onPauseWaiting, runIdField, runUserField } from './fields';
import { getKeptValues, toRunItem, toRunOutput } from './run-item';

const fields = {
	workflowRunId: runIdField,
	user: {
		...runUserField,
		description: `The user who started the run. Other users cannot follow it. ${DEFAULT_USER}`,
	},
	simplify: simplifyField,
	options: optionsField({
		...common,
		totalTimeout: followTotalTimeout,
		onPause: onPauseWaiting,
	}),
} as const satisfies FieldTable;

export const runFollow: DifyOperation = defineOperation({
	name: 'Follow',
	value: 'follow',
	action: 'Follow a run',
	description: 'Attach to an existing run and wait for its outputs',
	fields,
	execute: async (call) => {
		const { client, source, values, chatStream } = call;
		const user = readUser(source, values);
		const { workflowRunId: runId } = values;
		const { timeouts } = toRequestSettings(values.options);
		const output = toRunOutput(values, user);
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
});
